import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";
import { followUnderWay, type Pool, startPool } from "./rollout-lab.ts";

const program = join(resolve(import.meta.dirname, "../../.."), "src/main.ts");
let lab: ControllerLab;
let controller: RunningController;

beforeAll(async () => {
  lab = await startControllerLab();
  controller = await lab.startController();
});
afterAll(async () => {
  await lab?.close();
});

const rolloutCommand = (...args: string[]) =>
  execa(process.execPath, [program, "rollout", ...args, "--kubeconfig", lab.api.kubeconfig], { reject: false });
const silence = (pool: Pool) => {
  for (const node of pool.nodes) lab.agents.behave(node, "Silent");
};
const enforcedOn = (count: number) => (status: Awaited<ReturnType<ControllerLab["statusOf"]>>) =>
  condition(status, "Ready") === "True" && status.nodes?.enforced === count && status.rollout?.phase === "Complete";

it("hands an edit to a canary, and to maxUnavailable at a time behind it", async () => {
  const pool = await startPool(lab, "steps", 5, { maxUnavailable: 2 });
  silence(pool);
  await pool.edit();
  await pool.handedAre(["steps-a"]);
  const canary = await lab.statusWhere(
    "steps",
    (seen) => seen.rollout?.phase === "Canary" && seen.rollout.updated === 1,
  );
  expect(canary).toMatchObject({
    status: "Progressing",
    message: "0 of 5 nodes enforce it; canary: waiting for steps-a; 4 nodes follow.",
    rollout: { total: 5, updated: 1, enforced: 0 },
  });
  lab.agents.behave("steps-a", "Enforces");
  await pool.handedAre(["steps-a", "steps-b", "steps-c"]);
  lab.agents.behave("steps-c", "Enforces");
  await pool.handedAre(["steps-a", "steps-b", "steps-c", "steps-d"]);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("steps", enforcedOn(5));
});

it("takes the canary from those with the labels, and says so where there is none", async () => {
  const nodeSelector = { matchLabels: { canary: "true" } };
  const pool = await startPool(lab, "birds", 3, {});
  await pool.edit({ rollout: { canary: { nodeSelector } } });
  const blocked = await lab.statusWhere("birds", (seen) => seen.status === "NoCanary");
  expect([condition(blocked, "Ready"), condition(blocked, "Stalled")]).toEqual(["False", "True"]);
  expect(blocked.message).toContain("No selected node has the labels that spec.rollout.canary.nodeSelector asks for");
  await pool.handedAre([]);
  silence(pool);
  await lab.controlPlane.kubectl(["label", "node", "birds-b", "canary=true"]);
  await pool.handedAre(["birds-b"]);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("birds", enforcedOn(3));
});

describe("a node that fails", () => {
  let pool: Pool;

  it("halts the roll-out: status names the node, the reason and the way out, and an Event tells it", async () => {
    pool = await startPool(lab, "halts", 4, {});
    lab.agents.behave("halts-a", "Fails");
    await pool.edit();
    const halted = await lab.statusWhere("halts", (seen) => seen.status === "RolloutHalted");
    expect([condition(halted, "Ready"), condition(halted, "Stalled"), condition(halted, "Reconciling")]).toEqual([
      "False",
      "True",
      "False",
    ]);
    expect(halted.message).toMatch(
      /halts-a: iptables-restore: line 7 failed. The roll-out has halted, as it failed on halts-a; 3 nodes are left/,
    );
    expect(halted.message).toContain("porthardening.io/retry-at");
    await pool.handedAre(["halts-a"]);
    await eventOf("halts", "RolloutHalted");
    const { exitCode, stdout } = await rolloutCommand("status", "halts");
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringMatching(/^halts: Halted, 0 of 4: .*halts-a: iptables-restore/),
    ]);
  });

  it("is what the next edit begins with", async () => {
    await pool.edit();
    await lab.statusWhere("halts", (seen) => seen.status === "RolloutHalted" && seen.observedGeneration === 3);
    await pool.handedAre(["halts-a"]);
  });

  it("tries again when the annotation changes, and the others follow", async () => {
    // What its agent says next, it says because of its NodeState alone.
    const state = await lab.admin.get(resources.nodeStates, { name: "halts-a" });
    lab.agents.behaveFromNextSpec("halts-a", "Enforces");
    expect((await rolloutCommand("retry", "halts")).stdout).toBe("halts: nodes that failed try again");
    await lab.statusWhere("halts", enforcedOn(4));
    const after = await lab.admin.get(resources.nodeStates, { name: "halts-a" });
    expect(after?.metadata.generation).toBe((state?.metadata.generation ?? 0) + 1);
    await eventOf("halts", "RolloutResumed");
  });
});

it("is paused and resumed by kubectl and by the command, and followed to its end", async () => {
  const pool = await startPool(lab, "stops", 4, {});
  expect((await rolloutCommand("pause", "stops")).stdout).toBe("stops paused");
  expect((await rolloutCommand("pause", "stops")).stdout).toBe("stops is paused already");
  await lab.statusWhere("stops", (seen) => seen.observedGeneration === 2 && enforcedOn(4)(seen));
  await pool.edit();
  const paused = await lab.statusWhere("stops", (seen) => seen.status === "RolloutPaused");
  expect([condition(paused, "Ready"), condition(paused, "Stalled")]).toEqual(["False", "False"]);
  await pool.handedAre([]);
  const looked = await rolloutCommand("status", "stops", "--watch=false");
  expect([looked.exitCode, looked.stdout]).toEqual([0, expect.stringMatching(/^stops: Paused, 0 of 4: .*paused/)]);
  const waited = await rolloutCommand("status", "stops", "--timeout", "1s");
  expect([waited.exitCode, waited.stdout]).toEqual([1, expect.stringMatching(/not done after 1 s$/)]);
  silence(pool);
  await lab.controlPlane.kubectl([
    "patch",
    "phpol",
    "stops",
    "--type=merge",
    "-p",
    '{"spec":{"rollout":{"paused":false}}}',
  ]);
  await pool.handedAre(["stops-a"]);
  await lab.controlPlane.kubectl([
    "patch",
    "phpol",
    "stops",
    "--type=merge",
    "-p",
    '{"spec":{"rollout":{"paused":true}}}',
  ]);
  await lab.statusWhere("stops", (seen) => seen.rollout?.phase === "Paused");
  lab.agents.behave("stops-a", "Enforces");
  await lab.statusWhere("stops", (seen) => seen.rollout?.enforced === 1);
  await pool.handedAre(["stops-a"]);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  expect((await rolloutCommand("resume", "stops")).stdout).toBe("stops resumed");
  const followed = await rolloutCommand("status", "stops", "--timeout", "60s");
  expect([followed.exitCode, followed.stdout.split("\n").at(-1)]).toEqual([
    0,
    "stops: Complete, 4 of 4: All of 4 nodes enforce it.",
  ]);
  expect((await rolloutCommand("status", "nothing")).exitCode).toBe(1);
});

it("begins anew at the canary where the policy is edited in the middle, and goes back at once where the edit is taken back", async () => {
  const pool = await startPool(lab, "again", 4, { maxUnavailable: 1 });
  const first = (await lab.policiesOn("again-a"))[0]?.hash;
  silence(pool);
  await pool.edit();
  await pool.handedAre(["again-a"]);
  lab.agents.behave("again-a", "Enforces");
  await pool.handedAre(["again-a", "again-b"]);
  lab.agents.behave("again-a", "Silent");
  await pool.edit();
  const newest = await lab.statusWhere("again", (seen) => seen.observedGeneration === 3 && seen.rollout?.updated === 1);
  expect(newest.rollout?.phase).toBe("Canary");
  await pool.handedAre(["again-a", "again-b"]);
  await lab.controlPlane.kubectl(["patch", "phpol", "again", "--type=merge", "-p", '{"spec":{"ephemeralPorts":null}}']);
  await pool.handedAre(["again-b"]);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  const back = await lab.statusWhere("again", enforcedOn(4));
  expect(back.rollout?.revision).toBe(first);
});

it("goes on where it was, though the controller was killed in the middle", async () => {
  const pool = await startPool(lab, "killed", 4, { maxUnavailable: 1 });
  silence(pool);
  await pool.edit();
  await pool.handedAre(["killed-a"]);
  await controller.stop();
  controller = await lab.startController();
  await pool.handedAre(["killed-a"]);
  await controller.stop();
  lab.agents.behave("killed-a", "Enforces");
  controller = await lab.startController();
  await pool.handedAre(["killed-a", "killed-b"]);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("killed", enforcedOn(4));
});

it("counts as stalled where nothing comes forward for progressDeadlineSeconds, over a restart too, and goes on when it does", async () => {
  const pool = await startPool(lab, "slow", 3, { progressDeadlineSeconds: 2 });
  silence(pool);
  await pool.edit();
  const stalled = await lab.statusWhere("slow", (seen) => seen.status === "ProgressDeadlineExceeded");
  expect(stalled.message).toContain(
    "In 2 s no further node came to enforce it (0 of 3 do; 2 nodes behind). It waits for slow-a.",
  );
  expect([condition(stalled, "Stalled"), condition(stalled, "Reconciling")]).toEqual(["True", "False"]);
  expect((await rolloutCommand("status", "slow")).exitCode).toBe(1);
  await controller.stop();
  controller = await lab.startController();
  await pool.handedAre(["slow-a"]);
  expect((await lab.statusOf("slow")).rollout?.progressedAt).toBe(stalled.rollout?.progressedAt);
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("slow", enforcedOn(3));
});

it("does not wait for nodes that are not ready, and gives it to them last", async () => {
  const pool = await startPool(lab, "away", 3, {});
  await setReady("away-a", "Unknown");
  lab.agents.behave("away-a", "Silent");
  lab.agents.behave("away-b", "Silent");
  await pool.edit();
  await pool.handedAre(["away-b"]);
  lab.agents.behave("away-b", "Enforces");
  await pool.handedAre(["away-a", "away-b", "away-c"]);
  const status = await lab.statusWhere(
    "away",
    (seen) => seen.rollout?.phase === "Complete" && seen.nodes?.enforced === 2,
  );
  expect(condition(status, "Ready")).toBe("True");
  // It is no canary of the next one either.
  await setReady("away-a", "True");
  lab.agents.behave("away-a", "Enforces");
  await lab.statusWhere("away", enforcedOn(3));
});

it("waits for a node that went away after it was handed the revision", async () => {
  const pool = await startPool(lab, "lost", 3, { progressDeadlineSeconds: 2 });
  silence(pool);
  await pool.edit();
  await pool.handedAre(["lost-a"]);
  await setReady("lost-a", "Unknown");
  const lost = "Not ready or not heard of since they were handed it: lost-a";
  const stalled = await lab.statusWhere("lost", (seen) => seen.message?.includes(lost) === true);
  expect(stalled.status).toBe("ProgressDeadlineExceeded");
  await pool.handedAre(["lost-a"]);
  await lab.admin.delete(resources.nodes, { name: "lost-a" });
  for (const node of pool.nodes) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("lost", enforcedOn(2));
});

it("hands it to all at once where the strategy is Immediate, or the policy only observes", async () => {
  const pool = await startPool(lab, "all", 4, { strategy: "Immediate" });
  silence(pool);
  await pool.edit();
  await pool.handedAre(pool.nodes);
  const observed = await startPool(lab, "seen", 4, {});
  silence(observed);
  await observed.edit({ mode: "Observe" });
  await observed.handedAre(observed.nodes);
  for (const node of [...pool.nodes, ...observed.nodes]) lab.agents.behave(node, "Enforces");
  await lab.statusWhere("seen", (seen) => seen.status === "Ready" || seen.rollout?.phase === "Complete");
  const before = (await lab.policiesOn("seen-a"))[0]?.hash;
  silence(observed);
  await observed.edit();
  await waitFor(
    "the edit of what observes to be everywhere",
    async () => {
      const hashes = await Promise.all(observed.nodes.map(async (node) => (await lab.policiesOn(node))[0]?.hash));
      return hashes.every((hash) => hash !== before) ? true : undefined;
    },
    { timeoutMilliseconds: 20_000 },
  );
});

it("takes a deleted policy off some nodes at a time where others enforce beside it, else off all at once", async () => {
  const pool = await startPool(lab, "leaves", 3, {});
  await lab.addPolicy("stays", { nodeSelector: { matchLabels: { pool: "leaves" } } });
  await lab.statusWhere("stays", enforcedOn(3));
  silence(pool);
  await lab.admin.delete(resources.policies, { name: "leaves" });
  await pool.handedAre(["leaves-a"]);
  lab.agents.behave("leaves-a", "Enforces");
  await pool.handedAre(["leaves-a", "leaves-b"]);
  lab.agents.behave("leaves-b", "Enforces");
  await pool.handedAre(["leaves-a", "leaves-b", "leaves-c"]);
  lab.agents.behave("leaves-c", "Enforces");
  silence(pool);
  await lab.admin.delete(resources.policies, { name: "stays" });
  for (const node of pool.nodes) expect(await lab.policiesBecome(node, [])).toEqual([]);
});

it("never has more under way than it may, as seen in the order of writes, while agents answer as they come", async () => {
  const pool = await startPool(lab, "many", 24, { maxUnavailable: 3 });
  const watch = followUnderWay(lab.admin, "many");
  try {
    await lab.controlPlane.kubectl([
      "patch",
      "phpol",
      "many",
      "--type=merge",
      "-p",
      '{"spec":{"rollout":{"paused":true}}}',
    ]);
    await pool.edit();
    const { rollout } = await lab.statusWhere("many", (seen) => seen.rollout?.phase === "Paused");
    watch.watchFor(rollout?.revision ?? "");
    await rolloutCommand("resume", "many");
    expect((await rolloutCommand("status", "many", "--timeout", "60s")).exitCode).toBe(0);
    expect(watch.most()).toBeGreaterThan(0);
    expect(watch.most()).toBeLessThanOrEqual(3);
  } finally {
    await watch.stop();
  }
});

async function setReady(node: string, status: "True" | "Unknown"): Promise<void> {
  const patch = JSON.stringify({ status: { conditions: [{ type: "Ready", status }] } });
  await lab.controlPlane.kubectl(["patch", "node", node, "--subresource=status", "--type=merge", "-p", patch]);
}

async function eventOf(policy: string, reason: string): Promise<void> {
  const where = ["--field-selector", `involvedObject.name=${policy},reason=${reason}`];
  const found = async () => {
    const { stdout } = await lab.controlPlane.kubectl(["get", "events", "-n", "default", ...where, "-o", "name"]);
    return stdout.trim() === "" ? undefined : true;
  };
  await waitFor(`the Event ${reason}`, found, { timeoutMilliseconds: 20_000 });
}
