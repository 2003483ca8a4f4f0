import { afterAll, beforeAll, expect, it } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";

let lab: ControllerLab;
let controller: RunningController;

beforeAll(async () => {
  lab = await startControllerLab();
  controller = await lab.startController({ nodePortRange: { from: 30000, to: 30099 } });
});
afterAll(async () => {
  await lab?.close();
});

const ready = (enforced: number) => (status: Awaited<ReturnType<ControllerLab["statusOf"]>>) =>
  condition(status, "Ready") === "True" && status.nodes?.enforced === enforced;

it("says that a policy selects no node, and that this is in order", async () => {
  await lab.addPolicy("nowhere", { nodeSelector: { matchLabels: { role: "nobody" } } });
  const status = await lab.statusWhere("nowhere", (seen) => condition(seen, "Ready") !== undefined);
  expect(status).toMatchObject({ status: "NoNodesSelected", nodes: { selected: 0 }, observedGeneration: 1 });
  expect(condition(status, "Ready")).toBe("True");
});

it("hands a policy to the nodes that it selects, and reports what they measured", async () => {
  await lab.addNode("worker-1", { labels: { pool: "a" } });
  await lab.addNode("worker-2", { labels: { pool: "a" } });
  await lab.addNode("other-1", { labels: { pool: "b" } });
  await lab.addPolicy("pool-a", {
    nodeSelector: { matchLabels: { pool: "a" } },
    ephemeralPorts: { range: "49152-65535" },
  });
  const status = await lab.statusWhere("pool-a", ready(2));
  expect(status).toMatchObject({
    status: "Ready",
    message: "All of 2 nodes enforce it.",
    nodes: { selected: 2, enforced: 2, failed: 0, unknown: 0 },
    range: "49152-65535",
    droppedPackets: 4,
    failures: [],
  });
  expect((await lab.policiesOn("worker-1")).map(({ name }) => name)).toEqual(["pool-a"]);
  expect(await lab.policiesOn("other-1")).toEqual([]);
});

it("shows the table that an operator reads", async () => {
  const { stdout } = await lab.controlPlane.kubectl(["get", "porthardeningpolicies", "pool-a"]);
  const [header = "", row = ""] = stdout.split("\n");
  expect(header.split(/\s+/).slice(0, 7)).toEqual(["NAME", "MODE", "NODES", "ENFORCED", "FAILED", "UNKNOWN", "STATUS"]);
  expect(row.split(/\s+/).slice(0, 7)).toEqual(["pool-a", "Enforce", "2", "2", "0", "0", "Ready"]);
});

it("follows the labels of a node", async () => {
  await lab.controlPlane.kubectl(["label", "node", "other-1", "pool=a", "--overwrite"]);
  await lab.statusWhere("pool-a", ready(3));
  await lab.controlPlane.kubectl(["label", "node", "other-1", "pool=b", "--overwrite"]);
  await lab.statusWhere("pool-a", ready(2));
  await lab.policiesBecome("other-1", []);
});

it("turns Reconciling on an edit, and Ready at the new revision", async () => {
  const [before] = await lab.policiesOn("worker-1");
  lab.agents.behave("worker-2", "Silent");
  await edit("pool-a", { ephemeralPorts: { range: "40000-50000" } });
  const progressing = await lab.statusWhere(
    "pool-a",
    (seen) => seen.nodes?.enforced === 1 && seen.observedGeneration === 2,
  );
  expect(progressing).toMatchObject({
    status: "Progressing",
    message: "1 of 2 nodes enforce it; waiting for worker-2.",
  });
  expect(condition(progressing, "Ready")).toBe("False");
  expect(condition(progressing, "Reconciling")).toBe("True");
  lab.agents.behave("worker-2", "Enforces");
  await lab.statusWhere("pool-a", ready(2));
  const [after] = await lab.policiesOn("worker-1");
  expect(after?.hash).not.toBe(before?.hash);
});

it("names the node that fails, with the tool's own words", async () => {
  lab.agents.behave("worker-2", "Fails");
  const status = await lab.statusWhere("pool-a", (seen) => seen.nodes?.failed === 1);
  expect(status).toMatchObject({
    status: "NodesFailed",
    message: "1 of 2 nodes failed: worker-2. worker-2: iptables-restore: line 7 failed",
    failures: [{ node: "worker-2", reason: "RestoreFailed", message: "iptables-restore: line 7 failed" }],
  });
  expect(condition(status, "Stalled")).toBe("True");
  lab.agents.behave("worker-2", "Enforces");
  await lab.statusWhere("pool-a", ready(2));
});

it("is PartlyEnforced where something on a node lets traffic past it, and names the node and what it is", async () => {
  lab.agents.behave("worker-2", "Evaded");
  const status = await lab.statusWhere("pool-a", (seen) => seen.nodes?.notEnforceable === 1);
  expect(status).toMatchObject({
    status: "PartlyEnforced",
    message: "1 of 2 nodes enforce it; not enforceable on worker-2. worker-2: OUTPUT (v4): accepted ahead of ours",
    nodes: { selected: 2, enforced: 1, failed: 0, unknown: 0 },
    failures: [{ node: "worker-2", reason: "HookEvaded" }],
  });
  expect([condition(status, "Ready"), condition(status, "Stalled")]).toEqual(["False", "True"]);
  lab.agents.behave("worker-2", "Enforces");
  const healed = await lab.statusWhere("pool-a", ready(2));
  expect(healed.nodes).not.toHaveProperty("notEnforceable");
});

it("is Ready where a node that enforces it has something to say, and says it", async () => {
  lab.agents.behave("worker-2", "Warns");
  const status = await lab.statusWhere("pool-a", (seen) => seen.message?.includes("50051") === true);
  expect(status).toMatchObject({
    status: "Ready",
    message: "All of 2 nodes enforce it. On worker-2: something listens on TCP 50051.",
  });
  lab.agents.behave("worker-2", "Enforces");
  await lab.statusWhere("pool-a", (seen) => seen.message === "All of 2 nodes enforce it.");
});

it("says it while a Service has a NodePort outside of the range that the controller was given", async () => {
  const ports = [{ port: 80, nodePort: 30500 }];
  const metadata = { namespace: "default", name: "stray" };
  const service = { apiVersion: "v1", kind: "Service", metadata, spec: { type: "NodePort", ports } };
  await lab.admin.create(resources.services, service);
  const status = await lab.statusWhere("pool-a", (seen) => seen.message?.includes("default/stray 30500") === true);
  expect(status.message).toMatch(/NodePorts are taken to be 30000-30099, but these are in use: default\/stray 30500;/);
  expect(condition(status, "Ready")).toBe("True");
  await lab.admin.delete(resources.services, metadata);
  await lab.statusWhere("pool-a", (seen) => seen.message === "All of 2 nodes enforce it.");
});

it("lets two policies select one node, and tells the one whose value loses", async () => {
  await lab.addPolicy("strong", { priority: 10, ephemeralPorts: { range: "50000-60000" } });
  const status = await lab.statusWhere("pool-a", (seen) => condition(seen, "Conflicted") === "True");
  expect(status.conditions?.find(({ type }) => type === "Conflicted")?.message).toBe(
    "spec.ephemeralPorts.range: policy strong wins on worker-1, worker-2.",
  );
  await lab.statusWhere("strong", ready(3));
  await lab.statusWhere("strong", (seen) => condition(seen, "Conflicted") === "False");
  expect((await lab.policiesOn("worker-1")).map(({ name }) => name)).toEqual(["pool-a", "strong"]);
});

it("takes a deleted policy off the nodes and leaves the other one alone", async () => {
  const [kept] = await lab.policiesOn("worker-1");
  await lab.admin.delete(resources.policies, { name: "strong" });
  await lab.policiesBecome("worker-1", ["pool-a"]);
  await lab.policiesBecome("other-1", []);
  expect(await lab.policiesOn("worker-1")).toEqual([kept]);
  await lab.statusWhere("pool-a", (seen) => condition(seen, "Conflicted") === "False");
});

it("counts a node that is not Ready as unknown, which blocks nothing", async () => {
  const patch = JSON.stringify({ status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
  const where = ["node", "worker-2", "--subresource=status", "--type=merge"];
  await lab.controlPlane.kubectl(["patch", ...where, "-p", patch]);
  const status = await lab.statusWhere("pool-a", (seen) => seen.nodes?.unknown === 1);
  expect(condition(status, "Ready")).toBe("True");
  expect(status.message).toBe("1 of 2 nodes enforce it; not ready or not heard of: worker-2.");
});

it("deletes the NodeState of a Node that is gone", async () => {
  await lab.admin.delete(resources.nodes, { name: "worker-2" });
  await waitFor(
    "its NodeState to go",
    async () => ((await lab.admin.get(resources.nodeStates, { name: "worker-2" })) === undefined ? true : undefined),
    { timeoutMilliseconds: 30_000 },
  );
  await lab.statusWhere("pool-a", (seen) => seen.nodes?.selected === 1);
});

it("goes on where it was stopped in the middle of a change of 50 nodes", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
  await Promise.all(names.map((name) => lab.addNode(name, { labels: { pool: "many" } })));
  await lab.addPolicy("many", { nodeSelector: { matchLabels: { pool: "many" } } });
  await waitFor("the first of them to have it", async () => ((await reached(names)) > 0 ? true : undefined), {
    timeoutMilliseconds: 10_000,
    intervalMilliseconds: 5,
  });
  expect(await controller.stop()).toBeLessThan(5_000);
  await edit("many", { ephemeralPorts: { range: "40000-50000" } });
  controller = await lab.startController();
  const status = await lab.statusWhere("many", (seen) => seen.observedGeneration === 2 && ready(50)(seen));
  expect(status.nodes).toEqual({ selected: 50, enforced: 50, failed: 0, unknown: 0 });
});

it("writes nothing when it starts and everything is in order", async () => {
  await controller.stop();
  const versions = async () =>
    Promise.all(
      [resources.policies, resources.nodeStates, resources.addressGroups].map(async (resource) => {
        const { items } = await lab.admin.list(resource, {});
        return items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
      }),
    );
  const before = await versions();
  controller = await lab.startController();
  await waitFor(
    "every pass to be over",
    async () => {
      const metrics = await controller.metrics();
      const synced = /caches_unsynced 0\n/.test(metrics) && /queue_depth 0\n/.test(metrics);
      return synced && /reconcile_duration_seconds_count{kind="policy"} [1-9]/.test(metrics) ? true : undefined;
    },
    { timeoutMilliseconds: 10_000 },
  );
  expect(await versions()).toEqual(before);
});

it("waits for an agent that was never heard of, then counts its node as unknown, and hears it again", async () => {
  await controller.stop();
  await lab.addPolicy("lonely", { nodeSelector: { matchLabels: { pool: "lonely" } } });
  lab.agents.behave("lonely", "Silent");
  controller = await lab.startController({ silentAfterSeconds: 2 });
  await lab.addNode("lonely", { labels: { pool: "lonely" } });
  await lab.statusWhere("lonely", (seen) => seen.status === "Progressing");
  const silent = await lab.statusWhere("lonely", (seen) => seen.nodes?.unknown === 1);
  // Nobody enforces it: that must not look like success.
  expect(condition(silent, "Ready")).toBe("Unknown");
  expect(silent.status).toBe("NodesUnknown");
  lab.agents.behave("lonely", "Enforces");
  await lab.statusWhere("lonely", ready(1));
  await lab.statusWhere("lonely", (seen) => seen.nodes?.unknown === 1);
});

async function edit(name: string, spec: object): Promise<void> {
  const patch = JSON.stringify({ spec });
  await lab.controlPlane.kubectl(["patch", "porthardeningpolicies", name, "--type=merge", "-p", patch]);
}

async function reached(names: readonly string[]): Promise<number> {
  const { items } = await lab.admin.list(resources.nodeStates, {});
  return items.filter(({ metadata, ...rest }) => {
    const { spec } = rest as { readonly spec?: { readonly policies: readonly unknown[] } };
    return names.includes(metadata.name) && (spec?.policies.length ?? 0) > 0;
  }).length;
}
