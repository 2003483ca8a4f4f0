import type { Protocol } from "../plan/types.ts";
import type { DroppedPeer } from "./kernel.ts";
import type { NodeAccess } from "./node-access.ts";
import { parseSavedSets } from "./saved-sets.ts";

/** By name, or by number where the tool finds no /etc/protocols. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  tcp: "TCP",
  6: "TCP",
  udp: "UDP",
  17: "UDP",
  sctp: "SCTP",
  132: "SCTP",
};

/** All by one process, each set emptied right after it was listed: what comes between the two is lost, some microseconds. */
export async function takeDroppedPeers(
  node: NodeAccess,
  sets: readonly string[],
): Promise<Map<string, readonly DroppedPeer[]>> {
  if (sets.length === 0) return new Map();
  const takes = sets.map((name) => `list ${name}\nflush ${name}\n`).join("");
  const saved = parseSavedSets(await node.run("ipset", ["restore"], takes));
  return new Map([...saved.values()].map(({ name, entries = [] }) => [name, entries.flatMap(droppedPeer)]));
}

/** `192.0.2.7,tcp:8443 packets 3 bytes 180` */
function droppedPeer(entry: string): DroppedPeer[] {
  const [, address, name = "", port, packets] = /^([^,]+),([a-z0-9]+):(\d+) packets (\d+) /.exec(entry) ?? [];
  const protocol = PROTOCOLS[name];
  if (address === undefined || protocol === undefined) return [];
  return [{ address, protocol, port: Number(port), packets: Number(packets) }];
}
