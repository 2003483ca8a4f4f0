import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { fieldAt, recordsAt } from "../../../src/controller/wire-fields.ts";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { ForwardedApi } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { agentsReady, startOperatorCluster, workerOf } from "../../lab/operator-cluster.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type AgentPlace, agentLosses } from "./agent-losses.ts";
import { expectLossForEach, holdsWithout, type Program, removePolicies } from "./loss.ts";
import { type Right, type Roles, rolesOf, serviceAccount } from "./roles.ts";

const stranger = "198.51.100.9";

let lab: Lab;
let api: ForwardedApi;
let place: AgentPlace;
let roles: Roles;
let agent: LabProcess | undefined;
/** Of the log that all agents of the node write, what was there before this one. */
let logged = 0;

const program: Program = {
  log: () => agent?.log().slice(logged) ?? "",
  stop: async () => agent?.stop(),
  async start() {
    logged = agent?.log().length ?? 0;
    agent = await place.worker.startAgent();
  },
};

beforeAll(async () => {
  lab = await createLab();
  const cluster = await startOperatorCluster(lab, { workers: 1, sources: [`${stranger}/24`] });
  const worker = workerOf(cluster, 0);
  const definition = join(resolve(import.meta.dirname, "../../.."), ".cache/clusterreports.yaml");
  await cluster.controlPlane.kubectl(["apply", "--server-side", "-f", definition]);
  api = await cluster.controlPlane.forward();
  const admin = kubeClient(loadKubeConfig(api.kubeconfig));
  place = { admin, worker, outside: cluster.outside, stranger };
  roles = await rolesOf(await serviceAccount("port-hardening-agent", admin), admin, api.kubeconfig);
  await cluster.startController(["--no-leader-elect"]);
  await program.start();
  await agentsReady(cluster);
});
afterAll(async () => {
  await roles?.close();
  await place?.admin.close();
  await api?.close();
  await lab?.close();
});
afterEach(() => removePolicies(place.admin));

const PATIENCE = { timeoutMilliseconds: 60_000 };

/** What the node says of changes that it does not see: `cannot watch resource "nodes"` as `cannot watch nodes`. */
async function notSeen(): Promise<string | undefined> {
  const state = await place.admin.get(resources.nodeStates, { name: place.worker.name });
  const conditions = recordsAt(fieldAt(state, "status"), "conditions");
  const found = conditions.find(({ type, status }) => type === "ChangesNotSeen" && status === "True");
  return found && String(found["message"]).replaceAll(/resource "(\w+)"/g, "$1");
}

it("there is a promise for every right of the agents", () => {
  expectLossForEach(roles.rights, agentLosses);
});

it.each(agentLosses.map((loss, index) => ({ ...loss, name: `loss-${index + 1}` })))(
  "without the right to $right it does not hold that $promise",
  async ({ name, ...loss }) => {
    const follows = loss.right.startsWith("watch ");
    const meanwhile = async ({ text }: Right) => {
      if (follows)
        await waitFor(
          "the node to say so",
          async () => (await notSeen())?.includes(`cannot ${text}`) || undefined,
          PATIENCE,
        );
    };
    expect(await holdsWithout(loss, { place, program, roles, name, meanwhile })).toBe(false);
    if (follows)
      await waitFor("the node to say so no more", async () => (await notSeen()) === undefined || undefined, PATIENCE);
  },
);
