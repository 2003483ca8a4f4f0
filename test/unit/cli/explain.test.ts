import { describe, expect, it } from "vitest";
import { parseAddressGroup } from "../../../src/api/parse.ts";
import { explain, explanationText } from "../../../src/cli/explanation.ts";
import { nodeRules } from "../../../src/cli/node-rules.ts";
import { parsePacket } from "../../../src/cli/packet-text.ts";
import { policy } from "../plan/policies.ts";

const workers = policy({
  firewall: {
    inbound: {
      ports: ["1-65535"],
      interfaces: { exclude: ["eth9"] },
      allow: [{ name: "default", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }],
      deny: [{ name: "bad", from: [{ ipBlock: { cidr: "203.0.113.128/25" } }] }],
    },
  },
  rateLimits: [{ name: "slow", ports: [9100], newConnections: { limit: 10, per: "Minute", burst: 20 } }],
});
const cluster = [
  ["nodes", "198.18.0.12/32"],
  ["vips", "198.19.240.10/32"],
].map(([role = "", cidr]) =>
  parseAddressGroup({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningAddressGroup",
    metadata: { name: `cluster-${role}-0`, labels: { "porthardening.io/cluster": role } },
    spec: { addresses: [cidr] },
  }),
);
const { plan, ruleSet } = nodeRules([workers], cluster, { name: "node", labels: {} });

function says(packet: string): string {
  return explanationText(explain(parsePacket(packet), plan, ruleSet)).split("\n")[0] ?? "";
}

describe("explain", () => {
  it.each([
    ["tcp 203.0.113.9 -> :8443 in eth0", 'passed: policy workers, allow "default"'],
    ["tcp 203.0.113.9 -> :9100 in eth0", 'passed, but may be limited: policy workers, allow "default"'],
    ["tcp 203.0.113.200 -> :8443 in eth0", 'dropped: policy workers, deny "bad"'],
    [
      "udp 198.51.100.1 -> :8443 in eth0",
      "dropped: policy workers judges this port, and no allow of any policy covers it (defaultAction Drop)",
    ],
    [
      "tcp 198.51.100.1 -> :22 in eth0",
      'passed: failsafe "ssh" is open to everybody before any policy, so that nobody is locked out',
    ],
    [
      "tcp 198.18.0.12 -> :10250 in eth0",
      'passed: failsafe "kubelet" is open to nodes and API endpoints before any policy, so that nobody is locked out',
    ],
    ["tcp 198.18.0.12 -> :8443 in eth0", "passed: it comes from the trusted cluster (trustCluster)"],
    ["tcp 198.51.100.1 -> :8443 in eth9", "passed: no policy has this port, protocol and interface in scope"],
    ["tcp 198.51.100.1 -> :8443 in lo", "passed: loopback is never judged"],
    ["tcp [2001:db8::1] -> :8443 in eth0", expect.stringMatching(/^dropped: policy workers judges this port/)],
  ])("%s", (packet, words) => {
    expect(says(packet)).toEqual(words);
  });

  it("does not take what no interface brings in scope for trusted", () => {
    const nowhere = policy({ firewall: { inbound: { interfaces: { include: ["eth0"], exclude: ["eth+"] } } } });
    const rules = nodeRules([nowhere], cluster, { name: "node", labels: {} });
    const asked = parsePacket("tcp 198.51.100.1 -> :8443 in eth0");
    expect(explain(asked, rules.plan, rules.ruleSet).reason).toBe(
      "no policy has this port, protocol and interface in scope",
    );
  });

  it("shows the deciding rule, and the limit in words", () => {
    const text = explanationText(explain(parsePacket("tcp 203.0.113.9 -> :9100 in eth0"), plan, ruleSet));
    expect(text).toMatch(/^rule: PH-J: -p tcp .*"workers\/default\/[0-9a-f]{8}" -g PH-L$/m);
    expect(text).toMatch(
      /^limit: policy workers, limit "slow": more than 10 new connections a minute \(after a first 20\) of one source/m,
    );
  });

  it("tells how it took the destination", () => {
    const notes = (packet: string) => explain(parsePacket(packet), plan, ruleSet).notes;
    expect(notes("tcp 203.0.113.9 -> 198.18.0.11:8443 in eth0")).toEqual([
      expect.stringMatching(/an address of the node itself/),
    ]);
    expect(notes("tcp 203.0.113.9 -> 198.19.240.10:8443 in eth0")).toEqual([
      expect.stringMatching(/is a service address/),
    ]);
    expect(notes("udp 203.0.113.9 -> 224.0.0.251:5353 in eth0")).toEqual([]);
    expect(says("udp 198.51.100.1 -> 224.0.0.251:5353 in eth0")).toMatch(/^dropped/);
    expect(says("tcp 198.51.100.1 -> 224.0.0.251:5353 in eth0")).toMatch(/^passed: it does not open a connection/);
  });
});

describe("nodeRules", () => {
  it("refuses to speak of a node that no policy selects: everything would seem to pass", () => {
    const elsewhere = policy({ nodeSelector: { matchLabels: { role: "edge" } }, firewall: { inbound: {} } });
    expect(() => nodeRules([elsewhere], [], { name: "node", labels: {} })).toThrow(/--node-labels key=value/);
    expect(nodeRules([elsewhere], [], { name: "node", labels: { role: "edge" } }).plan.inbound).toHaveLength(1);
    expect(nodeRules([elsewhere, workers], cluster, { name: "node", labels: {} }).notes).toEqual([
      expect.stringMatching(/policy workers is left out|nodeSelector does not select/),
    ]);
  });

  it("says that the cluster's own addresses are not known from files alone", () => {
    expect(nodeRules([workers], [], { name: "node", labels: {} }).notes).toEqual([
      expect.stringMatching(/nodes and pods count as strangers/),
    ]);
  });
});
