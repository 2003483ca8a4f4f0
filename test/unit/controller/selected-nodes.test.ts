import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createController } from "../../../src/controller/controller.ts";
import { nodeSelectionsIn } from "../../../src/controller/selected-nodes.ts";
import { DEFAULT_CONTROLLER_SETTINGS } from "../../../src/controller/settings.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { nodeSelectorHash } from "../../../src/plan/selected-nodes.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { planOf } from "../plan/policies.ts";
import { policyObject } from "./facts.ts";
import { type FakeApi, fakeApi, putNode } from "./fake-api.ts";

const GROUPS = "porthardeningaddressgroups";
const POLICIES = "porthardeningpolicies";
const CRDS = "customresourcedefinitions";
const CRD = "porthardeningpolicies.porthardening.io";

const monitoring = { matchLabels: { role: "monitoring" } };
const edge = { matchLabels: { role: "edge" } };
const groupOf = (selector: object) => `cluster-selected-nodes-${nodeSelectorHash(selector)}-0`;
const allowing = (nodes: object) => ({ firewall: { inbound: { allow: [{ name: "a", from: [{ nodes }] }] } } });

let api: FakeApi;
let log: string;
let stop: () => Promise<void>;

beforeEach(() => {
  api = fakeApi();
  log = "";
  stop = async () => {};
  api.put(CRDS, { apiVersion: "v1", kind: "CustomResourceDefinition", metadata: { name: CRD } });
  addNode("a", "198.18.0.1", "monitoring");
  api.put(POLICIES, policyObject("p", allowing(monitoring)));
});
afterEach(() => stop());

function addNode(name: string, address: string, role: string): void {
  putNode(api, name, { metadata: { labels: { role } }, status: { addresses: [{ type: "InternalIP", address }] } });
}

function start(): void {
  const end = new AbortController();
  const destination = { write: (line: string) => void (log += line) };
  const controller = createController({
    client: api,
    namespace: "ns",
    logger: createLogger({ name: "controller", level: "debug", destination }),
    registry: new Registry(),
    settings: DEFAULT_CONTROLLER_SETTINGS,
    now: Date.now,
  });
  const running = controller.run(end.signal);
  stop = async () => {
    end.abort();
    await running;
  };
}

const until = (what: string, holds: () => boolean) =>
  waitFor(what, () => (holds() ? true : undefined), {
    timeoutMilliseconds: 5_000,
    intervalMilliseconds: 2,
    lastSeen: () => `${api.writes.join("\n")}\n${log}`,
  });
const addresses = (selector: object) =>
  (api.stored(GROUPS, groupOf(selector)) as { spec?: { addresses: string[] } } | undefined)?.spec?.addresses;
const addressesBecome = (selector: object, ...wanted: string[]) =>
  until(`the group to hold ${wanted.join()}`, () => addresses(selector)?.join() === wanted.join());

describe("nodes that a policy names as peers", () => {
  it("are published by their addresses, labelled so that admission keeps the group for the controller", async () => {
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    const { labels, annotations } = api.stored(GROUPS, groupOf(monitoring))?.metadata ?? {};
    expect(labels).toEqual({
      "porthardening.io/cluster": "selected-nodes",
      "porthardening.io/node-selector": nodeSelectorHash(monitoring),
    });
    expect(annotations).toEqual({ "porthardening.io/node-selector": JSON.stringify(monitoring) });
  });

  it("are followed as their labels and addresses change, without another write to any NodeState", async () => {
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    await until("the NodeState", () => api.stored("porthardeningnodestates", "a") !== undefined);
    const before = api.stored("porthardeningnodestates", "a")?.metadata.resourceVersion;
    addNode("b", "198.18.0.2", "edge");
    addNode("b", "198.18.0.2", "monitoring");
    await addressesBecome(monitoring, "198.18.0.1/32", "198.18.0.2/32");
    addNode("b", "198.18.0.3", "monitoring");
    await addressesBecome(monitoring, "198.18.0.1/32", "198.18.0.3/32");
    api.remove("nodes", "b");
    await addressesBecome(monitoring, "198.18.0.1/32");
    expect(api.stored("porthardeningnodestates", "a")?.metadata.resourceVersion).toBe(before);
  });

  it("are published as nobody where no node has the labels: agents must tell that from not yet", async () => {
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    addNode("a", "198.18.0.1", "edge");
    await addressesBecome(monitoring);
  });

  it("are published once for policies that select the same, and removed with the last of those", async () => {
    const written = { matchLabels: { role: "monitoring" }, matchExpressions: [] };
    api.put(
      POLICIES,
      policyObject("q", { rateLimits: [{ name: "l", maxConcurrent: 9, exempt: [{ nodes: written }] }] }),
    );
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    expect(api.writes.filter((write) => write.startsWith(`APPLY ${GROUPS}/cluster-selected`))).toHaveLength(1);
    api.remove(POLICIES, "p");
    api.put(POLICIES, policyObject("q", allowing(edge)));
    await addressesBecome(edge);
    await until("its removal", () => addresses(monitoring) === undefined);
  });

  it("that are many are spread over groups, of which the first is written last: until it is there, nothing is published", async () => {
    const status = (n: number) => ({
      addresses: [`198.18.${n >> 8}.${n & 255}`, `2001:db8::${n.toString(16)}`].map((address) => ({
        type: "InternalIP",
        address,
      })),
    });
    for (let n = 1; n <= 600; n++) {
      const metadata = { name: `n${n}`, labels: { role: "edge" } };
      api.put("nodes", { apiVersion: "v1", kind: "Node", metadata, status: status(n) } as KubeObject);
    }
    api.put(POLICIES, policyObject("p", allowing(edge)));
    start();
    await until("both groups", () => addresses(edge)?.length === 1000);
    const name = groupOf(edge);
    expect(api.writes.filter((write) => write.includes("selected"))).toEqual([
      `APPLY ${GROUPS}/${name.replace(/0$/, "1")}`,
      `APPLY ${GROUPS}/${name}`,
    ]);
    for (let n = 1; n <= 600; n++) api.remove("nodes", `n${n}`);
    await addressesBecome(edge);
    await until("the second to go", () => api.stored(GROUPS, name.replace(/0$/, "1")) === undefined);
  });

  it("are made anew where somebody deletes the group", async () => {
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    api.remove(GROUPS, groupOf(monitoring));
    await addressesBecome(monitoring, "198.18.0.1/32");
  });
});

describe("a group that no policy uses any more", () => {
  beforeEach(async () => {
    start();
    await addressesBecome(monitoring, "198.18.0.1/32");
    await until("the NodeState", () => api.stored("porthardeningnodestates", "a") !== undefined);
  });

  it("is kept, and kept true, while a node still has a plan that does", async () => {
    api.remove(CRDS, CRD);
    api.remove(POLICIES, "p");
    await until("the node to keep its policies", () => log.includes("RemovalRefusedError"));
    addNode("b", "198.18.0.2", "monitoring");
    await addressesBecome(monitoring, "198.18.0.1/32", "198.18.0.2/32");
  });

  it.each([
    ["policies", POLICIES, "porthardeningnodestates", "a"],
    ["NodeStates", "porthardeningnodestates", POLICIES, "p"],
  ])("is not taken for one by a controller that has not read all %s yet", async (_what, unread, plural, name) => {
    await stop();
    const before = api.writes.length;
    api.withhold(unread);
    api.remove(plural, name);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s" },
      spec: { clusterIPs: ["198.19.0.1"] },
    };
    api.put("services", service);
    start();
    await until("a pass", () => api.writes.includes(`APPLY ${GROUPS}/cluster-vips-0`));
    expect(api.writes.slice(before).filter((write) => write.includes("selected"))).toEqual([]);
  });

  it("is told from one that is: a controller that starts anew writes nothing where all is right", async () => {
    await stop();
    const before = api.writes.length;
    addNode("b", "198.18.0.2", "edge");
    start();
    await until("a pass", () => api.writes.includes(`APPLY ${GROUPS}/cluster-nodes-0`, before));
    await until("the NodeState", () => api.stored("porthardeningnodestates", "b") !== undefined);
    expect(api.writes.slice(before).filter((write) => write.includes("selected"))).toEqual([]);
  });
});

it("finds every selector of nodes in a plan, each once, and passes over what is none", () => {
  const entry = (name: string, key: "from" | "to", ...selectors: object[]) => ({
    name,
    [key]: selectors.map((nodes) => ({ nodes })),
  });
  const zone = { matchExpressions: [{ key: "zone", operator: "Exists" }] };
  const plan = planOf({
    firewall: {
      inbound: { allow: [entry("a", "from", monitoring, edge), { name: "all" }], deny: [entry("d", "from", {})] },
      outbound: { allow: [entry("a", "to", monitoring)], deny: [entry("d", "to", zone)] },
    },
    rateLimits: [{ name: "l", maxConcurrent: 9, exempt: [{ nodes: { matchLabels: { only: "exempt" } } }] }],
  });
  expect(nodeSelectionsIn(plan).map(({ selector }) => selector)).toEqual(
    expect.arrayContaining([monitoring, edge, {}, zone, { matchLabels: { only: "exempt" } }]),
  );
  expect(nodeSelectionsIn(plan)).toHaveLength(5);
  const broken = { inbound: { allow: [{ peers: { groups: [{ nodes: 7 }, { nodes: monitoring }, null] } }, 7] } };
  expect(nodeSelectionsIn(broken)).toEqual([{ hash: nodeSelectorHash(monitoring), selector: monitoring }]);
});
