/**
 * Cases kept because chance rarely makes them: the three readings once differed on them, or a mistake that was put into
 * plan or render on purpose showed in nothing else for hundreds of pairs. A new one is what the test prints, shrunk.
 */
import type { Case } from "./arbitrary-case.ts";
import { SHOTS } from "./arbitrary-shot.ts";
import type { Direction, Policy } from "./policy-shape.ts";
import { describeShot } from "./shot.ts";
import type { World } from "./world-facts.ts";

export interface KeptCase extends Case {
  readonly why: string;
}

const EMPTY: World = {
  nodeLabels: { role: "worker" },
  nodes: [],
  members: [],
  apiservers: [],
  pods: [],
  vips: [],
  serviceCidrs: [],
  podsOnUplink: false,
  groups: [],
};

const inbound = (direction: Direction): Policy["spec"] => ({ firewall: { inbound: direction } });
const outbound = (direction: Direction): Policy["spec"] => ({ firewall: { outbound: direction } });

/** `shots` as `describeShot` has them. */
function kept(why: string, spec: Policy["spec"], world: Partial<World>, shots: readonly string[]): KeptCase {
  const policies = [{ metadata: { name: "policy-0" }, spec }];
  return { why, policies, world: { ...EMPTY, ...world }, shots: shots.map(shotOf) };
}

function shotOf(text: string): Case["shots"][number] {
  const found = SHOTS.find((shot) => describeShot(shot) === text);
  if (found === undefined) throw new Error(`there is no shot "${text}"`);
  return found;
}

export const KEPT: readonly KeptCase[] = [
  kept("an answer to anycast or broadcast is a flow that the node opens", outbound({}), {}, [
    "UDP 2001:db8:51::9 (outside) -> 2001:db8:18:: port 8444 (broadcast or anycast) in eth0",
    "UDP 203.0.113.7 (outside) -> 198.18.255.255 port 8444 (broadcast or anycast) in eth0",
  ]),
  kept("a service address is judged as the node's own", inbound({}), { vips: ["2001:db8:96::10/128"] }, [
    "TCP 2001:db8:2::7 (side) -> 2001:db8:96::10 port 8080 (service to a pod) in eth9",
    "SCTP 2001:db8:2::7 (side) -> 2001:db8:96::10 port 8080 (service to a pod) in eth9",
  ]),
  kept(
    "a service address that leads to the node is judged on the port behind it, rejected there too",
    inbound({ protocols: ["TCP", "UDP", "SCTP"], defaultAction: "Reject" }),
    { serviceCidrs: ["2001:db8:96::/112"] },
    (["TCP", "UDP", "SCTP"] as const).map(
      (protocol) => `${protocol} 2001:db8:3::7 (wan) -> 2001:db8:96::11 port 80 (service to the node) in wan0`,
    ),
  ),
  kept("a pod's address on the uplink may be spoofed", inbound({}), { pods: ["198.19.0.0/16"] }, [
    "UDP 198.19.2.4 (peerPod) -> 198.18.0.11 port 8443 (host port 8443) in eth0",
    "UDP 198.19.1.3 (pod) -> 198.18.0.11 port 8443 (host port 8443) in cali2",
  ]),
  kept(
    "an exception holds for its own block only",
    outbound({
      allow: [
        { name: "a", to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["192.0.2.0/24"] } }] },
        { name: "b", to: [{ ipBlock: { cidr: "192.0.2.128/25" } }] },
      ],
    }),
    {},
    [
      "TCP 198.18.0.11 (node) -> 192.0.2.7 port 8443 (beyond eth9, port 8443) out eth9",
      "TCP 198.18.0.11 (node) -> 192.0.2.135 port 8443 (beyond wan0, port 8443) out wan0",
    ],
  ),
  kept(
    "a deny takes no prefix shorter than /8 from a group",
    inbound({ deny: [{ name: "a", from: [{ addressGroup: { name: "wide" } }] }], defaultAction: "Allow" }),
    { groups: [{ name: "wide", labels: {}, addresses: ["192.0.0.0/4", "203.0.113.7/32"] }] },
    [
      "TCP 203.0.113.7 (outside) -> 198.18.0.11 port 8443 (host port 8443) in eth0",
      "TCP 203.0.113.70 (outside) -> 198.18.0.11 port 8443 (host port 8443) in eth0",
    ],
  ),
  kept(
    "a limit does not count the exempt of a group",
    {
      rateLimits: [
        {
          name: "a",
          exempt: [{ addressGroup: { name: "listed" } }],
          maxConcurrent: 10_000,
          protocols: ["TCP", "SCTP"],
        },
      ],
    },
    { groups: [{ name: "listed", labels: {}, addresses: ["192.0.2.0/25"] }] },
    [
      "TCP 192.0.2.8 (side) -> 198.18.0.11 port 8443 (host port 8443) in eth9",
      "SCTP 192.0.2.135 (wan) -> 198.18.0.11 port 8443 (host port 8443) in wan0",
    ],
  ),
];
