import { bad, good, many, type Sample } from "./sample.ts";
import { AT, findings, long, MANY, node, policy, text } from "./status-sample.ts";

const listener = {
  protocol: "TCP",
  address: "0.0.0.0",
  port: 6379,
  process: "redis-server",
  user: 4_294_967_294,
  cgroup: "/kubepods.slice/pod1/redis",
  containerId: "c".repeat(64),
  podUid: "6f3c0000-0000-4000-8000-000000000000",
  reach: "Everybody",
  expected: false,
};
const listeners = (fields: object) => node({ listeners: { count: 1, top: [{ ...listener, ...fields }] } });

const peer = { direction: "Inbound", peer: "2001:db8::7", port: 443, connections: 12 };
const connections = (fields: object) => node({ connections: { established: 12, timeWait: 3, top: [peer], ...fields } });

const unmatched = { policy: "web", direction: "Inbound", list: "Allow", entry: "office", since: AT };
const asked = { id: "6f3c-1", at: AT, ports: [22, 10250] };

const ATLISTENER = "status.listeners.top[0]";
const summary = { summary: "3 findings, 1 high", audited: 2, notMet: 1, findings };

/** What a node's audit saw besides findings, and what the controller sums. */
export const watchStatusSamples: readonly Sample[] = [
  good("a listener with all that is known of it", listeners({})),
  good(
    "a listener of the kernel",
    node({
      listeners: { count: 1, unexpected: 0, top: [{ protocol: "UDP", address: "::", port: 51820, reach: "Unknown" }] },
    }),
  ),
  good("20 listeners of more", node({ listeners: { count: MANY, unexpected: 21, top: many(20, () => listener) } })),
  bad(
    "21 listeners",
    node({ listeners: { count: 21, top: many(21, () => listener) } }),
    "status.listeners.top",
    "at most 20 items",
  ),
  bad(
    "listeners that nobody counted",
    node({ listeners: { top: [] } }),
    "status.listeners.count",
    "is required",
    "Required value",
  ),
  bad(
    "a listener by DCCP",
    listeners({ protocol: "DCCP" }),
    `${ATLISTENER}.protocol`,
    "must be TCP or UDP or SCTP",
    "supported values",
  ),
  bad(
    "a listener that neighbours reach",
    listeners({ reach: "Cluster" }),
    `${ATLISTENER}.reach`,
    "must be Everybody or Some",
    "supported values",
  ),
  bad(
    "a listener that is perhaps expected",
    listeners({ expected: "Maybe" }),
    `${ATLISTENER}.expected`,
    "must be true or false",
    "must be of type boolean",
  ),
  bad(
    "a listener of a user by name",
    listeners({ user: "redis" }),
    `${ATLISTENER}.user`,
    "must be a number",
    "must be of type integer",
  ),
  long("an address", listeners({ address: text(65) }), `${ATLISTENER}.address`, 64),
  long("the process of a listener", listeners({ process: text(65) }), `${ATLISTENER}.process`, 64),
  long("the control group of a listener", listeners({ cgroup: text(129) }), `${ATLISTENER}.cgroup`, 128),
  long("the container of a listener", listeners({ containerId: text(65) }), `${ATLISTENER}.containerId`, 64),
  long("the pod of a listener", listeners({ podUid: text(65) }), `${ATLISTENER}.podUid`, 64),

  good(
    "entries that nothing matched",
    node({ unmatched: { count: MANY, of: MANY, entries: many(20, () => unmatched) } }),
  ),
  bad(
    "21 entries that nothing matched",
    node({ unmatched: { count: 21, of: 21, entries: many(21, () => unmatched) } }),
    "status.unmatched.entries",
    "at most 20 items",
  ),
  bad(
    "an entry of a list that is none",
    node({ unmatched: { count: 1, of: 1, entries: [{ ...unmatched, list: "Limit" }] } }),
    "status.unmatched.entries[0].list",
    "must be Allow or Deny or Default",
    "supported values",
  ),
  good(
    "an entry that nothing matched on any node",
    policy({ unmatched: { count: 1, entries: [{ direction: "Outbound", list: "Deny", entry: "blocklist" }] } }),
  ),
  good("what peers are asked behind a change", node({ reachRequests: [asked, { ...asked, id: "2" }] })),
  bad(
    "three peers asked behind a change",
    node({ reachRequests: many(3, (n) => ({ ...asked, id: `${n}` })) }),
    "status.reachRequests",
    "at most 2 items",
  ),

  good("connections", connections({ localPortsUsedPercent: 100, conntrackUsedPercent: 0 })),
  good("no connection", node({ connections: { established: 0, timeWait: 0, top: [] } })),
  good("20 groups of connections", connections({ top: many(20, () => peer) })),
  bad(
    "21 groups of connections",
    connections({ top: many(21, () => peer) }),
    "status.connections.top",
    "at most 20 items",
  ),
  bad(
    "more local ports in use than there are",
    connections({ localPortsUsedPercent: 101 }),
    "status.connections.localPortsUsedPercent",
    "must be at most 100",
    "should be less than or equal to 100",
  ),
  bad(
    "a fuller table than can be",
    connections({ conntrackUsedPercent: 101 }),
    "status.connections.conntrackUsedPercent",
    "must be at most 100",
    "should be less than or equal to 100",
  ),
  bad(
    "connections both ways",
    connections({ top: [{ ...peer, direction: "Both" }] }),
    "status.connections.top[0].direction",
    "must be Inbound or Outbound",
    "supported values",
  ),
  long(
    "the other end of connections",
    connections({ top: [{ ...peer, peer: text(65) }] }),
    "status.connections.top[0].peer",
    64,
  ),

  good("audits summed over the nodes", policy({ audit: { ...summary, auditedAt: AT } })),
  good("audits that no node has made yet", policy({ audit: { ...summary, summary: "pending", audited: 0 } })),
  bad(
    "audits without a summary",
    policy({ audit: { ...summary, summary: undefined } }),
    "status.audit.summary",
    "is required",
    "Required value",
  ),
  long("a summary", policy({ audit: { ...summary, summary: text(129) } }), "status.audit.summary", 128),
  bad(
    "fewer nodes audited than none",
    policy({ audit: { ...summary, audited: -1 } }),
    "status.audit.audited",
    "must be at least 0",
    "should be greater than or equal to 0",
  ),
  bad(
    "findings beyond 32 bits",
    policy({ audit: { ...summary, findings: { ...findings, high: MANY + 1 } } }),
    "status.audit.findings.high",
    "must be at most 2147483647",
    "should be less than or equal to 2147483647",
  ),
];
