import { many } from "../unit/api/objects/sample.ts";

/** What the API server takes at all: etcd's bound of 1.5 MiB an object (--max-request-bytes), less some. */
const MAX_BYTES = 1_400_000;
const LABEL = "v".repeat(63);

const policy = (name: string, spec: object) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name },
  spec: { mode: "Enforce", ...spec },
});

const ports = many(16, (n) => `${10_000 + 100 * n}-${10_000 + 100 * n + 50}`);
const protocols = ["TCP", "UDP", "SCTP"];
const interfaces = {
  include: many(16, (n) => `interface${n}+`),
  exclude: many(16, (n) => `interface${n}x`),
};
const scope = { ports, protocols, interfaces, trustCluster: false, defaultAction: "Reject" };
const selector = {
  matchLabels: Object.fromEntries(many(32, (n) => [`${"p".repeat(60)}.example/label-${n}`, LABEL])),
  matchExpressions: many(32, (n) => ({ key: `label-${n}`, operator: "In", values: many(8, () => LABEL) })),
};

const hex = (n: number) => n.toString(16).padStart(4, "0");
/** Of 2001:db8::/32, as long as text can be. */
const block = (n: number, exceptions: number) => ({
  cidr: `2001:db8:${hex(n)}:8000:8000:8000:8000:0/112`,
  except: many(exceptions, (x) => `2001:db8:${hex(n)}:8000:8000:8000:8000:${(x + 1).toString(16)}/128`),
});

type Peer = (entry: number, peer: number) => object;

/** Every list of both directions at its maximum; what the peers are made of is given. */
function firewall(peer: Peer): object {
  const entries = (list: number, field: "from" | "to") =>
    many(64, (n) => ({
      name: `entry-${n}`.padEnd(63, "x"),
      [field]: many(16, (p) => peer(64 * list + n, p)),
      ports,
      protocols,
    }));
  return {
    inbound: { ...scope, allow: entries(0, "from"), deny: entries(1, "from") },
    outbound: { ...scope, allow: entries(2, "to"), deny: entries(3, "to") },
  };
}

/** Peers of one kind get few parts, and the first entries as many as they may have, as long as the whole fits. */
function filled(name: string, small: Peer, large: Peer): object {
  const make = (full: number) =>
    policy(name, { firewall: firewall((entry, peer) => (entry < full ? large : small)(entry, peer)) });
  const size = (full: number) => JSON.stringify(make(full)).length;
  const [bare, one] = [size(0), size(1)];
  return make(Math.max(1, Math.floor((MAX_BYTES - bare) / (one - bare))));
}

const measure = { newConnections: { limit: 10_000, per: "Second", burst: 10_000 } };

/** Policies that fill every list, as far as an object may be large at all. */
export const largestPolicies = {
  /** Blocks and exceptions in both directions. */
  blocks: filled(
    "blocks",
    (entry, peer) => ({ ipBlock: block(16 * entry + peer, 1) }),
    (entry, peer) => ({ ipBlock: block(16 * entry + peer, 64) }),
  ),
  /** Address groups and nodes by label in both directions. */
  groups: filled(
    "groups",
    () => ({ addressGroup: { selector: { matchLabels: { list: LABEL } } } }),
    (_, peer) => (peer % 2 === 0 ? { addressGroup: { selector } } : { nodes: selector }),
  ),
  /** Limits, settings and selectors. */
  limits: policy("limits", {
    nodeSelector: selector,
    ephemeralPorts: { range: "32768-65535", reserved: many(64, (n) => `${40_000 + 2 * n}-${40_001 + 2 * n}`) },
    sysctls: Object.fromEntries(many(64, (n) => [`net.${"x".repeat(121)}${n + 10}`, "1".repeat(128)])),
    rateLimits: many(16, (n) => ({
      name: `limit-${n}`.padEnd(63, "x"),
      ports,
      protocols,
      interfaces,
      prefixLength: { ipv4: 32, ipv6: 128 },
      exempt: many(16, (p) => ({ ipBlock: block(16 * n + p, 64) })),
      ...measure,
    })),
  }),
  /** What is watched and audited. */
  audits: policy("audits", {
    firewall: { inbound: scope },
    monitoring: {
      listeners: { expected: many(64, (n) => ({ port: `${10_000 + n}-${20_000 + n}`, process: "p".repeat(255) })) },
      dropLog: { perMinute: 6000 },
    },
    audit: {
      schedule: `${"0,".repeat(59)}59 3 * * *`.padStart(128, "0"),
      mandatoryAccessControl: "Required",
      securityUpdates: { pending: "Required", automatic: "Ensure" },
      plaintextProtocols: "Required",
      skipProbes: many(64, (n) => `${10_000 + 100 * n}-${10_050 + 100 * n}`),
      exposure: "Required",
    },
  }),
};

/** The largest address group. */
export const largestGroup = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningAddressGroup",
  metadata: { name: "largest" },
  spec: { addresses: many(2000, (n) => block(n, 0).cidr) },
};
