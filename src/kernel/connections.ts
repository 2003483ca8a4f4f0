import type { TrackedConnection } from "../plan/connections.ts";
import type { Family } from "../plan/node-plan.ts";
import type { Protocol } from "../plan/types.ts";
import type { NodeAccess } from "./node-access.ts";

const PROTOCOLS: Readonly<Record<string, Protocol>> = { tcp: "TCP", udp: "UDP", sctp: "SCTP" };

/** States in which nothing is carried any more, or not yet: what opens or ends is none of ours. */
const NOT_OPEN = new Set(
  "NONE SYN_SENT SYN_SENT2 LAST_ACK TIME_WAIT CLOSE CLOSED COOKIE_WAIT COOKIE_ECHOED".split(" "),
);

const ENTRY =
  /^(tcp|udp|sctp) +\d+ \d+ (?:([A-Z_0-9]+) )?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) (.*?)src=(\S+) dst=\S+ sport=(\d+) dport=/;

/**
 * A line of `conntrack -L`; undefined for other protocols and for what cannot carry data. UDP without an answer is not
 * established: each datagram of it is judged as the first one.
 */
export function parseConnection(family: Family, line: string): TrackedConnection | undefined {
  const [, protocol = "", state, source, destination, sourcePort, destinationPort, between, replySource, replyPort] =
    ENTRY.exec(line) ?? [];
  const known = PROTOCOLS[protocol];
  if (known === undefined || source === undefined || destination === undefined || replySource === undefined) return;
  if (state !== undefined && NOT_OPEN.has(state)) return undefined;
  if (known === "UDP" && between?.includes("[UNREPLIED]")) return undefined;
  return {
    family,
    protocol: known,
    source,
    sourcePort: Number(sourcePort),
    destination,
    destinationPort: Number(destinationPort),
    replySource,
    replySourcePort: Number(replyPort),
  };
}

/**
 * By the tool, through netlink: /proc/net/nf_conntrack is left out of many kernels (CONFIG_NF_CONNTRACK_PROCFS) and lists
 * an entry twice where the table changes meanwhile. Line by line, as 200,000 entries are 36 MB of text.
 */
export async function observeConnections(
  node: NodeAccess,
  visit: (connection: TrackedConnection) => void,
): Promise<void> {
  for (const [family, name] of [
    [4, "ipv4"],
    [6, "ipv6"],
  ] as const) {
    await node.readLines("conntrack", ["-L", "-f", name], (line) => {
      const connection = parseConnection(family, line);
      if (connection !== undefined) visit(connection);
    });
  }
}
