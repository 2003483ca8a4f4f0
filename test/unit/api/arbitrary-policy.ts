import fc from "fast-check";

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
const protocols = fc.subarray(["TCP", "UDP"], { minLength: 1 });

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

const entries = fc.array(
  fc.record(
    {
      name: fc.constantFrom("a", "b", "c-d"),
      from: fc.array(
        fc.record({
          ipBlock: fc.record({ cidr, except: fc.array(cidr, { maxLength: 1 }) }, { requiredKeys: ["cidr"] }),
        }),
        // Seldom empty, which is refused.
        { maxLength: 2, size: "max" },
      ),
      ports,
      protocols,
    },
    { requiredKeys: ["name"] },
  ),
  { maxLength: 2 },
);

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
      { weight: 6, arbitrary: fc.record({ maxConcurrent: fc.constantFrom(0, 1, 100, 10000) }) },
      { weight: 1, arbitrary: fc.record({ newConnections, maxConcurrent: fc.constant(1) }) },
    ),
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
  .map(([measure, sources]) => ({ name: "limit", ...measure, ...sources }));

/** Policies of which many are refused, each for few reasons. */
export const arbitraryPolicy = fc
  .record(
    {
      ephemeralPorts: fc.record(
        {
          range: fc.oneof({ weight: 3, arbitrary: fc.constant("2048-49152") }, { weight: 1, arbitrary: range }),
          reserved: ports,
        },
        { requiredKeys: [] },
      ),
      firewall: fc.record({
        inbound: fc.record({ ports: scope, protocols, allow: entries, deny: entries }, { requiredKeys: [] }),
      }),
      rateLimits: fc.tuple(limit),
    },
    { requiredKeys: [] },
  )
  .map((spec) => ({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "generated" },
    spec: { mode: "Enforce", ...spec },
  }));
