/** Policies for these tests: through the API's own parser, so that defaults are filled in and nothing invalid slips in. */
import fc from "fast-check";
import { AUTOMATIC_LEVELS, LEVELS } from "../../../src/api/audit.ts";
import { DEFAULT_ACTIONS } from "../../../src/api/direction.ts";
import { parsePolicy } from "../../../src/api/parse.ts";
import type { PortHardeningPolicy } from "../../../src/api/policy.ts";
import { compile } from "../../../src/plan/compile.ts";
import { assign } from "../../../src/plan/plan-hash.ts";
import type { LabelSelector } from "../../../src/plan/select.ts";
import { nodeSelectorHash, selectedNodesGroup } from "../../../src/plan/selected-nodes.ts";
import type { AssignedPolicy, GroupAddresses, Plan } from "../../../src/plan/types.ts";

export const node = { name: "node-1", labels: { role: "worker" } };
const options = { allowedSysctls: ["net.ipv4.*", "net.core.*"] };

export function policy(spec: object, name = "workers"): PortHardeningPolicy {
  return parsePolicy({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name, uid: `uid-of-${name}` },
    spec: { mode: "Enforce", ...spec },
  });
}

/** The plan of a policy that selects `node`. */
export function planOf(spec: object, name?: string): Plan {
  const plan = compile(policy(spec, name), node, options);
  if (plan === undefined) throw new Error("the policy does not select the node of these tests");
  return plan;
}

export function assigned(spec: object, name?: string): AssignedPolicy {
  return assign(policy(spec, name), planOf(spec, name));
}

export function group(name: string, addresses: readonly string[], labels: Record<string, string> = {}): GroupAddresses {
  return { name, labels, addresses };
}

/** The same with every list and every object's keys turned round. */
export function turned<T>(value: T): T;
export function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => turned(item)).toReversed();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, turned(member)]),
  );
}

const port = fc.integer({ min: 1024, max: 65535 });
const ports = fc.array(
  fc.oneof(
    port,
    fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  ),
  { minLength: 1, maxLength: 4 },
);
const protocols = fc.constantFrom(["TCP"], ["UDP"], ["TCP", "UDP"], ["SCTP"]);
const patterns = fc.uniqueArray(fc.constantFrom("eth0", "eth+", "eth1", "bond0", "bond+"), { minLength: 1 });
const interfaces = fc.record({ include: patterns, exclude: patterns }, { requiredKeys: [] });

const ipBlock = fc.constantFrom(
  { cidr: "198.51.100.0/24", except: ["198.51.100.64/26", "198.51.100.1/32"] },
  { cidr: "198.51.100.0/25" },
  { cidr: "203.0.113.7/32" },
  { cidr: "0.0.0.0/0" },
  { cidr: "2001:db8::/32", except: ["2001:db8:bad::/48"] },
  { cidr: "::/0" },
);
const addressGroup = fc.constantFrom(
  { name: "blocklist" },
  { name: "missing" },
  { selector: { matchLabels: { list: "partners" } } },
  {
    selector: {
      matchExpressions: [
        { key: "list", operator: "In", values: ["partners", "offices"] },
        { key: "off", operator: "DoesNotExist" },
      ],
    },
  },
);
const nodeSelector = fc.constantFrom(
  {},
  { matchLabels: { role: "monitoring" } },
  { matchExpressions: [{ key: "zone", operator: "In", values: ["b", "a"] }] },
);
const peer = fc.oneof(
  ipBlock.map((block) => ({ ipBlock: block })),
  addressGroup.map((ref) => ({ addressGroup: ref })),
  nodeSelector.map((nodes) => ({ nodes })),
);
const peers = fc.array(peer, { minLength: 1, maxLength: 4 });
const entryName = fc.constantFrom("a", "b", "c", "d");
const entries = fc.uniqueArray(
  fc.record({ name: entryName, from: peers, ports, protocols }, { requiredKeys: ["name"] }),
  { selector: ({ name }) => name },
);
const outboundEntries = fc.uniqueArray(
  fc.record({ name: entryName, to: peers, ports, protocols }, { requiredKeys: ["name"] }),
  { selector: ({ name }) => name },
);
const measure = fc.oneof(
  fc.record({
    newConnections: fc.record({
      limit: fc.integer({ min: 1, max: 10 }),
      per: fc.constantFrom("Second", "Minute"),
      burst: fc.integer({ min: 1, max: 10 }),
    }),
  }),
  fc.record({ maxConcurrent: fc.integer({ min: 1, max: 10 }) }),
);
const source = fc.oneof(
  fc.record({ scope: fc.constantFrom("PerSource", "Total") }, { requiredKeys: [] }),
  fc.record({
    prefixLength: fc.record({ ipv4: fc.constantFrom(24, 32), ipv6: fc.constantFrom(48, 128) }, { requiredKeys: [] }),
  }),
);
/** All protocols, as an entry may name any of them. */
const scope = {
  protocols: fc.constant(["TCP", "UDP", "SCTP"]),
  interfaces,
  trustCluster: fc.boolean(),
  defaultAction: fc.constantFrom(...DEFAULT_ACTIONS),
};
const limits = fc.uniqueArray(
  fc
    .tuple(
      fc.record(
        { name: entryName, ports, protocols, interfaces, exempt: fc.array(peer, { maxLength: 3 }) },
        { requiredKeys: ["name"] },
      ),
      measure,
      source,
    )
    .map(([traffic, counted, by]) => ({ ...traffic, ...counted, ...by })),
  { selector: ({ name }) => name },
);

const monitoring = fc.record(
  {
    listeners: fc.record(
      {
        expected: fc.array(
          fc.record(
            { port: fc.constantFrom(9100, "9100", "9000-9200", 443), process: fc.constantFrom("nginx", "envoy") },
            { requiredKeys: ["port"] },
          ),
          { maxLength: 3 },
        ),
        unexpected: fc.constantFrom("Report", "Ignore"),
      },
      { requiredKeys: [] },
    ),
    dropLog: fc.record({ perMinute: fc.constantFrom(1, 30) }),
  },
  { requiredKeys: [] },
);
const level = fc.constantFrom(...LEVELS);
const audit = fc.record(
  {
    schedule: fc.constantFrom("0 3 * * *", "0 4 * * MON", "*/30 * * * *"),
    mandatoryAccessControl: level,
    securityUpdates: fc.record(
      { pending: level, automatic: fc.constantFrom(...AUTOMATIC_LEVELS) },
      { requiredKeys: [] },
    ),
    plaintextProtocols: level,
    skipProbes: fc.array(fc.constantFrom(5432, "5000-6000", "443"), { maxLength: 3 }),
    exposure: level,
  },
  { requiredKeys: [] },
);

/** Any policy spec that the API accepts, of few values, so that policies meet in all of them. */
export const anySpec = fc.record(
  {
    priority: fc.integer({ min: 0, max: 2 }),
    ephemeralPorts: fc.record(
      {
        range: fc.constantFrom("49152-65535", "32768-60999"),
        reserved: fc.uniqueArray(fc.constantFrom(50000, "50001-50010", 50011, 40000)),
        reserveNodePorts: fc.boolean(),
        persist: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    sysctls: fc.dictionary(
      fc.constantFrom("net.ipv4.tcp_syncookies", "net.core.somaxconn", "net.ipv4.tcp_fin_timeout"),
      fc.constantFrom("1", "2"),
    ),
    firewall: fc.record(
      {
        existing: fc.constantFrom("Keep", "Cut"),
        inbound: fc.record({ ...scope, allow: entries, deny: entries }, { requiredKeys: ["protocols"] }),
        outbound: fc.record(
          { ...scope, allow: outboundEntries, deny: outboundEntries },
          { requiredKeys: ["protocols"] },
        ),
      },
      { requiredKeys: [] },
    ),
    rateLimits: limits,
    monitoring,
    audit,
  },
  { requiredKeys: [] },
);

/** Several policies of one node, each with a name of its own. */
export const anyAssigned = fc
  .array(anySpec, { maxLength: 4 })
  .map((specs) => specs.map((spec, index) => assigned(spec, `policy-${index}`)));

/** The addresses of the nodes that a selector matches, as the controller publishes them. */
export function nodesGroup(selector: LabelSelector, addresses: readonly string[]): GroupAddresses {
  return selectedNodesGroup(nodeSelectorHash(selector), 0, addresses);
}

export const someGroups: readonly GroupAddresses[] = [
  nodesGroup({ matchLabels: { role: "monitoring" } }, ["198.18.0.1/32"]),
  nodesGroup({}, ["198.18.0.1/32", "198.18.0.2/32", "2001:db8:18::1/128"]),
  group("blocklist", ["203.0.113.200/32", "198.51.100.0/24", "2001:db8:bad::/48", "0.0.0.0/4"]),
  group("partner-a", ["192.0.2.0/25"], { list: "partners" }),
  group("partner-b", ["192.0.2.128/25", "2001:db8:1::/48"], { list: "partners", off: "true" }),
  group("cluster-nodes-0", ["198.18.0.1/32", "2001:db8:18::1/128"], { "porthardening.io/cluster": "nodes" }),
  group("cluster-apiservers-0", ["198.18.0.9/32"], { "porthardening.io/cluster": "apiservers" }),
  group("cluster-pods-0", ["198.18.64.0/24"], { "porthardening.io/cluster": "pods" }),
  group("cluster-service-cidrs-0", ["198.19.0.0/16"], { "porthardening.io/cluster": "service-cidrs" }),
  group("cluster-vips-0", ["198.19.0.10/32", "192.0.2.200/32"], { "porthardening.io/cluster": "vips" }),
];
