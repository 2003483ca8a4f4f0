/** What process and port make likely. It only orders the questions: the answers decide. */
export interface Hint {
  readonly likely: "PostgreSQL" | "memcached" | "SMTP" | "Greets" | undefined;
}

const postgreSql = { processes: ["postgres", "pgbouncer", "pgpool"], ports: [5432, 6432] };
const memcached = { processes: ["memcached"], ports: [11211] };
const smtp = {
  processes: ["master", "smtpd", "postscreen", "exim4", "exim", "sendmail", "opensmtpd"],
  ports: [25, 587],
};
/** These speak first, some of them late: they look up the client's name. */
const greets = {
  processes: [
    "sshd",
    "dropbear",
    "vsftpd",
    "proftpd",
    "pure-ftpd",
    "mysqld",
    "mariadbd",
    "telnetd",
    "in.telnetd",
    "inetd",
    "xinetd",
  ],
  ports: [21, 22, 23, 3306],
};

/** Where the process is known, its name counts more than the port. */
export function hintFor({ port, process }: { readonly port: number; readonly process?: string }): Hint {
  const fits = ({ processes, ports }: { processes: string[]; ports: number[] }) =>
    process === undefined ? ports.includes(port) : processes.includes(process);
  if (fits(postgreSql)) return { likely: "PostgreSQL" };
  if (fits(memcached)) return { likely: "memcached" };
  if (fits(smtp)) return { likely: "SMTP" };
  return { likely: fits(greets) ? "Greets" : undefined };
}
