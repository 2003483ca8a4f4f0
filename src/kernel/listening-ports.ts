import type { Host } from "./host.ts";
import type { ListeningPort } from "./kernel.ts";

/** States as /proc/net prints them (Documentation/networking/proc_net_tcp.rst, include/net/tcp_states.h). */
const LISTEN = "0A";
const UNCONNECTED = "07";

/** Ports on which the node's own processes listen, or the kernel itself (overlays, WireGuard), each once. */
export async function observeListeningPorts(host: Host): Promise<ListeningPort[]> {
  const found = new Map<string, ListeningPort>();
  for (const protocol of ["TCP", "UDP"] as const) {
    for (const family of ["", "6"]) {
      await host.eachLine(`/proc/net/${protocol.toLowerCase()}${family}`, (line) => {
        const socket = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(line);
        if (socket === null) return true;
        const [, local = "0", remote, state] = socket;
        // The kernel lists those that listen first: a hundred thousand connections are not read for a dozen of these.
        if (protocol === "TCP" && state !== LISTEN) return false;
        const port = Number.parseInt(local, 16);
        if (protocol === "TCP" || (state === UNCONNECTED && remote === "0000"))
          found.set(`${protocol} ${port}`, { protocol, port });
        return true;
      });
    }
  }
  return [...found.values()].filter(({ port }) => port > 0);
}
