import { served } from "../test/lab/operator-cluster.ts";

/** What the demo applies, as a user would write it. */
export const policyName = "workers";

export const groupYaml = `apiVersion: porthardening.io/v1alpha1
kind: PortHardeningAddressGroup
metadata:
  name: blocklist
spec:
  addresses: [203.0.113.66/32, "2001:db8:113::66/128"]
`;

export const policyYaml = `apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata:
  name: ${policyName}
spec:
  nodeSelector:
    matchLabels: {role: worker}
  mode: Enforce
  ephemeralPorts:
    range: "49152-65535"
    reserved: [50000, "50100-50110"]
  firewall:
    inbound:
      allow:
        - name: office
          from:
            - ipBlock: {cidr: 203.0.113.0/24}
            - ipBlock: {cidr: "2001:db8:113::/64"}
          ports: [8443, "30000-32767"]
      deny:
        - name: blocklist
          from: [{addressGroup: {name: blocklist}}]
  rateLimits:
    - name: per-source
      newConnections: {limit: 10, per: Minute, burst: 20}
      exempt: [{ipBlock: {cidr: 203.0.113.30/32}}]
  monitoring:
    listeners:
      # The last two are kubelet's and kube-proxy's, which has no TLS there.
      expected: [{port: ${served.hostPort}, process: node}, {port: ${served.hostUdpPort}}, {port: 10250}, {port: 10256}]
    dropLog: {perMinute: 30}
  audit:
    plaintextProtocols: Required
    skipProbes: [${served.hostPort}, 10256]
    mandatoryAccessControl: Ignore
    securityUpdates: {pending: Ignore, automatic: Ignore}
    exposure: Report
`;

/** Local ports that a firewall in the network, of which nobody thought, does not let through. */
export const unforeseenPorts = { from: 20000, to: 29999 } as const;
export const confirmSeconds = 8;

/** An edit by somebody in a hurry: half of the office is forgotten, and connections of the node come from other ports. */
export const hastyYaml = edited(policyYaml, [
  ["203.0.113.0/24", "203.0.113.128/25"],
  ["49152-65535", `${unforeseenPorts.from}-${unforeseenPorts.to}`],
  ["  firewall:\n", "  firewall:\n    existing: Cut\n"],
  [
    "  mode: Enforce\n",
    `  mode: Enforce\n  rollout:\n    confirmTimeoutSeconds: ${confirmSeconds}\n    canary: {nodeSelector: {matchLabels: {kubernetes.io/hostname: node1}}}\n`,
  ],
]);

function edited(text: string, edits: readonly (readonly [before: string, after: string])[]): string {
  return edits.reduce((yaml, [before, after]) => {
    if (!yaml.includes(before)) throw new Error(`the policy does not say ${before}`);
    return yaml.replace(before, after);
  }, text);
}

/** The outside client's addresses: each plays one part. */
export const sources = {
  office: "203.0.113.7",
  office6: "2001:db8:113::7",
  blocked: "203.0.113.66",
  /** Outside every allow. */
  stranger: "198.51.100.9",
  stranger6: "2001:db8:51::9",
  hasty: "203.0.113.20",
  patient: "203.0.113.21",
  /** In the office, and exempt from the limit: it looks all the time. */
  monitor: "203.0.113.30",
} as const;

export const sourcePrefixes: readonly string[] = Object.values(sources).map((address) =>
  address.includes(":") ? `${address}/64` : `${address}/24`,
);
