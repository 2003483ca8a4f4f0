import fc from "fast-check";
import { MODES } from "../../../src/api/mode.ts";

/** Ports near the bounds that matter, so that good and bad ones are both common. */
const port = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(1, 22, 1023, 1024, 2047, 2048, 9100, 49152, 65534, 65535) },
  { weight: 1, arbitrary: fc.constantFrom(0, 65536) },
);
/** Mostly the right way round. */
const range = fc
  .tuple(port, port, fc.nat({ max: 9 }))
  .map(([a, b, turned]) => (a < b === turned > 0 ? `${a}-${b}` : `${b}-${a}`));
const ports = fc.array(fc.oneof(port, port.map(String), range), { minLength: 1, maxLength: 2 });
const scope = fc.oneof(fc.constant(["1-65535"]), ports);
const protocols = fc.subarray(["TCP", "UDP", "SCTP"], { minLength: 1 });
/** Of any scope, so that entries lie inside most. */
const everyProtocol = fc.oneof(
  { weight: 4, arbitrary: fc.constant(["TCP", "UDP", "SCTP"]) },
  { weight: 1, arbitrary: protocols },
);

const octet = fc.constantFrom("0", "10", "192", "255", "256", "01");
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
const hextet = fc.constantFrom("", "0", "1", "db8", "ffff", "2001", "12345", "192.0.2.1");
const ipv6 = fc.array(hextet, { minLength: 3, maxLength: 9 }).map((hextets) => hextets.join(":"));
const prefix = fc.constantFrom("0", "8", "24", "32", "33", "64", "96", "128", "08");
const cidr = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(fc.oneof(ipv4, ipv6), prefix).map(([address, bits]) => `${address}/${bits}`) },
  {
    weight: 8,
    arbitrary: fc.constantFrom("0.0.0.0/0", "198.18.0.0/15", "198.18.0.0/24", "2001:db8::/32", "2001:db8::/64"),
  },
);

const label = fc.constantFrom("role", "kubernetes.io/os", "a".repeat(63));
const labelValue = fc.constantFrom("", "worker", "v".repeat(63));
const requirement = fc.oneof(
  fc.record({ key: label, operator: fc.constantFrom("Exists", "DoesNotExist") }),
  fc.record({
    key: label,
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(labelValue, { minLength: 1 }),
  }),
);
const matchLabels = fc.dictionary(label, labelValue, { minKeys: 1, maxKeys: 2 });
const matchExpressions = fc.array(requirement, { minLength: 1, maxLength: 2 });
const selector = fc.oneof(
  fc.record({ matchLabels }),
  fc.record({ matchExpressions }),
  fc.record({ matchLabels, matchExpressions }),
);

const addressGroup = fc.oneof(
  fc.constantFrom("blocklist", "partner-a", "none.of.this", "cluster-nodes-0").map((name) => ({ name })),
  selector.map((one) => ({ selector: one })),
  fc.constant({ selector: { matchLabels: { list: "partners" } } }),
);
/** Blocks with exceptions that lie inside, and any. */
const ipBlock = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(
      { cidr: "198.18.0.0/15", except: ["198.18.0.0/24", "198.19.255.255/32"] },
      { cidr: "0.0.0.0/0", except: ["198.18.0.0/15"] },
      { cidr: "2001:db8::/32", except: ["2001:db8::/64"] },
      { cidr: "::/0" },
      { cidr: "203.0.113.7/32" },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ cidr, except: fc.array(cidr, { maxLength: 1 }) }, { requiredKeys: ["cidr"] }),
  },
);
const peer = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ipBlock }) },
  { weight: 1, arbitrary: fc.record({ addressGroup }) },
  { weight: 1, arbitrary: fc.record({ nodes: selector }) },
);
/** Seldom empty, which is refused of sources and destinations. */
const peers = fc.oneof(
  { weight: 20, arbitrary: fc.array(peer, { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constant([]) },
);

const longest = "interface-fifte";
const patterns = fc.uniqueArray(fc.constantFrom("eth0", "eth+", "e+", "cali+", "wg0", longest), {
  minLength: 1,
  maxLength: 3,
});
const interfaces = fc.record({ include: patterns, exclude: patterns }, { requiredKeys: [] });

const name = fc.constantFrom("a", "b", "c-d", "default", "n".repeat(63));

function entries(field: "from" | "to") {
  const entry = fc.record({ name, [field]: peers, ports, protocols }, { requiredKeys: ["name"] });
  const inside = fc.record({ name, [field]: peers }, { requiredKeys: ["name"] });
  const some = fc.oneof({ weight: 1, arbitrary: entry }, { weight: 3, arbitrary: inside });
  return fc.array(some, { maxLength: 2 });
}

function direction(field: "from" | "to") {
  const parts = {
    ports: scope,
    protocols: everyProtocol,
    interfaces,
    trustCluster: fc.boolean(),
    allow: entries(field),
    deny: entries(field),
    defaultAction: fc.constantFrom("Drop", "Reject", "Allow"),
  };
  return fc.record(parts, { requiredKeys: [] });
}

const newConnections = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ limit: 10, per: "Minute", burst: 20 }) },
  {
    weight: 2,
    arbitrary: fc.record({
      limit: fc.constantFrom(1, 10, 1000, 10000),
      per: fc.constantFrom("Second", "Minute", "Hour", "Day"),
      burst: fc.constantFrom(1, 5, 24, 25, 240, 10000),
    }),
  },
);
const limit = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ newConnections }) },
      { weight: 6, arbitrary: fc.record({ maxConcurrent: fc.constantFrom(1, 100, 10000, 10000, 0) }) },
      { weight: 1, arbitrary: fc.record({ newConnections, maxConcurrent: fc.constant(1) }) },
    ),
    fc.record({ ports, protocols, interfaces, exempt: peers }, { requiredKeys: [] }),
    fc.record(
      {
        scope: fc.constantFrom("PerSource", "Total"),
        prefixLength: fc.record(
          { ipv4: fc.constantFrom(1, 24, 32), ipv6: fc.constantFrom(1, 64, 128) },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([measure, traffic, sources]) => ({ name: "limit", ...measure, ...traffic, ...sources }));

const sysctls = fc.dictionary(
  fc.constantFrom("net.ipv4.tcp_syncookies", "net.core.somaxconn", "kernel.core_pattern"),
  fc.constantFrom("1", "4096 131072", '|"$(x)"'),
);

const process = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom("nginx", "tmux: server", "p".repeat(255)) },
  { weight: 1, arbitrary: fc.constantFrom("", " nginx", "nginx\n", "p".repeat(256), "ｎginx") },
);
/** Mostly good, as ranges are not what this is about. */
const somePort = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(53, "9100", "1024-65535") }, port, range);
const expected = fc.record({ port: somePort, process }, { requiredKeys: ["port"] });
const monitoring = fc.record(
  {
    listeners: fc.record(
      { expected: fc.array(expected, { maxLength: 2 }), unexpected: fc.constantFrom("Report", "Ignore") },
      { requiredKeys: [] },
    ),
    dropLog: fc.record({
      perMinute: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(1, 30, 6000) },
        { weight: 1, arbitrary: fc.constantFrom(0, 6001) },
      ),
    }),
  },
  { requiredKeys: [] },
);

const level = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom("Required", "Report", "Ignore", null) },
  { weight: 1, arbitrary: fc.constantFrom("Ensure", "report") },
);
const audit = fc.record(
  {
    // Those of the right form mean something too, as what is accepted is compiled.
    schedule: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom("0 3 * * *", "*/15 0-6 1,15 JAN-jun MON-FRI", null) },
      { weight: 1, arbitrary: fc.constantFrom("0 3 * *", "@daily", " 0 3 * * *", "0 3 * * *\n") },
    ),
    mandatoryAccessControl: level,
    securityUpdates: fc.record(
      { pending: level, automatic: fc.oneof(level, fc.constant("Ensure")) },
      { requiredKeys: [] },
    ),
    plaintextProtocols: level,
    skipProbes: fc.array(somePort, { maxLength: 2 }),
    exposure: level,
  },
  { requiredKeys: [] },
);

/** Policies of the whole language, of which many are refused, each for few reasons. */
export const arbitraryPolicy = fc
  .record(
    {
      ephemeralPorts: fc.record(
        {
          range: fc.oneof({ weight: 9, arbitrary: fc.constant("2048-49152") }, { weight: 1, arbitrary: range }),
          reserved: ports,
          persist: fc.boolean(),
          reserveNodePorts: fc.boolean(),
          pods: fc.constantFrom("Ignore", "Ignore", "Inject"),
        },
        { requiredKeys: [] },
      ),
      firewall: fc.record({ inbound: direction("from"), outbound: direction("to") }, { requiredKeys: [] }),
      rateLimits: fc.tuple(limit),
      monitoring,
      audit,
      priority: fc.constantFrom(-1, 0, 1),
      nodeSelector: selector,
      sysctls,
      mode: fc.constantFrom(...MODES),
    },
    { requiredKeys: ["mode"] },
  )
  .map((spec) => ({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "generated" },
    spec,
  }));
