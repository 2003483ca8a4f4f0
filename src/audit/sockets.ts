/** The kernel's sockets, as checks want them. `kernel/` reads them; an IPv4 address in IPv6 clothes is IPv4 here. */

export interface Endpoint {
  /** `0.0.0.0` and `::` are every address. */
  readonly address: string;
  readonly port: number;
}

export interface ListeningSocket extends Endpoint {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Ties the socket to the processes that hold it (/proc/PID/fd). */
  readonly inode: number;
  /** Who made the socket. */
  readonly uid: number;
}

export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** `Closing` still holds its local port, as `TimeWait` does. */
  readonly state: "Opening" | "Established" | "Closing" | "TimeWait";
}

/** Reads the sockets of the network namespace that this process is in. Each may be asked for by itself, as their costs differ. */
export interface SocketReader {
  /** TCP and SCTP sockets that listen, and UDP sockets that take from everybody: also those of clients (a resolver's, say). */
  listening(): Promise<readonly ListeningSocket[]>;
  /** TCP connections in all states. The cost grows with their number. */
  connections(): Promise<readonly Connection[]>;
}
