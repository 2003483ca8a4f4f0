import type { ListeningSocket } from "../sockets.ts";
import type { Process } from "./process.ts";

/** Who listens on what. */
export interface Listener extends ListeningSocket {
  /** Absent where no process that can be seen holds the socket: the kernel's own (WireGuard, NFS), or hidden. */
  readonly process?: Process;
}

/** What a listener is called by. */
export interface NamedListener extends Pick<Listener, "protocol" | "address" | "port"> {
  readonly process?: Pick<Process, "name">;
}

/** Short and stable: `TCP 0.0.0.0:6379 redis-server`, `TCP [::]:443 nginx`. */
export function listenerName({ protocol, address, port, process }: NamedListener): string {
  const place = address.includes(":") ? `[${address}]` : address;
  return `${protocol} ${place}:${port}${process === undefined ? "" : ` ${process.name}`}`;
}

/** For evidence: `pid 812, user 999, /system.slice/redis.service`. */
export function processEvidence({ process }: Listener): string {
  if (process === undefined) return "no process that can be seen holds it";
  const { pid, uid, cgroup, containerId } = process;
  const where = containerId === undefined ? cgroup : `container ${containerId.slice(0, 12)}`;
  return `pid ${pid}, user ${uid}, ${where}`;
}
