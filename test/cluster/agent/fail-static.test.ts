import { rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { LabProcess } from "../../lab/lab-process.ts";
import { served } from "../../lab/operator-cluster.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, startAgentLab } from "./agent-lab.ts";

const crd = resolve(import.meta.dirname, "../../../crds/porthardening.io_porthardeningnodestates.yaml");
const NODE_STATES = "porthardeningnodestates.porthardening.io";
const refused = "192.0.2.7";
const workers = assigned({ firewall: { inbound: {} } }, "workers");
const other = assigned({ firewall: { inbound: { ports: ["1024-2048"] } } }, "other");

let lab: AgentLab;
let agent: LabProcess;

beforeAll(async () => {
  lab = await startAgentLab([`${refused}/24`]);
});
afterAll(() => lab?.close());
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeEach(async () => {
  await agent?.stop();
  agent = await lab.startAgent();
  await lab.assign([workers]);
  await agent.waitForLog(/policies enforced/, 30_000);
  await lab.statusWhere("workers alone to be enforced", enforces("workers"));
  if (await reaches()) throw new Error("a stranger gets in though workers is enforced");
});

const enforces =
  (...names: readonly string[]) =>
  ({
    policies = [],
  }: {
    readonly policies?: readonly { readonly name: string; readonly state: string }[] | undefined;
  }) =>
    policies.length === names.length &&
    policies.every(({ name, state }) => names.includes(name) && state === "Enforced");

async function reaches(): Promise<boolean> {
  const traffic = await lab.outside.traffic();
  return (await traffic.connect({ to: lab.node.ipv4, port: served.hostPort, from: refused })).outcome === "connected";
}

it("keeps rules while the CRD of NodeStates is gone, over a crash too, and reports when it is back", async () => {
  const rules = await lab.rules();
  await lab.controlPlane.kubectl(["delete", "crd", NODE_STATES, "--wait=true"]);
  await agent.waitForLog(/this node has no NodeState|watch failed/, 60_000);
  expect(await lab.rules()).toBe(rules);
  await agent.kill();
  expect(await reaches()).toBe(false);
  agent = await lab.startAgent();
  await agent.waitForLog(/policies enforced/, 30_000);
  await agent.waitForLog(/watch failed/, 60_000);
  expect(await lab.rules()).toBe(rules);
  await lab.controlPlane.kubectl(["create", "-f", crd]);
  await lab.controlPlane.kubectl(["wait", "--for=condition=Established", "crd", NODE_STATES, "--timeout=30s"]);
  await waitFor(
    "NodeStates to be served",
    () =>
      lab.assign([workers, other]).then(
        () => true,
        () => undefined,
      ),
    { timeoutMilliseconds: 60_000 },
  );
  await waitFor(
    "the agent to report into the new one",
    async () => (enforces("workers", "other")((await lab.status()) ?? {}) ? true : undefined),
    { timeoutMilliseconds: 90_000, lastSeen: () => agent.log().slice(-1_000) },
  );
});

it("keeps rules where the state directory was emptied, with the API server gone, and goes on when it is back", async () => {
  const rules = await lab.rules();
  await agent.stop();
  await lab.controlPlane.stop();
  await rm(lab.node.stateDirectory, { recursive: true });
  // As kubelet does, by the guard's liveness probe.
  await lab.node.guard.current?.kill();
  agent = await lab.startAgent();
  await agent.waitForLog(/watch failed/, 60_000);
  expect(await lab.rules()).toBe(rules);
  await lab.controlPlane.start();
  await lab.assign([workers, other]);
  await waitFor(
    "the new policy to be enforced",
    async () => (enforces("workers", "other")((await lab.status()) ?? {}) ? true : undefined),
    { timeoutMilliseconds: 90_000, lastSeen: () => agent.log().slice(-1_000) },
  );
});

it("keeps rules where the state directory cannot be used, says so, and goes on when it can", async () => {
  const { stateDirectory } = lab.node;
  const rules = await lab.rules();
  await agent.stop();
  await rename(stateDirectory, `${stateDirectory}.away`);
  await writeFile(stateDirectory, "no folder");
  try {
    agent = await lab.startAgent();
    await agent.waitForLog(/pass failed/, 30_000);
    await lab.statusWhere("it to be said", ({ conditions = [] }) =>
      conditions.some(({ type, status, message }) => type === "Ready" && status === "False" && /ENOTDIR/.test(message)),
    );
    expect(await lab.rules()).toBe(rules);
    expect(await reaches()).toBe(false);
  } finally {
    await rm(stateDirectory);
    await rename(`${stateDirectory}.away`, stateDirectory);
  }
  await lab.assign([workers, other]);
  await waitFor(
    "the new policy to be enforced",
    async () => (enforces("workers", "other")((await lab.status()) ?? {}) ? true : undefined),
    { timeoutMilliseconds: 90_000, lastSeen: () => agent.log().slice(-1_000) },
  );
});
