import { describe, expect, it } from "vitest";
import {
  clusterAddresses,
  parseEndpointAddresses,
  parseServiceAddresses,
  parseServiceCidr,
} from "../../../src/controller/cluster-addresses.ts";
import { compilePolicy } from "../../../src/controller/compiled-policy.ts";
import { parseNodeFacts } from "../../../src/controller/node-facts.ts";
import { parseNodeStateFacts } from "../../../src/controller/node-state-facts.ts";
import { parsePublishedShard } from "../../../src/controller/published-shard.ts";
import { parseService } from "../../../src/controller/service-facts.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { elementOf, nodeFacts, policyFacts, policyObject } from "./facts.ts";

const object = (rest: object): KubeObject => ({
  apiVersion: "v1",
  kind: "Any",
  metadata: { name: "n", uid: "u" },
  ...rest,
});

/** What a broken writer may have put anywhere. */
const nonsense = [undefined, null, 7, "text", [], [null, 7], {}, { policies: 7 }, { policies: [null, { name: 7 }] }];

describe("a malformed object", () => {
  it.each(nonsense.map((value) => [JSON.stringify(value) ?? "undefined", value]))(
    "with %s for spec and status is kept",
    (_text, value) => {
      const malformed = object({ spec: value, status: value, endpoints: value });
      expect(parseNodeFacts(malformed)).toMatchObject({ name: "n", ready: false, addresses: [], podCidrs: [] });
      expect(parseNodeStateFacts(malformed)).toMatchObject({ name: "n", uid: "u", reported: [] });
      expect(compilePolicy(malformed, { allowedSysctls: [] })).toMatchObject({ name: "n", outcome: "Unreadable" });
      expect([
        parseServiceAddresses(malformed),
        parseEndpointAddresses(malformed),
        parseServiceCidr(malformed),
      ]).toEqual([[], [], []]);
    },
  );
});

describe("a NodeState", () => {
  const element = elementOf(policyFacts("p", { priority: 3 }));
  const withElement = (changes: object) => object({ spec: { policies: [{ ...element, ...changes }] } });

  it("is remembered by names and hashes", () => {
    const { name, uid, hash } = element;
    expect(parseNodeStateFacts(withElement({})).assigned).toEqual([{ name, uid, hash }]);
  });

  it("of an agent that says what this version has no word for is read without that", () => {
    const policies = [
      { name: "p", uid: "u", hash: "aa", state: "Enforced", since: "2026-01-01T00:00:00Z" },
      { name: "q", uid: "u", hash: "bb", state: "HalfEnforced", since: "2026-01-01T00:00:00Z" },
    ];
    const later = {
      agentVersion: "9.0.0",
      planFormats: [2, 3],
      ephemeralPorts: { range: "1-2" },
      drift: "seldom",
      policies,
    };
    const facts = parseNodeStateFacts(object({ status: { ...later, unheardOf: { of: 1 } } }));
    expect(facts).toMatchObject({
      agent: { version: "9.0.0", planFormats: [2, 3] },
      reported: [{ name: "p", hash: "aa", state: "Enforced" }],
      range: "1-2",
      driftAt: undefined,
    });
    expect(facts.reported).toHaveLength(1);
  });

  it.each([
    { priority: 4 },
    { plan: { ...element.plan, sysctls: { "vm.x": "1" } } },
    { hash: "0000000000000000" },
    { plan: null },
  ])("shows that an element was edited: %j", (change) => {
    expect(parseNodeStateFacts(withElement(change)).assigned[0]?.hash).toBeUndefined();
  });
});

it("says what is wrong with a policy by field and reason", () => {
  expect(compilePolicy(policyObject("p", { mode: "Watch" }), { allowedSysctls: [] })).toMatchObject({
    problem: expect.stringMatching(/^spec\.mode: must be Enforce/),
  });
  const refused = compilePolicy(policyObject("p", { sysctls: { "net.ipv4.ip_forward": "1" } }), {
    allowedSysctls: ["net.ipv4.tcp_*"],
  });
  expect(refused).toMatchObject({
    outcome: "Refused",
    problem: expect.stringMatching(/^spec\.sysctls\[net\.ipv4\.ip_forward\]: not among/),
  });
});

it("publishes addresses as canonical CIDRs, each once, and leaves out what is none", () => {
  const nodes = [
    nodeFacts("a", { addresses: ["198.18.0.1", "2001:0db8::0001", "host.example", "198.18.0.1", "::ffff:198.18.0.1"] }),
    nodeFacts("b", { podCidrs: ["198.19.0.7/24"] }),
  ];
  const sources = { nodes, services: [], apiEndpoints: [], serviceCidrs: [] };
  expect([...clusterAddresses("nodes", sources)]).toEqual(["198.18.0.1/32", "2001:db8::1/128"]);
  expect([...clusterAddresses("pods", sources)]).toEqual(["198.19.0.0/24"]);
});

it("takes cluster, external and load balancer IPs of a Service for its VIPs", () => {
  const service = object({
    spec: { clusterIPs: ["198.19.0.1", "2001:db8::9"], externalIPs: ["203.0.113.1"] },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.2" }, { hostname: "lb.example" }] } },
  });
  const vips = clusterAddresses("vips", {
    nodes: [],
    services: [parseServiceAddresses(service)],
    apiEndpoints: [],
    serviceCidrs: [],
  });
  expect([...vips]).toEqual(["198.19.0.1/32", "2001:db8::9/128", "203.0.113.1/32", "203.0.113.2/32"]);
  const headless = parseServiceAddresses(object({ spec: { clusterIPs: ["None"] } }));
  expect(clusterAddresses("vips", { nodes: [], services: [headless], apiEndpoints: [], serviceCidrs: [] }).size).toBe(
    0,
  );
});

it.each([
  ["cluster-vips-0", "vips", 0],
  ["cluster-service-cidrs-12", "service-cidrs", 12],
])("knows %s for its own", (name, role, index) => {
  expect(parsePublishedShard(object({ metadata: { name, uid: "u" } }))).toMatchObject({
    role,
    index,
    addresses: [],
    labelled: false,
  });
});

it.each(["office", "cluster-vips", "cluster-vips-01", "cluster-other-0", "my-cluster-vips-0"])(
  "leaves %s to its owner",
  (name) => {
    expect(parsePublishedShard(object({ metadata: { name, uid: "u" } }))).toBeUndefined();
  },
);

it("keeps of a Service its addresses, and the NodePorts that are outside of the range", () => {
  const ports = [{ nodePort: 30080 }, { nodePort: 20080 }, { port: 80 }];
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "shop", name: "web" },
    spec: { clusterIPs: ["198.19.0.1"], ports, healthCheckNodePort: 32768 },
  };
  expect(parseService(service, { from: 30000, to: 32767 })).toEqual({
    addresses: ["198.19.0.1"],
    strayNodePorts: ["shop/web 20080", "shop/web 32768"],
  });
  const malformed = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { ports: ["80", { nodePort: "30080" }], healthCheckNodePort: 0 },
  };
  expect(parseService(malformed, { from: 30000, to: 32767 })).toEqual({ addresses: [], strayNodePorts: [] });
});
