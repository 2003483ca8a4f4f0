import type { ServerProgram } from "./server-root.ts";

const tlsServer = (port: number, certificate: string, protocols: string, more = "") => `
  server {
    listen ${port} ssl;
    ssl_certificate /lab/${certificate}.crt;
    ssl_certificate_key /lab/${certificate}.key;
    ssl_protocols ${protocols};
    ssl_ciphers DEFAULT:@SECLEVEL=0;
    ${more}
  }`;

const nginxConfiguration = `daemon off;
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr info;
events {}
http {
  access_log /dev/stdout;
  server { listen 8080; location / { return 200 "hello"; } }
  server { listen 8082 proxy_protocol; location / { return 200 "hello"; } }
  server { listen 8081; return 301 https://$host$request_uri; }
  ${tlsServer(8443, "good", "TLSv1.2 TLSv1.3")}
  ${tlsServer(8444, "expired", "TLSv1.2")}
  ${tlsServer(8445, "self-signed", "TLSv1.3")}
  ${tlsServer(8446, "good", "TLSv1 TLSv1.1")}
  ${tlsServer(8447, "good", "TLSv1.2", "ssl_client_certificate /lab/ca.crt; ssl_verify_client on;")}
}
`;

const vsftpd = (port: number, tls: string) => `listen=YES
listen_port=${port}
background=NO
anonymous_enable=NO
local_enable=YES
secure_chroot_dir=/var/run/vsftpd/empty
seccomp_sandbox=NO
xferlog_enable=YES
log_ftp_protocol=YES
vsftpd_log_file=/tmp/vsftpd.log
${tls}`;

const vsftpdTls = "ssl_enable=YES\nrsa_cert_file=/lab/good.crt\nrsa_private_key_file=/lab/good.key\n";

const postfix = (tls: string) => `compatibility_level = 3.6
myhostname = mail.example
mydestination =
inet_interfaces = all
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
maillog_file = /dev/stdout
${tls}`;

/** An unprivileged port, no chroots, and only what a greeting needs. */
const postfixServices = (port: number) => `${port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
rewrite unix - - n - - trivial-rewrite
scache unix - - n - 1 scache
`;

const postfixTls = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /lab/good.key, /lab/good.crt\n";

/** Files of each server, below its /lab. */
export const configurations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nginx: { "nginx.conf": nginxConfiguration },
  "vsftpd-plain": { "vsftpd.conf": vsftpd(2121, "") },
  "vsftpd-tls": { "vsftpd.conf": vsftpd(2122, vsftpdTls) },
  "postfix-plain": { "main.cf": postfix("smtpd_tls_security_level = none\n"), "master.cf": postfixServices(2525) },
  "postfix-tls": { "main.cf": postfix(postfixTls), "master.cf": postfixServices(2526) },
  inetd: { "inetd.conf": "2323 stream tcp nowait root /usr/sbin/telnetd telnetd\n" },
};

const sshd = ["-D", "-e", "-f", "/dev/null", "-h", "/lab/ssh_host_key", "-o", "PidFile=none"] as const;
const mariaDb = [
  "--no-defaults",
  "--user=mysql",
  "--skip-grant-tables",
  "--skip-networking=0",
  "--datadir=/lab/data",
] as const;
const startPostgres = (more: string) =>
  [
    "sh",
    "-c",
    `bin=$(echo /usr/lib/postgresql/*/bin); $bin/initdb -D /lab/data --no-sync -A trust >/dev/null && exec $bin/postgres -D /lab/data -k /tmp -F ${more}`,
  ] as const;
/** Counts clients that leave early, which it does of hosts whose name it found, and refuses them after three. */
const countingMariaDb = (address: string) =>
  [
    "sh",
    "-c",
    `chown mysql /lab/data; echo ${address} node.example >/etc/hosts; echo hosts: files >/etc/nsswitch.conf; exec "$@"`,
    "-",
    "mariadbd",
    ...mariaDb,
    "--port=3309",
    "--skip-ssl",
    "--max-connect-errors=3",
    "--socket=/tmp/s",
  ] as const;
const startPostfix = "mkdir -p /etc/postfix && cp /lab/main.cf /lab/master.cf /etc/postfix/ && exec postfix start-fg";

/** @param address of the machine on which they run. */
export const programs = (address: string): readonly ServerProgram[] => [
  { name: "mariadb-counting", command: countingMariaDb(address), ports: [3309] },
  {
    name: "nginx",
    command: ["nginx", "-c", "/lab/nginx.conf"],
    ports: [8080, 8081, 8082, 8443, 8444, 8445, 8446, 8447],
  },
  { name: "sshd", command: ["/usr/sbin/sshd", ...sshd, "-p", "2222"], ports: [2222] },
  { name: "vsftpd-plain", command: ["vsftpd", "/lab/vsftpd.conf"], ports: [2121] },
  { name: "vsftpd-tls", command: ["vsftpd", "/lab/vsftpd.conf"], ports: [2122] },
  { name: "postfix-plain", command: ["sh", "-c", startPostfix], ports: [2525] },
  { name: "postfix-tls", command: ["sh", "-c", startPostfix], ports: [2526] },
  { name: "inetd", command: ["/usr/sbin/inetd", "-i", "/lab/inetd.conf"], ports: [2323] },
  {
    name: "redis-plain",
    user: "redis",
    command: ["redis-server", "--port", "6380", "--protected-mode", "no", "--save", ""],
    ports: [6380],
  },
  {
    name: "redis-password",
    user: "redis",
    command: ["redis-server", "--port", "6381", "--requirepass", "a", "--save", ""],
    ports: [6381],
  },
  {
    name: "redis-tls",
    user: "redis",
    command: [
      "redis-server",
      "--port",
      "0",
      "--tls-port",
      "6382",
      "--tls-cert-file",
      "/lab/good.crt",
      "--tls-key-file",
      "/lab/good.key",
      "--tls-ca-cert-file",
      "/lab/ca.crt",
      "--save",
      "",
    ],
    ports: [6382],
  },
  { name: "memcached", user: "memcache", command: ["memcached", "-p", "11212"], ports: [11212] },
  {
    name: "mariadb-plain",
    user: "mysql",
    command: ["mariadbd", ...mariaDb, "--port=3307", "--skip-ssl", "--socket=/tmp/s"],
    ports: [3307],
  },
  {
    name: "mariadb-tls",
    user: "mysql",
    command: [
      "mariadbd",
      ...mariaDb,
      "--port=3308",
      "--ssl-cert=/lab/good.crt",
      "--ssl-key=/lab/good.key",
      "--socket=/tmp/s",
    ],
    ports: [3308],
  },
  { name: "postgres-plain", user: "postgres", command: startPostgres("-p 5433 -h 0.0.0.0"), ports: [5433] },
  {
    name: "postgres-tls",
    user: "postgres",
    command: startPostgres("-p 5434 -h 0.0.0.0 -c ssl=on -c ssl_cert_file=/lab/good.crt -c ssl_key_file=/lab/good.key"),
    ports: [5434],
  },
];
