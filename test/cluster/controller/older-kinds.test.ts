import { afterAll, beforeAll, expect, it } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { resources } from "../../../src/kube/resources.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";

const NODE_STATES = "porthardeningnodestates.porthardening.io";
const POLICIES = "porthardeningpolicies.porthardening.io";

let lab: ControllerLab;
let controller: RunningController;

beforeAll(async () => {
  lab = await startControllerLab();
  controller = await lab.startController();
  await lab.addNode("new");
  await lab.addNode("old");
  for (const node of ["new", "old"]) lab.agents.report(node, { planFormats: [1], agentVersion: "0.1.0" });
  await lab.addPolicy("workers");
  await lab.statusWhere("workers", (status) => condition(status, "Ready") === "True");
});
afterAll(() => lab?.close());

/** What an older release's CRD did not have: the field at this path of the status. */
async function takeAway(crd: string, path: readonly string[]): Promise<void> {
  const at = ["", "spec", "versions", "0", "schema", "openAPIV3Schema", "properties", "status", ...path].join("/");
  await lab.controlPlane.kubectl([
    "patch",
    "crd",
    crd,
    "--type=json",
    "-p",
    JSON.stringify([{ op: "remove", path: at }]),
  ]);
}

const versionOf = async (name: string) => (await lab.admin.get(resources.policies, { name }))?.metadata.resourceVersion;

it("names the node whose agent is outdated in the table that an operator reads, and in the status that scripts wait for", async () => {
  lab.agents.report("old", { planFormats: [7], agentVersion: "7.0.0" });
  await lab.statusWhere("workers", (status) => status.status === "ControllerOutdated");
  lab.agents.report("old", { planFormats: [], agentVersion: "0.0.1" });
  const status = await lab.statusWhere("workers", (seen) => seen.status === "AgentOutdated");
  expect(status.nodes).toEqual({ selected: 2, enforced: 1, failed: 0, unknown: 0, outdated: 1 });
  const { stdout } = await lab.controlPlane.kubectl(["get", "phpol", "workers"]);
  expect(stdout.split("\n")[1]?.split(/\s+/).slice(0, 7).join(" ")).toBe("workers Enforce 2 1 0 0 AgentOutdated");
  await lab.controlPlane.kubectl(["wait", "--for=condition=Stalled", "phpol/workers", "--timeout=20s"]);
  expect(await controller.metrics()).toContain('port_hardening_policies{status="AgentOutdated"} 1');
  expect(await controller.metrics()).toContain('port_hardening_policy_nodes{policy="workers",outcome="Outdated"} 1');
});

it("writes what an older kind of policies knows of a status, and that once", async () => {
  await takeAway(POLICIES, ["properties", "nodes", "properties", "outdated"]);
  await lab.addPolicy("second");
  await lab.statusWhere("second", (seen) => seen.status === "AgentOutdated");
  const { nodes } = await lab.statusWhere("workers", (seen) => seen.nodes?.enforced === 1);
  const version = await versionOf("workers");
  // Whatever changes has every policy looked at.
  await lab.addPolicy("third", { nodeSelector: { matchLabels: { role: "nobody" } } });
  await lab.statusWhere("third", (seen) => seen.status === "NoNodesSelected");
  await lab.statusWhere("second", (seen) => seen.nodes?.selected === 2 && seen.nodes.enforced === 1);
  expect(nodes).toBeDefined();
  expect(await versionOf("workers")).toBe(version);
  expect(controller.log()).toMatch(/"fields":\["status.nodes.outdated"\].*its CRD is older/);
});

it("takes an agent for a new one whose formats an older kind of node states drops", async () => {
  await takeAway(NODE_STATES, ["properties", "planFormats"]);
  lab.agents.report("old", { planFormats: [1], agentVersion: "0.1.1" });
  await lab.statusWhere("workers", (seen) => seen.nodes?.enforced === 2);
  const held = await lab.policiesBecome("old", ["second", "workers"]);
  expect(held.map(({ plan }) => plan["format"])).toEqual([1, 1]);
  const { status } = (await lab.admin.get(resources.nodeStates, { name: "old" })) as { status?: NodeStateStatus };
  expect(status).toMatchObject({ agentVersion: "0.1.1" });
  expect(status).not.toHaveProperty("planFormats");
});
