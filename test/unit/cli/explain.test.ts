import { describe, expect, it } from "vitest";
import { parseAddressGroup } from "../../../src/api/parse.ts";
import { explain, explanationJson, explanationText } from "../../../src/cli/explanation.ts";
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
  ["pods", "198.19.0.0/16"],
  ["service-cidrs", "198.19.240.0/20"],
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
const node = { name: "node", labels: {} };
const { plan, ruleSet } = nodeRules([workers], cluster, node);

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
    [
      "tcp 198.18.0.12 -> :8443 in eth0",
      "passed: it comes from the trusted cluster: a node or API endpoint (trustCluster)",
    ],
    ["tcp 198.51.100.1 -> :8443 in eth9", "passed: no policy has this port, protocol and interface in scope"],
    ["tcp 198.51.100.1 -> :8443 in lo", "passed: loopback is never judged"],
    ["tcp 198.19.1.3 -> :8443 in cali2", "passed: it comes from the trusted cluster: a pod (trustCluster)"],
    // A pod's address on the uplink may be spoofed.
    ["tcp 198.19.1.3 -> :8443 in eth0", expect.stringMatching(/^dropped: policy workers judges this port/)],
    ["sctp 198.51.100.1 -> :8443 in eth0", "passed: no policy judges or limits SCTP that comes in here"],
    ["tcp -> 203.0.113.9:8443 out eth0", "passed: no policy judges TCP that leaves here"],
    ["tcp [2001:db8::1] -> :8443 in eth0", expect.stringMatching(/^dropped: policy workers judges this port/)],
  ])("%s", (packet, words) => {
    expect(says(packet)).toEqual(words);
  });

  it("says no more than that to which policies it comes down where several have it in scope", () => {
    const open = policy({ priority: 5, firewall: { inbound: { ports: [8443], defaultAction: "Allow" } } }, "open");
    const rules = nodeRules([workers, open], cluster, node);
    const reason = (text: string) => explain(parsePacket(text), rules.plan, rules.ruleSet).reason;
    expect(reason("tcp 198.51.100.1 -> :8443 in eth0")).toBe(
      "policy open judges this port, and no allow of any policy covers it (defaultAction Allow; it comes before policy workers)",
    );
    expect(reason("tcp 198.51.100.1 -> :8444 in eth0")).toMatch(
      /^policy workers judges this port.*\(defaultAction Drop\)$/,
    );
  });

  it("does not take what no interface brings in scope for trusted", () => {
    const nowhere = policy({ firewall: { inbound: { interfaces: { include: ["eth0"], exclude: ["eth+"] } } } });
    const rules = nodeRules([nowhere], cluster, node);
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
    expect(explain(asked, rules.plan, rules.ruleSet).reason).toBe(
      "it comes from the trusted cluster: a node or API endpoint (trustCluster)",
    );
    expect(rules.notes).toEqual([]);
  });
});

describe("explain, of what the node sends", () => {
  const egress = policy(
    {
      firewall: {
        outbound: {
          ports: ["1-65535"],
          protocols: ["TCP", "UDP", "SCTP"],
          interfaces: { exclude: ["wg0"] },
          allow: [{ name: "web", to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [443] }],
          deny: [{ name: "bad", to: [{ ipBlock: { cidr: "203.0.113.128/25" } }] }],
          defaultAction: "Reject",
        },
      },
    },
    "egress",
  );
  const rules = nodeRules([egress], cluster, node);
  const explained = (text: string) => explain(parsePacket(text), rules.plan, rules.ruleSet);

  it.each([
    ["tcp :0 -> 203.0.113.9:443 out eth0", 'passed: policy egress, allow "web"'],
    ["tcp -> 203.0.113.200:443 out eth0", 'dropped: policy egress, deny "bad"'],
    [
      "sctp 198.18.0.11 -> 203.0.113.9:9999 out eth0",
      "rejected: policy egress judges this port, and no allow of any policy covers it (defaultAction Reject)",
    ],
    [
      "udp -> 198.51.100.1:53 out eth0",
      'passed: failsafe "dns-udp" leads to everybody before any policy, so that the node is not cut off',
    ],
    [
      "tcp -> 198.18.0.12:6443 out eth0",
      'passed: failsafe "api-server" leads to nodes and API endpoints before any policy, so that the node is not cut off',
    ],
    ["tcp -> 198.19.1.3:80 out cali2", "passed: it goes to the trusted cluster: a pod (trustCluster)"],
    [
      "tcp -> 198.18.0.12:9999 out eth0",
      "passed: it goes to the trusted cluster: a node or API endpoint (trustCluster)",
    ],
    ["tcp -> 198.51.100.1:443 out wg0", "passed: no policy has this port, protocol and interface in scope"],
    ["tcp -> 198.51.100.1:443 out lo", "passed: loopback is never judged"],
    ["tcp 203.0.113.9 -> :443 in eth0", "passed: no policy judges or limits TCP that comes in here"],
    ["tcp -> [2001:db8::1]:443 out eth0", expect.stringMatching(/^rejected: policy egress/)],
  ])("%s", (packet, words) => {
    expect(explanationText(explained(packet)).split("\n")[0]).toEqual(words);
  });

  it("says how it took the destination: a service address is judged by what is behind it", () => {
    expect(explained("tcp -> 203.0.113.9:443 out eth0").notes).toEqual([
      expect.stringMatching(/another host's address/),
    ]);
    expect(explained("tcp -> 198.19.240.10:443 out eth0").notes).toEqual([expect.stringMatching(/so ask with that/)]);
  });
});

describe("explain, of limits", () => {
  const limits = policy(
    {
      rateLimits: [
        { name: "standing", ports: [9100], maxConcurrent: 50, scope: "Total" },
        { name: "slow", ports: [22, 9100], newConnections: { limit: 10, per: "Minute", burst: 20 } },
        {
          name: "sparing",
          ports: [9100],
          newConnections: { limit: 1, per: "Day", burst: 1 },
          exempt: [{ ipBlock: { cidr: "203.0.113.0/24" } }],
        },
      ],
    },
    "limits",
  );
  const rules = nodeRules([limits], cluster, node);
  const lines = (text: string) =>
    explanationText(explain(parsePacket(text), rules.plan, rules.ruleSet))
      .split("\n")
      .filter((line) => /^(no )?limit:/.test(line));

  it("names those that count it and what they allow, and those that do not and why", () => {
    expect(lines("tcp 203.0.113.9 -> :9100 in eth0").toSorted()).toEqual([
      'limit: policy limits, limit "slow": more than 10 new connections a minute (after a first 20) of one source (/32, /64) are dropped (newConnections)',
      'limit: policy limits, limit "standing": more than 50 connections at a time in total are dropped (maxConcurrent)',
      'no limit: policy limits, limit "sparing" does not count it: its source is exempt',
    ]);
    expect(lines("udp 203.0.113.9 -> :9100 in eth0")).toEqual([]);
  });

  it("names the trusted cluster and failsafes, which no limit counts", () => {
    expect(lines("tcp 198.18.0.12 -> :9100 in eth0")).toEqual(
      ["slow", "sparing", "standing"].map(
        (name) => `no limit: policy limits, limit "${name}" does not count it: nodes of the trusted cluster are exempt`,
      ),
    );
    expect(lines("tcp 203.0.113.9 -> :22 in eth0")).toEqual([
      'no limit: policy limits, limit "slow" does not count it: failsafes pass before any limit',
    ]);
  });
});

it("prints JSON of one shape whatever was decided, with null for what is not there", () => {
  const shape = (text: string) => {
    const printed = JSON.parse(explanationJson(explain(parsePacket(text), plan, ruleSet)));
    return { members: Object.keys(printed), decision: Object.keys(printed.decidedBy), kind: printed.decidedBy.kind };
  };
  const packets = ["tcp 203.0.113.9 -> :9100 in eth0", "tcp 1.2.3.4 -> :22 in eth0", "tcp -> 203.0.113.9:1 out eth0"];
  const [allow, failsafe, nothing] = packets.map(shape);
  expect(allow?.decision).toEqual("kind policy entry failsafe trusted defaultAction chain rule".split(" "));
  expect(allow?.members).toEqual(
    "packet direction verdict reason decidedBy mayBeLimitedBy notLimitedBy observed notes".split(" "),
  );
  expect([allow?.kind, failsafe?.kind, nothing?.kind]).toEqual(["Allow", "Failsafe", "NothingJudged"]);
  expect(failsafe).toEqual({ ...allow, kind: "Failsafe" });
  expect(nothing).toEqual({ ...allow, kind: "NothingJudged" });
});

describe("nodeRules", () => {
  it("refuses to speak of a node that no policy selects: everything would seem to pass", () => {
    const elsewhere = policy({ nodeSelector: { matchLabels: { role: "edge" } }, firewall: { inbound: {} } });
    expect(() => nodeRules([elsewhere], [], node)).toThrow(/--node-labels key=value/);
    expect(nodeRules([elsewhere], [], { name: "node", labels: { role: "edge" } }).plan.inbound).toHaveLength(1);
    expect(nodeRules([elsewhere, workers], cluster, node).notes).toEqual([
      expect.stringMatching(/policy workers is left out|nodeSelector does not select/),
    ]);
  });

  it("says that the cluster's own addresses are not known from files alone", () => {
    expect(nodeRules([workers], [], node).notes).toEqual([expect.stringMatching(/nodes and pods count as strangers/)]);
  });
});
