import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lintObjects } from "../../../src/cli/lint-objects.ts";
import { parseManifests } from "../../../src/cli/manifest.ts";
import { formatFinding, parseObjects } from "../../../src/cli/objects.ts";
import { parseInstallSettings } from "../../../src/plan/install-settings.ts";
import { objects } from "../api/objects.ts";

function lint(...documents: readonly unknown[]): string[] {
  const text = documents.map((document) => JSON.stringify(document)).join("\n---\n");
  return lintText(text);
}

function lintText(text: string): string[] {
  return lintObjects(parseObjects(parseManifests("f.yaml", text).manifests)).map(formatFinding);
}

function policy(spec: object, name = "workers"): object {
  return {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name },
    spec: { mode: "Enforce", ...spec },
  };
}

function inbound(members: object): object {
  return policy({ firewall: { inbound: members } });
}

function group(name: string, addresses: readonly string[], labels: Record<string, string> = {}): object {
  const kind = "PortHardeningAddressGroup";
  return { apiVersion: "porthardening.io/v1alpha1", kind, metadata: { name, labels }, spec: { addresses } };
}

function outbound(members: object): object {
  return policy({ firewall: { outbound: members } });
}

const from = (...cidrs: readonly string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));

describe("a range of local ports", () => {
  const ports = (ephemeralPorts: object) => lint(policy({ ephemeralPorts }));

  it("that holds the NodePorts is warned of, with the way out", () => {
    expect(ports({ range: "20000-31000" })).toEqual([
      expect.stringMatching(
        /^f.yaml:1: warning: PortHardeningPolicy workers: spec.ephemeralPorts.range: range 20000-31000 holds the NodePorts 30000-31000.*reserveNodePorts: true/,
      ),
    ]);
    expect(ports({ range: "20000-31000", reserveNodePorts: true })).toEqual([]);
    expect(ports({ range: "20000-33999", reserved: ["29000-32767"] })).toEqual([]);
    expect(ports({ range: "49152-65535" })).toEqual([]);
  });

  it("that begins among the ports that the same policy makes privileged is warned of", () => {
    const start = { "net.ipv4.ip_unprivileged_port_start": "50000" };
    expect(lint(policy({ ephemeralPorts: { range: "49152-65535" }, sysctls: start }))[0]).toMatch(
      /spec.ephemeralPorts.range: begins under net.ipv4.ip_unprivileged_port_start \(50000\)/,
    );
  });

  it("of which the NodePorts leave too little would fail, unless the cluster has others", () => {
    expect(ports({ range: "30000-33000", reserveNodePorts: true })).toEqual([
      expect.stringMatching(
        /warning: .*reserveNodePorts: fails on an install as it is by default: leaves 233 ports.*move the range/,
      ),
    ]);
  });
});

describe("what admission would refuse", () => {
  it("is told all at once, each with line, object, field and the way out", () => {
    const found = lintText(`
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: workers}
spec:
  firewall:
    inbound:
      allow:
      - name: office
        from:
        - ipBlock:
            cidr: 203.0.113.1/24
      - name: metrics
        port: [9100]
`);
    expect(found).toEqual([
      expect.stringMatching(/^f.yaml:5: error: PortHardeningPolicy workers: spec.mode: is required$/),
      expect.stringMatching(
        /^f.yaml:12: error: PortHardeningPolicy workers: spec.firewall.inbound.allow\[0\].from\[0\].ipBlock.cidr \("office"\): .*without host bits/,
      ),
      expect.stringMatching(/^f.yaml:14: .*allow\[1\].port \("metrics"\): unknown field: mind the spelling/),
    ]);
  });

  it("names the entries whose ports lie outside the scope, which the API server cannot", () => {
    const allow = [
      { name: "inside", ports: [8443] },
      { name: "outside", ports: [80] },
      { name: "across", ports: ["1000-2000"] },
    ];
    expect(lint(inbound({ ports: ["1024-65535"], allow }))).toEqual([
      expect.stringMatching(/spec.firewall.inbound.allow \("outside", "across"\): ports of an entry must lie inside/),
    ]);
  });

  it("covers what the API server judges by itself: names, labels, the controller's own label", () => {
    expect(lint(group("Bad_Name", []), group("labels", [], { "a b": "c" }))).toEqual([
      expect.stringMatching(/Bad_Name: metadata.name: must be a DNS name/),
      expect.stringMatching(/labels: metadata.labels.a b: "a b: c" is no label/),
    ]);
    const labelled = { ...inbound({}), metadata: { name: "workers", labels: { ok: "x y" } } };
    expect(lint(labelled)).toEqual([expect.stringMatching(/workers: metadata.labels.ok: "ok: x y" is no label/)]);
    expect(lint(group("mine", [], { "porthardening.io/cluster": "nodes" }))).toEqual([
      expect.stringMatching(/only the controller writes/),
    ]);
  });

  it("refuses a second object of one name, a misspelt kind, and what is no object", () => {
    expect(lint(group("g", []), group("g", []))).toEqual([expect.stringMatching(/stands in f.yaml:1 already/)]);
    expect(lint({ apiVersion: "porthardening.io/v1alpha1", kind: "PortHardningPolicy" })).toEqual([
      expect.stringMatching(/there is no kind "PortHardningPolicy"/),
    ]);
    expect(lintText("hello")).toEqual([expect.stringMatching(/is no Kubernetes object/)]);
    expect(lint({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "other" } })).toEqual([]);
  });
});

describe("the objects on which zod and the API server agree", () => {
  // What the controller alone writes is passed over.
  it.each(objects.filter(({ object }) => !/PortHardening(NodeState|PodRange)/.test(JSON.stringify(object))))(
    "$name",
    ({ object, expected }) => {
      const errors = lint(object).filter((line) => line.includes(": error: "));
      expect(errors.length > 0).toBe(expected !== "ok");
    },
  );
});

it("says of two policies for every node whose range pods get", () => {
  const pods = (name: string, priority: number, from: number) =>
    policy({ priority, ephemeralPorts: { range: `${from}-65535`, pods: "Inject" } }, name);
  expect(lint(pods("a", 0, 50_000), pods("b", 1, 49_152))).toContainEqual(
    expect.stringMatching(/PortHardeningPolicy a: spec.ephemeralPorts.pods: has no effect: policy b sets it too/),
  );
});

it("refuses a range for pods of some nodes, and names the way out", () => {
  const spec = { nodeSelector: { matchLabels: { a: "b" } }, ephemeralPorts: { range: "49152-65535", pods: "Inject" } };
  expect(lint(policy(spec))).toEqual([
    expect.stringMatching(/error: .*spec.ephemeralPorts.pods: .*in a policy of its own that has no nodeSelector$/),
  ]);
});

it("has an answer to any text, and to any object of our kinds", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => lintText(text)).not.toThrow();
    }),
  );
  const part = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom("name", "allow", "firewall", "inbound"), fc.jsonValue()),
  );
  const firewall = fc.record({ inbound: fc.record({ allow: fc.oneof(part, fc.array(part)) }) });
  const spec = fc.oneof(part, fc.record({ mode: fc.constant("Enforce"), firewall: fc.oneof(part, firewall) }));
  const any = fc.record({
    metadata: part,
    spec,
    kind: fc.constantFrom("PortHardeningPolicy", "PortHardeningAddressGroup"),
  });
  fc.assert(
    fc.property(any, (object) => {
      expect(lint({ ...object, apiVersion: "porthardening.io/v1alpha1" }).length).toBeGreaterThan(0);
    }),
  );
});

it("a schedule that admission takes and no node could keep is an error, with line, field and the way out", () => {
  const yaml = (schedule: string) => `
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: workers}
spec:
  mode: Enforce
  audit:
    schedule: "${schedule}"
`;
  expect(lintText(yaml("60 3 * * *"))).toEqual([
    expect.stringMatching(
      /^f.yaml:8: error: PortHardeningPolicy workers: spec.audit.schedule: is no cron schedule: Invalid value for minute: 60; write five fields/,
    ),
  ]);
  expect(lintText(yaml("0 3 31 2 *"))).toEqual([
    expect.stringMatching(/error: .*spec.audit.schedule: never comes: name days that every year has/),
  ]);
  expect(lintText(yaml("0 3 29 2 *"))).toEqual([expect.stringMatching(/does not come in some years, such as 2022/)]);
  expect(lintText(yaml("0 3 L * *"))).toEqual([]);
});

describe("what would have no effect", () => {
  it("a deny of what passes before any policy", () => {
    expect(lint(inbound({ ports: ["1-65535"], deny: [{ name: "all", protocols: ["TCP"] }] }))).toEqual([
      expect.stringMatching(
        /deny\[0\] \("all"\): has no effect on TCP 22 \(failsafe "ssh"\): failsafes pass before any policy/,
      ),
    ]);
    expect(lint(inbound({ deny: [{ name: "all" }] }))).toEqual([]);
    expect(lint(outbound({ ports: ["50-70"], deny: [{ name: "all" }] }))).toEqual([
      expect.stringMatching(
        /outbound.deny\[0\] \("all"\): .*TCP 53 \(failsafe "dns-tcp"\), UDP 53 \(failsafe "dns-udp"\), UDP 67-68 \(failsafe "dhcp"\):/,
      ),
    ]);
  });

  it("a deny of addresses of the trusted cluster, where those are known", () => {
    const nodes = group("cluster-nodes-0", ["198.18.0.11/32"], { "porthardening.io/cluster": "nodes" });
    const deny = (trustCluster: boolean) =>
      inbound({ trustCluster, deny: [{ name: "d", from: from("198.18.0.0/24") }] });
    const warnings = (...documents: readonly object[]) => lint(...documents).filter((it) => it.includes("warning"));
    expect(warnings(nodes, deny(true))).toEqual([
      expect.stringMatching(/\("d"\): has no effect on 198.18.0.11\/32.*trustCluster/),
    ]);
    expect(warnings(nodes, deny(false))).toEqual([
      expect.stringMatching(
        /has no effect on 198.18.0.11\/32 with TCP 10250, .* and 11 more: failsafes pass between nodes/,
      ),
    ]);
    const pods = group("cluster-pods-0", ["198.19.0.0/16"], { "porthardening.io/cluster": "pods" });
    const away = outbound({ deny: [{ name: "d", to: from("198.19.1.0/24") }] });
    expect(warnings(pods, away)).toEqual([
      expect.stringMatching(/outbound.deny\[0\] \("d"\): has no effect on 198.19.1.0\/24: .*pods or services/),
    ]);
    expect(warnings(pods, inbound({ deny: [{ name: "d", from: from("198.19.1.0/24") }] }))).toEqual([]);
  });

  it("an allow that another allow covers, once for two that say the same", () => {
    const wide = { name: "wide", from: from("203.0.113.0/24") };
    const narrow = { name: "narrow", from: from("203.0.113.0/25", "203.0.113.200/32"), ports: [8443] };
    expect(lint(inbound({ allow: [narrow, wide] }))).toEqual([
      expect.stringMatching(/allow\[0\] \("narrow"\): has no effect: allow "wide" covers all of it/),
    ]);
    expect(lint(inbound({ allow: [wide, { ...wide, name: "twin" }] }))).toHaveLength(1);
    expect(
      lint(
        inbound({
          allow: [
            { ...wide, ports: [8443] },
            { ...wide, name: "b", ports: [8444] },
          ],
        }),
      ),
    ).toEqual([]);
  });

  it("an allow that a deny covers, and an entry of which no address is left", () => {
    const deny = [{ name: "bad", from: from("203.0.113.0/24") }];
    expect(lint(inbound({ deny, allow: [{ name: "a", from: from("203.0.113.7/32") }] }))).toEqual([
      expect.stringMatching(/allow\[0\] \("a"\): never matches: deny "bad" covers all of it/),
    ]);
    const hollow = [{ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.0/24"] } }];
    expect(lint(inbound({ allow: [{ name: "hollow", from: hollow }] }))).toEqual([
      expect.stringMatching(/\("hollow"\): no address is left, so it matches nothing/),
    ]);
  });

  const trusting = (list: "allow" | "deny", trustCluster: boolean) =>
    inbound({ trustCluster, [list]: [{ name: "n", from: [{ nodes: { matchLabels: { role: "edge" } } }] }] });
  const edge = { apiVersion: "v1", kind: "Node", metadata: { name: "edge-1", labels: { role: "edge" } } };

  it("nodes as peers where every node passes anyway", () => {
    expect(lint(edge, trusting("deny", true))).toEqual([
      expect.stringMatching(/deny\[0\].from\[0\].nodes \("n"\): has no effect, as every node passes .*trustCluster/),
    ]);
    expect(lint(edge, trusting("allow", true))).toEqual([
      expect.stringMatching(/keeps no other node out, as every node/),
    ]);
    expect(lint(edge, trusting("allow", false))).toEqual([]);
  });

  it("nodes as peers that no Node object given has the labels of; without Node objects that is not known", () => {
    expect(lint(trusting("allow", false))).toEqual([
      expect.stringMatching(/there is no Node object.*kubectl get nodes -o yaml/),
      expect.stringMatching(/"role":"edge".*: their addresses are not known, so it matches nothing/),
    ]);
    const core = { ...edge, metadata: { name: "core-1", labels: { role: "core" } } };
    expect(lint(core, trusting("allow", false))).toEqual([
      expect.stringMatching(
        /"role":"edge".*: none of the 1 Node objects given has these labels, so it matches nothing/,
      ),
    ]);
  });

  it("is told of Node objects only where they cannot be read", () => {
    const numbered = { ...edge, metadata: { name: "edge-1", labels: { role: 7 } } };
    expect(lint(numbered, { apiVersion: "v1", kind: "Node" })).toEqual([
      expect.stringMatching(/error: Node edge-1: metadata.labels.role: must be a string: put it in quotes/),
      expect.stringMatching(/error: Node: metadata.name: is required/),
    ]);
  });

  it("an allow that others cover only together, and one that several denies cover", () => {
    const halves = [
      { name: "low", to: from("203.0.113.0/25") },
      { name: "high", to: from("203.0.113.128/25") },
    ];
    const whole = { name: "whole", to: from("203.0.113.0/24"), ports: [8443] };
    expect(lint(outbound({ allow: [whole, ...halves] }))).toEqual([
      expect.stringMatching(
        /outbound.allow\[0\] \("whole"\): has no effect: allow "high", "low" together cover all of it/,
      ),
    ]);
    expect(lint(outbound({ deny: halves, allow: [whole] }))).toEqual([
      expect.stringMatching(/\("whole"\): never matches: deny "high", "low" together cover all of it/),
    ]);
  });

  it("a deny that another covers, and a block that another of the same entry covers", () => {
    const deny = [
      { name: "all", from: from("203.0.113.0/24") },
      { name: "one", from: from("203.0.113.7/32") },
    ];
    expect(lint(inbound({ deny }))).toEqual([
      expect.stringMatching(/deny\[1\] \("one"\): has no effect: deny "all" covers all of it/),
    ]);
    expect(lint(outbound({ allow: [{ name: "a", to: from("10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8") }] }))).toEqual([
      expect.stringMatching(/allow\[0\].to\[2\] \("a"\): has no effect: other blocks of to cover 10.0.0.0\/8/),
      expect.stringMatching(/allow\[0\].to\[0\] \("a"\): has no effect: other blocks of to cover 10.1.0.0\/16/),
    ]);
  });

  it("a default that never decides, as an allow leaves it nothing, and allows beside the default Allow", () => {
    const open = [{ name: "open", to: from("0.0.0.0/0", "::/0") }];
    expect(lint(outbound({ allow: open, defaultAction: "Reject" }))).toEqual([
      expect.stringMatching(
        /\("open"\): allows everybody all that outbound judges, so defaultAction Reject never decides/,
      ),
    ]);
    expect(
      lint(
        inbound({
          allow: [
            { name: "v4", from: from("0.0.0.0/0") },
            { name: "tcp", protocols: ["TCP"] },
          ],
        }),
      ),
    ).toEqual([]);
    expect(lint(inbound({ defaultAction: "Allow", allow: [{ name: "a", from: from("10.0.0.0/8") }] }))).toEqual([
      expect.stringMatching(/\("a"\): has no effect by itself: defaultAction Allow/),
    ]);
  });

  it("denies and limits on failsafe ports of the install", () => {
    const backup = { name: "backup", protocol: "TCP", ports: ["9100-9103"], peers: "Everybody" };
    const install = parseInstallSettings({ failsafes: { inbound: [backup] } });
    const deny = [{ name: "all", ports: [9102] }];
    const rateLimits = [{ name: "a", ports: [9103], newConnections: { limit: 10, per: "Minute", burst: 5 } }];
    const document = policy({ rateLimits, firewall: { inbound: { deny } } });
    const parsed = parseObjects(parseManifests("f.yaml", JSON.stringify(document)).manifests);
    expect(lintObjects(parsed, install).map(formatFinding)).toEqual([
      expect.stringMatching(/deny\[0\] \("all"\): has no effect on TCP 9102 \(failsafe "backup"\)/),
      expect.stringMatching(/rateLimits\[0\].ports \("a"\): has no effect on TCP 9103: failsafe "backup"/),
    ]);
    expect(lintObjects(parsed)).toEqual([]);
  });

  it("limits that count nobody, say the same, or stand on failsafe ports", () => {
    const limit = (name: string, members: object) => ({ name, maxConcurrent: 5, ...members });
    expect(lint(policy({ rateLimits: [limit("a", { exempt: from("0.0.0.0/0", "::/0") })] }))).toEqual([
      expect.stringMatching(/rateLimits\[0\].exempt \("a"\): exempts everybody/),
    ]);
    expect(lint(policy({ rateLimits: [limit("a", {}), limit("b", {})] }))).toEqual([
      expect.stringMatching(/rateLimits\[1\] \("b"\): has no effect: limit "a" says the same/),
    ]);
    expect(lint(policy({ rateLimits: [limit("a", { ports: [22] })] }))).toEqual([
      expect.stringMatching(/rateLimits\[0\].ports \("a"\): has no effect on TCP 22: failsafe "ssh"/),
    ]);
  });

  it("a default Allow above a stricter one of a policy for the same nodes, told to both", () => {
    const workers = { matchLabels: { role: "worker" } };
    const judged = (name: string, spec: object, defaultAction: string) =>
      policy({ ...spec, firewall: { outbound: { defaultAction } } }, name);
    const open = judged("open", { priority: 1, nodeSelector: workers }, "Allow");
    const both = [
      expect.stringMatching(/open: spec.firewall.outbound.defaultAction: .*Allow of policy open comes before Reject/),
      expect.stringMatching(/strict: spec.firewall.outbound.defaultAction: .*Allow of policy open comes before Reject/),
    ];
    expect(lint(open, judged("strict", { nodeSelector: workers }, "Reject"))).toEqual(both);
    expect(lint(open, judged("strict", {}, "Reject"))).toEqual(both);
    expect(lint(open, judged("strict", { nodeSelector: { matchLabels: { role: "edge" } } }, "Reject"))).toEqual([]);
  });

  it("interfaces that exclude all they include", () => {
    expect(lint(inbound({ interfaces: { include: ["eth0"], exclude: ["eth+"] } }))).toEqual([
      expect.stringMatching(/spec.firewall.inbound.interfaces: exclude takes out all/),
    ]);
  });

  it("address groups that are missing, or too wide for a deny", () => {
    const deny = [{ name: "d", from: [{ addressGroup: { name: "wide" } }, { addressGroup: { name: "gone" } }] }];
    expect(lint(inbound({ deny }), group("wide", ["0.0.0.0/4", "203.0.113.7/32"]))).toEqual([
      expect.stringMatching(/warning: .*inbound.deny\[0\] \("d"\): address group "gone": there is none/),
      expect.stringMatching(/warning: .*address group "wide": 0.0.0.0\/4 left out/),
    ]);
  });

  const expecting = (expected: readonly object[], ports: readonly (number | string)[] = ["1024-65535"]) =>
    policy({ firewall: { inbound: { ports } }, monitoring: { listeners: { expected } } });

  it("expected listeners on ports that nobody looks at, which another policy may protect", () => {
    const listeners = [{ port: 80 }, { port: "1000-1024" }, { port: "8000-9000", process: "envoy" }];
    expect(lint(expecting(listeners))).toEqual([
      expect.stringMatching(
        /monitoring.listeners.expected\[0\].port: never matches: only listeners on 1024-65535 are looked at/,
      ),
    ]);
    expect(lint(policy({ monitoring: { listeners: { expected: listeners } } }))).toHaveLength(1);
    const web = policy({ firewall: { inbound: { ports: [80] } }, audit: {} }, "web");
    expect(lint(expecting(listeners), web)).toEqual([]);
    expect(lint(expecting([{ port: 443 }], ["8000-9000", 9100]))).toEqual([
      expect.stringMatching(/only listeners on 8000-9000, 9100 are looked at/),
    ]);
  });

  it("an expected listener that another covers, once for two that say the same", () => {
    expect(lint(expecting([{ port: 9100, process: "envoy" }, { port: "9000-9200" }]))).toEqual([
      expect.stringMatching(/expected\[0\]: has no effect: expected\[1\] expects it on 9100 already/),
    ]);
    expect(lint(expecting([{ port: 9100 }, { port: "9100" }]))).toEqual([
      expect.stringMatching(/expected\[1\]: has no effect: expected\[0\] expects it/),
    ]);
    expect(lint(expecting([{ port: 9100 }, { port: 9100, process: "envoy" }]))).toHaveLength(1);
    const apart = [{ port: 9100, process: "envoy" }, { port: 9100, process: "nginx" }, { port: "9101-9200" }];
    expect(lint(expecting(apart))).toEqual([]);
  });

  it("ports that are not to be probed where nothing is", () => {
    const skipping = (audit: object, name?: string) =>
      policy({ firewall: { inbound: { ports: ["1024-65535"] } }, audit: { skipProbes: [80, 5432], ...audit } }, name);
    expect(lint(skipping({}))).toEqual([
      expect.stringMatching(/audit.skipProbes\[0\]: has no effect: only 1024-65535 may be connected to/),
    ]);
    const ignoring = { plaintextProtocols: "Ignore", exposure: "Ignore" };
    expect(lint(skipping(ignoring))).toEqual([
      expect.stringMatching(/skipProbes\[0\]: has no effect: plaintextProtocols and exposure are ignored/),
      expect.stringMatching(/skipProbes\[1\]: has no effect: plaintextProtocols and exposure are ignored/),
    ]);
    expect(lint(skipping({ ...ignoring, exposure: "Report" }))).toHaveLength(1);
    expect(lint(skipping(ignoring), skipping({}, "other"))).toHaveLength(2);
  });

  it("automatic updates ensured by a policy that only observes", () => {
    const ensuring = (mode: string) => policy({ mode, audit: { securityUpdates: { automatic: "Ensure" } } });
    expect(lint(ensuring("Observe"))).toEqual([
      expect.stringMatching(/audit.securityUpdates.automatic: switches nothing on in mode Observe: it is as Required/),
    ]);
    expect(lint(ensuring("Enforce"))).toEqual([]);
  });

  it("sysctls that no install allows by itself, and values that another policy wins", () => {
    expect(lint(policy({ sysctls: { "net.ipv4.ip_forward": "0" } }))).toEqual([
      expect.stringMatching(/spec.sysctls.net.ipv4.ip_forward: not among the sysctls/),
    ]);
    const range = (name: string, text: string, priority: number) =>
      policy({ priority, ephemeralPorts: { range: text } }, name);
    expect(lint(range("a", "49152-65535", 0), range("b", "32768-60999", 1))).toEqual([
      expect.stringMatching(/PortHardeningPolicy a: spec.ephemeralPorts.range: has no effect: policy b sets it too/),
    ]);
  });
});

it("has nothing to say about a good policy and its group", () => {
  const allow = [{ name: "a", from: [{ addressGroup: { name: "g" } }] }];
  expect(lint(inbound({ allow }), group("g", ["203.0.113.0/24"], { list: "a" }))).toEqual([]);
});
