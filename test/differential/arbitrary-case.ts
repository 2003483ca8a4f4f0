import fc from "fast-check";
import { arbitraryShot } from "./arbitrary-shot.ts";
import { POD_CIDRS, type ProtocolName, SERVICES } from "./places.ts";
import type { Direction, Entry, Group, Peer, Policy, RateLimit, Selector } from "./policy-shape.ts";
import type { Shot } from "./shot.ts";
import type { World } from "./world-facts.ts";

/** Blocks that cut through the addresses of senders and destinations in every way. */
const BLOCKS = [
  { cidr: "203.0.113.0/24" },
  { cidr: "203.0.113.0/24", except: ["203.0.113.64/26"] },
  { cidr: "203.0.113.64/26", except: ["203.0.113.70/32"] },
  { cidr: "203.0.113.7/32" },
  { cidr: "198.51.100.0/24" },
  { cidr: "192.0.2.0/24", except: ["192.0.2.128/25", "192.0.2.8/32"] },
  { cidr: "192.0.2.128/25" },
  { cidr: "198.18.0.0/15", except: ["198.19.2.0/24"] },
  { cidr: "198.18.0.12/32" },
  { cidr: "198.19.1.0/24" },
  { cidr: "0.0.0.0/0" },
  { cidr: "0.0.0.0/0", except: ["128.0.0.0/1"] },
  { cidr: "0.0.0.0/0", except: ["198.51.100.9/32"] },
  { cidr: "::/0" },
  { cidr: "::/0", except: ["2001:db8:113::/48"] },
  { cidr: "2001:db8:113::/64" },
  { cidr: "2001:db8:113::7/128" },
  { cidr: "2001:db8::/32", except: ["2001:db8:2::/47", "2001:db8:19::/48"] },
  { cidr: "2001:db8:18::/64" },
];

/** An object whose members are there with these probabilities in percent; it shrinks towards fewer. */
function sparse<T extends object>(
  members: { readonly [K in keyof T]-?: readonly [percent: number, value: fc.Arbitrary<Exclude<T[K], undefined>>] },
): fc.Arbitrary<T> {
  const arbitraries = Object.entries<readonly [number, fc.Arbitrary<unknown>]>(members).map(
    ([key, [percent, value]]) => {
      const absent = { weight: 100 - percent, arbitrary: fc.constant([]) };
      return fc.oneof(absent, { weight: percent, arbitrary: value.map((one) => [[key, one]]) });
    },
  );
  return fc.tuple(...arbitraries).map((parts) => Object.fromEntries(parts.flat()) as T);
}

const peer = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...BLOCKS).map((ipBlock) => ({ ipBlock })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        { name: "listed" },
        { name: "wide" },
        { name: "missing" },
        // The cluster's own groups are nobody's to name.
        { name: "cluster-nodes-0" },
        { selector: { matchLabels: { list: "a" } } },
        { selector: { matchExpressions: [{ key: "list", operator: "In" as const, values: ["a", "b"] }] } },
        { selector: { matchExpressions: [{ key: "list", operator: "NotIn" as const, values: ["a"] }] } },
        {
          selector: {
            matchLabels: { list: "b" },
            matchExpressions: [{ key: "off", operator: "DoesNotExist" as const }],
          },
        },
      )
      .map((addressGroup) => ({ addressGroup })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<Selector[]>(
        {},
        { matchLabels: { role: "edge" } },
        { matchLabels: { role: "nobody" } },
        { matchExpressions: [{ key: "zone", operator: "Exists" }] },
        { matchLabels: { role: "edge" }, matchExpressions: [{ key: "zone", operator: "NotIn", values: ["b"] }] },
      )
      .map((nodes) => ({ nodes })),
  },
);

const PORTS = [
  "22 53 80 443 1024 8443 9100 30080 30090 65535",
  "1-1023 1024-65535 2000-9000 8080-8443 30000-32767 1-65535 10000-30000",
].flatMap((line) => line.split(" "));
const ports = fc.uniqueArray(fc.constantFrom<(number | string)[]>(...PORTS, 8443, 22), { minLength: 1, maxLength: 4 });
/** More than the 15 slots of one multiport. */
const manyPorts = fc.constant([
  ...Array.from({ length: 14 }, (_, index) => `${1000 + 600 * index}-${1500 + 600 * index}`),
  9100,
  30090,
]);
const protocols = fc.constantFrom<readonly ProtocolName[]>(
  ["TCP"],
  ["UDP"],
  ["SCTP"],
  ["TCP", "SCTP"],
  ["UDP", "SCTP"],
  ["TCP", "UDP", "SCTP"],
);
const patterns = fc.uniqueArray(fc.constantFrom("eth0", "eth9", "eth+", "wan0", "wan+", "cali+", "e+"), {
  minLength: 1,
  maxLength: 3,
});
const interfaces = fc.record({ include: patterns, exclude: patterns }, { requiredKeys: [] });

const entriesWith = (field: "from" | "to") =>
  fc.uniqueArray(
    sparse<Omit<Entry, "from" | "to"> & { readonly peers?: readonly Peer[] }>({
      name: [100, fc.constantFrom("a", "b", "default", "d")],
      peers: [92, fc.array(peer, { minLength: 1, maxLength: 3 })],
      ports: [40, ports],
      protocols: [25, protocols],
    }).map(({ peers, ...entry }): Entry => ({ ...entry, ...(peers === undefined ? {} : { [field]: peers }) })),
    { selector: ({ name }) => name, maxLength: 3 },
  );

const wideScope = fc.constantFrom<(number | string)[]>(["1-65535"], ["1-8443", "8444-65535"], ["80", "1000-65535"]);
const directionWith = (entries: fc.Arbitrary<Entry[]>): fc.Arbitrary<Direction> =>
  sparse<Direction>({
    ports: [
      75,
      fc.oneof(
        { weight: 6, arbitrary: wideScope },
        { weight: 2, arbitrary: ports },
        { weight: 2, arbitrary: manyPorts },
      ),
    ],
    protocols: [40, protocols],
    interfaces: [20, interfaces],
    trustCluster: [60, fc.boolean()],
    allow: [60, entries],
    deny: [40, entries],
    defaultAction: [
      70,
      fc.constantFrom<("Drop" | "Reject" | "Allow")[]>("Drop", "Reject", "Reject", "Reject", "Allow"),
    ],
  }).map(insideScope);

const firewall = sparse<NonNullable<Policy["spec"]["firewall"]>>({
  inbound: [80, directionWith(entriesWith("from"))],
  outbound: [70, directionWith(entriesWith("to"))],
});

/** Never exceeded by so few packets: a limit is to be named, not to be met. */
const measure = fc.constantFrom<Pick<RateLimit, "newConnections" | "maxConcurrent">>(
  { newConnections: { limit: 10_000, per: "Second", burst: 10_000 } },
  { maxConcurrent: 10_000 },
);
const limited = sparse<Omit<RateLimit, "newConnections" | "maxConcurrent">>({
  name: [100, fc.constantFrom("a", "b")],
  ports: [50, ports],
  protocols: [50, protocols],
  interfaces: [30, interfaces],
  exempt: [40, fc.array(peer, { minLength: 1, maxLength: 2 })],
});
const rateLimits = fc.uniqueArray(
  fc.tuple(limited, measure).map(([limit, counts]): RateLimit => ({ ...limit, ...counts })),
  { selector: ({ name }) => name, maxLength: 2 },
);

const nodeSelector = fc.constantFrom<Selector>(
  { matchLabels: { role: "worker" } },
  { matchLabels: { role: "worker" }, matchExpressions: [{ key: "zone", operator: "Exists" }] },
  { matchExpressions: [{ key: "role", operator: "NotIn", values: ["control-plane"] }] },
);

const spec = sparse<Policy["spec"]>({
  priority: [30, fc.integer({ min: 0, max: 2 })],
  nodeSelector: [20, nodeSelector],
  firewall: [95, firewall],
  rateLimits: [40, rateLimits],
  monitoring: [50, fc.constant({ dropLog: { perMinute: 60 } })],
});

const policies: fc.Arbitrary<Policy[]> = fc
  .array(spec, { minLength: 1, maxLength: 4 })
  .map((specs) => specs.map((it, index) => ({ metadata: { name: `policy-${index}` }, spec: it })));

const groups: fc.Arbitrary<Group[]> = fc
  .record({
    listed: fc.subarray(["203.0.113.7/32", "192.0.2.0/25", "198.19.0.0/16", "2001:db8:51::/48", "2001:db8:3::7/128"]),
    wide: fc.constantFrom<string[]>(["192.0.0.0/4"], ["0.0.0.0/0", "::/0"], ["2000::/3", "198.0.0.0/8"]),
    third: fc.subarray(["198.51.100.0/24", "2001:db8:113::/64", "198.18.0.12/32"]),
  })
  .map(({ listed, wide, third }) => [
    { name: "listed", labels: { list: "a" }, addresses: listed },
    { name: "wide", labels: { list: "b" }, addresses: wide },
    { name: "third", labels: { list: "b", off: "yes" }, addresses: third },
  ]);

const world: fc.Arbitrary<World> = fc.record({
  nodeLabels: fc.constant({ role: "worker" }),
  nodes: fc.subarray(["198.18.0.12/32", "2001:db8:18::12/128", "192.0.2.8/32"]),
  members: fc.subarray([
    { name: "one", labels: { role: "edge" }, addresses: ["203.0.113.7", "2001:db8:113::7"] },
    { name: "two", labels: { role: "edge", zone: "a" }, addresses: ["192.0.2.7", "192.0.2.8"] },
    { name: "three", labels: { zone: "b" }, addresses: ["198.18.0.12", "2001:db8:18::12", "2001:db8:2::7"] },
  ]),
  apiservers: fc.subarray(["203.0.113.70/32", "2001:db8:113::7/128"]),
  pods: fc.subarray(POD_CIDRS),
  vips: fc.subarray([SERVICES.vip, SERVICES.hostVip].flatMap((it) => [`${it[4]}/32`, `${it[6]}/128`])),
  serviceCidrs: fc.subarray([SERVICES.cidr[4], SERVICES.cidr[6]]),
  podsOnUplink: fc.boolean(),
  groups,
});

/** Policies, the world that they meet, and what is sent to them. */
export interface Case {
  readonly policies: readonly Policy[];
  readonly world: World;
  readonly shots: readonly Shot[];
}

/** What fails says which shots disagree: so only policies and world shrink, and only they are printed. */
export function arbitraryCase(shots: number): fc.Arbitrary<Case> {
  const many = fc.noShrink(fc.array(arbitraryShot, { minLength: shots, maxLength: shots }));
  return fc.record({ policies, world, shots: many }).map((one) => ({
    ...one,
    [fc.toStringMethod]: () => JSON.stringify({ policies: one.policies, world: one.world }),
  }));
}

/** Entries keep the ports and protocols that lie inside the scope: others are refused at admission. */
function insideScope(scope: Direction): Direction {
  const scopePorts = scope.ports ?? ["1024-65535"];
  const fit = ({ ports: own, protocols: asked, ...entry }: Entry): Entry => {
    const inside = own?.filter((port) => scopePorts.some((outer) => covers(outer, port))) ?? [];
    const common = asked?.filter((protocol) => (scope.protocols ?? ["TCP", "UDP"]).includes(protocol)) ?? [];
    return {
      ...entry,
      ...(inside.length === 0 ? {} : { ports: inside }),
      ...(common.length === 0 ? {} : { protocols: common }),
    };
  };
  return {
    ...scope,
    ...(scope.allow === undefined ? {} : { allow: scope.allow.map(fit) }),
    ...(scope.deny === undefined ? {} : { deny: scope.deny.map(fit) }),
  };
}

function covers(outer: number | string, inner: number | string): boolean {
  const bounds = (port: number | string): [number, number] => {
    const [from = 0, to = from] = String(port).split("-").map(Number);
    return [from, to];
  };
  return bounds(outer)[0] <= bounds(inner)[0] && bounds(inner)[1] <= bounds(outer)[1];
}
