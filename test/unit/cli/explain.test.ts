import { describe, expect, it } from "vitest";
import { parseAddressGroup } from "../../../src/api/parse.ts";
import { explain, explanationText } from "../../../src/cli/explanation.ts";
import { parseNodeObject } from "../../../src/cli/node-objects.ts";
import { nodeRules } from "../../../src/cli/node-rules.ts";
import { parsePacket } from "../../../src/cli/packet-text.ts";
import type { NodeFacts } from "../../../src/controller/node-facts.ts";
import { nodesGroup, policy } from "../plan/policies.ts";

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

describe("nodes as peers", () => {
  const monitoring = policy({
    firewall: {
      inbound: {
        trustCluster: false,
        allow: [{ name: "m", from: [{ nodes: { matchLabels: { role: "monitoring" } } }] }],
      },
    },
  });
  const asked = parsePacket("tcp 198.18.0.12 -> :9100 in eth0");
  const nodeFacts = (role: string) =>
    parseNodeObject({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n", labels: { role } },
      status: { addresses: [{ type: "InternalIP", address: "198.18.0.12" }] },
    });
  const explained = (nodes?: readonly NodeFacts[], groups = cluster) => {
    const rules = nodeRules([monitoring], groups, { name: "node", labels: {} }, nodes);
    return { verdict: explain(asked, rules.plan, rules.ruleSet).verdict, notes: rules.notes };
  };

  it("are resolved from Node objects", () => {
    expect(explained([nodeFacts("monitoring")])).toEqual({ verdict: "Passed", notes: [] });
    expect(explained([nodeFacts("edge")])).toEqual({
      verdict: "Dropped",
      notes: [expect.stringMatching(/none of the 1 Node objects given has these labels/)],
    });
  });

  it("are resolved from what the controller published, which wins over Node objects", () => {
    const { name, labels, addresses } = nodesGroup({ matchLabels: { role: "monitoring" } }, ["198.18.0.12/32"]);
    const apiVersion = "porthardening.io/v1alpha1";
    const kind = "PortHardeningAddressGroup";
    const published = parseAddressGroup({ apiVersion, kind, metadata: { name, labels }, spec: { addresses } });
    expect(explained(undefined, [...cluster, published])).toEqual({ verdict: "Passed", notes: [] });
    expect(explained([nodeFacts("edge")], [...cluster, published])).toEqual({ verdict: "Passed", notes: [] });
  });

  it("are said not to be known where neither is there", () => {
    const unknown = expect.stringMatching(/addresses are not known, so it matches nothing/);
    expect(explained([])).toEqual({ verdict: "Dropped", notes: [unknown, expect.stringMatching(/no Node object/)] });
    expect(explained()).toEqual({
      verdict: "Dropped",
      notes: [unknown, expect.stringMatching(/agents keep the rules/)],
    });
  });

  it("and the cluster's own addresses follow from Node objects", () => {
    const rules = nodeRules([workers], [], { name: "node", labels: {} }, [nodeFacts("edge")]);
    expect(explain(asked, rules.plan, rules.ruleSet).reason).toBe("it comes from the trusted cluster (trustCluster)");
    expect(rules.notes).toEqual([]);
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
