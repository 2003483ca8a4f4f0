/** Openings of connections whose other ends the policies and groups of these tests know. */
import fc from "fast-check";
import type { Opening } from "../../../src/plan/connections.ts";
import type { Packet } from "../../../src/simulate/packet.ts";

const own = { 4: "198.18.0.1", 6: "2001:db8:18::1" } as const;
export const peers = {
  4: "198.51.100.1 198.51.100.9 198.51.100.70 203.0.113.7 203.0.113.200 192.0.2.1 192.0.2.130 10.9.8.7 198.18.0.9 198.18.64.5 198.19.0.10",
  6: "2001:db8:bad::1 2001:db8:1::7 2001:db8:99::1 2001:db9::1 2001:db8:18::9",
} as const;
/** What somebody opens, to a node or from it, and by which interface. */
export const anyOpening = fc
  .record({
    direction: fc.constantFrom("Inbound", "Outbound"),
    family: fc.constantFrom(4, 6),
    protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
    port: fc.oneof(fc.constantFrom(22, 53, 80, 1024, 6443, 8443, 65535), fc.integer({ min: 1, max: 65535 })),
    device: fc.constantFrom("eth0", "eth1", "bond0", "cali7", "wan"),
    index: fc.nat(20),
  })
  .map(({ device, index, ...rest }) => {
    const known = peers[rest.family].split(" ");
    const peer = known[index % known.length] ?? "";
    return { device, opening: { ...rest, peer, local: own[rest.family] } satisfies Opening };
  });

/** Its first packet; `more` makes another one of it. */
export function packetOf(
  { direction, family, protocol, peer, port, local }: Opening,
  device: string,
  more: object,
): Packet {
  const both = { family, protocol: protocol.toLowerCase() as "tcp" | "udp" | "sctp", destinationPort: port, ...more };
  return direction === "Inbound"
    ? { ...both, source: peer, destination: local, destinationType: "LOCAL", in: device }
    : { ...both, source: local, destination: peer, destinationType: "UNICAST", out: device };
}
