import { addressGroup, bad, good, many, nodeState, podRange, type Sample } from "./sample.ts";

const assigned = {
  name: "workers",
  uid: "6f3c",
  hash: "0123456789abcdef",
  priority: 0,
  mode: "Enforce",
  plan: { format: 1 },
};
const ELEMENT = "spec.policies[0]";
const PROBE = "spec.probes[0]";

const probe = {
  id: "6f3c-1",
  node: "node-2.example",
  at: "2026-01-01T00:00:00Z",
  ports: [8080, 65535],
  paths: [{ from: "198.18.0.11", to: "198.18.0.12" }],
};
const answer = {
  id: "6f3c-1",
  peer: "node-3.example",
  paths: [{ from: "198.18.0.13", to: "198.18.0.11", open: [8080], refused: [], silent: [9100], problem: "no route" }],
};

export const addressGroupSamples: readonly Sample[] = [
  good("a group", addressGroup(["198.51.100.0/24", "203.0.113.200/32", "2001:db8:bad::/48"])),
  good("a group of nobody", addressGroup([])),
  good("2000 addresses", addressGroup(many(2000, (n) => `198.18.${n >> 8}.${n & 255}/32`))),
  bad(
    "2001 addresses",
    addressGroup(many(2001, (n) => `198.18.${n >> 8}.${n & 255}/32`)),
    "spec.addresses",
    "at most 2000 items",
  ),
  bad(
    "a group with a name that is none",
    { ...(addressGroup([]) as object), metadata: { name: "Block list" } },
    "metadata.name",
    "must be a DNS name",
    "a lowercase RFC 1123 subdomain",
  ),
  bad("a group without addresses", addressGroup(undefined), "spec.addresses", "is required", "Required value"),
  bad("null for the addresses", addressGroup(null), "spec.addresses", "must be a list, not null", "Required value"),
  bad("a bare address in a group", addressGroup(["203.0.113.200"]), "spec.addresses[0]", "without host bits"),
  bad(
    "host bits in a group",
    addressGroup(["192.0.2.0/24", "203.0.113.1/24"]),
    "spec.addresses[1]",
    "without host bits",
  ),
  bad("a number in a group", addressGroup([1]), "spec.addresses[0]", "must be a string", "must be of type string"),
];

export const nodeStateSamples: readonly Sample[] = [
  good("a node without policies", nodeState([])),
  good("a node with a policy", nodeState([assigned])),
  good("a plan of a later format", nodeState([{ ...assigned, plan: { format: 9, later: [{ deep: true }] } }])),
  good("a request for an audit", nodeState([], { auditRequest: "2026-11-23T03:00:00Z" })),
  good("a request of 64 characters", nodeState([], { auditRequest: "r".repeat(64) })),
  bad(
    "a request of 65 characters",
    nodeState([], { auditRequest: "r".repeat(65) }),
    "spec.auditRequest",
    "at most 64 characters",
    "may not be more than 64 bytes",
  ),
  bad(
    "a request that is a number",
    nodeState([], { auditRequest: 7 }),
    "spec.auditRequest",
    "must be a string",
    "must be of type string",
  ),
  good(
    "measurements for and by other nodes",
    nodeState([], { probes: [probe], probeAnswers: [answer, { id: "2", problem: "nobody" }] }),
  ),
  bad(
    "81 ports to connect to",
    nodeState([], { probes: [{ ...probe, ports: many(81, (n) => n + 1) }] }),
    `${PROBE}.ports`,
    "at most 80 items",
  ),
  bad(
    "a range of ports to connect to",
    nodeState([], { probes: [{ ...probe, ports: ["1-65535"] }] }),
    `${PROBE}.ports[0]`,
    "must be a",
    "must be of type integer",
  ),
  bad(
    "nine measurements at a time",
    nodeState([], { probes: many(9, (n) => ({ ...probe, id: `${n}` })) }),
    "spec.probes",
    "at most 8 items",
  ),
  good("a measurement behind a change", nodeState([], { probes: [{ ...probe, purpose: "Change" }] })),
  bad(
    "a measurement for another purpose",
    nodeState([], { probes: [{ ...probe, purpose: "Scan" }] }),
    `${PROBE}.purpose`,
    "must be Audit or Change",
    "Unsupported value",
  ),
  bad("a measurement twice", nodeState([], { probes: [probe, probe] }), "spec.probes[1]", "Duplicate value"),
  bad(
    "an id that is none",
    nodeState([], { probes: [{ ...probe, id: "A/1" }] }),
    `${PROBE}.id`,
    "must be made of a-z, 0-9 and '-'",
    "should match",
  ),
  bad("no policies", nodeState(undefined), "spec.policies", "is required", "Required value"),
  bad("a policy twice", nodeState([assigned, assigned]), "spec.policies[1]", "Duplicate value"),
  bad(
    "a plan that is text",
    nodeState([{ ...assigned, plan: "x" }]),
    `${ELEMENT}.plan`,
    "must be an object",
    "must be of type object",
  ),
  bad(
    "a plan that is a list",
    nodeState([{ ...assigned, plan: [] }]),
    `${ELEMENT}.plan`,
    "must be an object",
    "must be of type object",
  ),
  bad("no plan", nodeState([{ ...assigned, plan: undefined }]), `${ELEMENT}.plan`, "is required", "Required value"),
  bad(
    "a hash that is none",
    nodeState([{ ...assigned, hash: "X" }]),
    `${ELEMENT}.hash`,
    "must be lower-case hexadecimal",
    "should match",
  ),
  bad("65 policies", nodeState(many(65, (n) => ({ ...assigned, name: `p${n}` }))), "spec.policies", "at most 64 items"),
];

const given = { range: "49152-65535", policy: "workers" };
export const podRangeSamples: readonly Sample[] = [
  good("a range for pods", podRange(given)),
  bad("a range for pods by another name", podRange(given, "other"), "metadata.name", "must be cluster"),
  bad(
    "a range for pods without a policy",
    podRange({ range: "49152-65535" }),
    "spec.policy",
    "is required",
    "Required value",
  ),
  bad("no range for pods", podRange({ policy: "workers" }), "spec.range", "is required", "Required value"),
  bad(
    "a range for pods of privileged ports",
    podRange({ ...given, range: "1023-65535" }),
    "spec.range",
    "must start at 1024 or above",
  ),
  bad(
    "a range for pods with a blank",
    podRange({ ...given, range: "49152 65535" }),
    "spec.range",
    "must be two ports",
    "should match",
  ),
  bad("a word too much for pods", podRange({ ...given, persist: true }), "spec.persist", "unknown field"),
];
