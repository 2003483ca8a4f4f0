import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { WorkerNode } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";
import { lastApplied } from "./agent/agent-lab.ts";
import { releases } from "./skew/releases.ts";
import {
  condition,
  hasSetAside,
  letsOfficeIn,
  office,
  type SkewLab,
  startSkewLab,
  stranger,
  TIMEOUT,
} from "./skew/skew-lab.ts";

// Each step of a release is waited for, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

// One cluster through its releases, from the first test to the last: each goes on where the one before ended.
let lab: SkewLab;
let first: WorkerNode;
let second: WorkerNode;

beforeAll(async () => {
  lab = await startSkewLab();
  ({ first, second } = lab);
}, 300_000);
afterAll(() => lab?.close());

const hashesOn = async (node: WorkerNode) => (await lab.stateOf(node)).spec.policies.map(({ hash }) => hash);

describe("an upgrade whose compiler changes every hash", () => {
  let hashes: readonly string[];

  it("is followed by each node like an edit, without a gap and without another rule", async () => {
    hashes = await hashesOn(first);
    // Somebody has to be behind, for a status that can be looked at.
    lab.agentOn(second).signal("SIGSTOP");
    await lab.expectNoGapWhile(async () => {
      await lab.runController(releases.compiler);
      const waiting = await lab.statusWhere("workers", (status) => condition(status, "Ready")?.status === "False");
      expect(waiting).toMatchObject({ status: "Progressing", message: expect.stringContaining(second.name) });
      expect(condition(waiting, "Reconciling")?.status).toBe("True");
      lab.agentOn(second).signal("SIGCONT");
      await lab.bothReady();
    });
    for (const node of lab.nodes) {
      await lab.enforcedIn(node, 1);
      const after = await hashesOn(node);
      expect(after).toHaveLength(2);
      for (const hash of after) expect(hashes).not.toContain(hash);
    }
  });

  it("is taken back by a downgrade in the same way, to the very hashes of before", async () => {
    await lab.expectNoGapWhile(async () => {
      await lab.runController(releases.today);
      await lab.nodeWhere(first, "to have the former hashes", ({ spec }) => spec.policies[0]?.hash === hashes[0]);
      for (const node of lab.nodes) {
        await lab.nodeWhere(node, "to have them all", ({ spec }) =>
          hashes.every((one, at) => spec.policies[at]?.hash === one),
        );
        await lab.enforcedIn(node, 1);
      }
      await lab.bothReady();
    });
  });

  it("changes nothing where it compiles to the same: a restarted controller writes no NodeState", async () => {
    const generations = async () =>
      Promise.all(lab.nodes.map(async (node) => (await lab.stateOf(node)).metadata.generation));
    const before = await generations();
    await lab.runController(releases.next);
    // By the time that it has rolled a change out it has looked at everything.
    await lab.cluster.apply(letsOfficeIn("later", 9000));
    await lab.ready("later");
    await lab.cluster.controlPlane.kubectl(["delete", "phpol", "later"]);
    for (const node of lab.nodes)
      await lab.nodeWhere(node, "to be rid of it", ({ spec }) => spec.policies.length === 2);
    // One that adds `later` and one that takes it away; where it comes second, one before that asks what it would cut.
    expect(await generations()).toEqual(before.map((generation = 0, at) => generation + (at === 0 ? 2 : 3)));
    for (const node of lab.nodes) await lab.enforcedIn(node, 1);
    await lab.runController(releases.today);
  });
});

describe("a release with a new plan format", () => {
  it("whose agents come first has them read the format of the controller", async () => {
    await lab.expectNoGapWhile(async () => {
      await lab.runAgent(first, releases.next);
      await lab.agentReads(first, [1, 2]);
      await lab.enforcedIn(first, 1);
      await lab.bothReady();
    });
  });

  it("gives each node the newest format that its agent reads", async () => {
    await lab.expectNoGapWhile(async () => {
      await lab.runController(releases.next);
      await lab.enforcedIn(first, 2);
      await lab.enforcedIn(second, 1);
      await lab.bothReady();
    });
    await lab.expectNoGapWhile(async () => {
      await lab.runAgent(second, releases.next);
      await lab.enforcedIn(second, 2);
      await lab.bothReady();
    });
  });

  it("is read by its agents from their disk when they start again", async () => {
    await lab.expectNoGapWhile(async () => {
      const logged = lab.agentOn(second).log().length;
      await lab.runAgent(second, releases.next);
      const since = () => lab.agentOn(second).log().slice(logged);
      await waitFor("it to find all as it shall be", () => /"unchanged":true/.test(since()) || undefined, {
        ...TIMEOUT,
        lastSeen: since,
      });
    });
    expect(await hasSetAside(second)).toBe(false);
  });

  it("taken back on a node, leaves its rules until the agent of before gets plans that it reads", async () => {
    await lab.expectNoGapWhile(async () => {
      // So that this agent has nothing but what it cannot read.
      await lab.stopController();
      await lab.runAgent(first, releases.today);
      await lab.agentReads(first, [1]);
      const { status } = await lab.nodeWhere(
        first,
        "to refuse its plans",
        ({ status }) => status?.policies?.every(({ reason }) => reason === "UnknownPlanFormat") === true,
      );
      expect(status?.policies?.map(({ state }) => state)).toEqual(["Failed", "Failed"]);
      expect(status?.policies?.[0]?.message).toBe(
        "plan of policy settings has format 2; this agent reads 1: upgrade the agents; what an agent before this one enforced of it stays",
      );
      await lab.runController(releases.next);
      await lab.enforcedIn(first, 1);
      await lab.bothReady();
    });
  });

  it("taken back by its controller first, is followed by its agents", async () => {
    await lab.expectNoGapWhile(async () => {
      await lab.runController(releases.today);
      await lab.enforcedIn(second, 1);
      await lab.bothReady();
      await waitFor(
        "the plans on its disk to be those that the agent of before reads",
        async () => !(await readFile(lastApplied(second), "utf8")).includes('"format":2') || undefined,
        TIMEOUT,
      );
      await lab.runAgent(second, releases.today);
      await lab.agentReads(second, [1]);
      await lab.enforcedIn(second, 1);
      await lab.runAgent(second, releases.next);
      await lab.agentReads(second, [1, 2]);
    });
    expect(await hasSetAside(second)).toBe(false);
    // The one that was taken back before its controller had to do so.
    expect(await hasSetAside(first)).toBe(true);
  });
});

describe("an agent that is two releases behind", () => {
  it("is left alone and keeps what it has, and the policy says so, and the way out", async () => {
    await lab.expectNoGapWhile(async () => {
      const before = await lab.stateOf(first);
      await lab.runController(releases.afterNext);
      await lab.enforcedIn(second, 2);
      const status = await lab.statusWhere(
        "workers",
        (seen) => seen.status === "AgentOutdated" && seen.nodes?.enforced === 1,
      );
      expect(status).toMatchObject({
        message:
          "1 of 2 nodes enforce it; cannot be told: node1, which keep what they have. " +
          "node1: its agent (0.1.0) reads plan format 1, this controller writes 2 and 3: upgrade the agents",
        nodes: { selected: 2, enforced: 1, failed: 0, unknown: 0, outdated: 1 },
        failures: [{ node: "node1", reason: "AgentOutdated" }],
      });
      for (const [type, is] of [
        ["Ready", "False"],
        ["Stalled", "True"],
        ["Reconciling", "False"],
      ] as const)
        expect(condition(status, type)).toMatchObject({ status: is, reason: "AgentOutdated" });
      await lab.cluster.controlPlane.kubectl(["wait", "--for=condition=Stalled", "phpol/workers", "--timeout=20s"]);
      expect((await lab.stateOf(first)).spec).toEqual(before.spec);
    });
  });

  it("follows no edit, is not counted as enforced, and holds no other node up", async () => {
    await lab.cluster.apply(letsOfficeIn("workers", 9000));
    await lab.statusWhere("workers", (seen) => seen.status === "AgentOutdated" && seen.nodes?.enforced === 1);
    expect([await lab.reaches(office, first), await lab.reaches(office, second)]).toEqual(["connected", "timeout"]);
    await lab.cluster.apply(letsOfficeIn("newcomer", 8443));
    const status = await lab.statusWhere("newcomer", (seen) => seen.nodes?.enforced === 1);
    expect(status).toMatchObject({ status: "AgentOutdated", nodes: { outdated: 1 } });
    expect((await lab.stateOf(first)).spec.policies.map(({ name }) => name)).toEqual(["settings", "workers"]);
    expect(await lab.reaches(office, second)).toBe("connected");
  });

  it("lets go of a policy that is deleted: that takes no plan", async () => {
    await lab.cluster.controlPlane.kubectl(["delete", "phpol", "workers", "newcomer"]);
    await lab.nodeWhere(first, "to be rid of it", ({ spec, status }) =>
      [spec.policies, status?.policies].every((list) => list?.map(({ name }) => name).join() === "settings"),
    );
    expect(await lab.reaches(stranger, first)).toBe("connected");
  });

  it("follows as soon as it is upgraded", async () => {
    await lab.cluster.apply(letsOfficeIn("workers", 8443));
    await lab.statusWhere("workers", (seen) => seen.status === "AgentOutdated");
    await lab.runAgent(first, releases.next);
    await lab.enforcedIn(first, 2);
    await lab.bothReady();
    expect(await lab.reaches(stranger, first)).toBe("timeout");
  });
});

describe("a controller that is two releases behind an agent", () => {
  it("leaves it alone, and says which of the two is to be upgraded", async () => {
    await lab.expectNoGapWhile(async () => {
      await lab.runAgent(first, releases.afterNext);
      await lab.agentReads(first, [2, 3]);
      await lab.enforcedIn(first, 3);
      await lab.runController(releases.today);
      await lab.enforcedIn(second, 1);
      const status = await lab.statusWhere("workers", (seen) => seen.status === "ControllerOutdated");
      expect(status.failures).toMatchObject([
        {
          node: "node1",
          reason: "ControllerOutdated",
          message: "its agent (0.1.0) reads plan format 2 and 3, this controller writes 1: upgrade the controller",
        },
      ]);
      expect((await lab.stateOf(first)).spec.policies.map(({ plan }) => plan.format)).toEqual([3, 3]);
    });
  });
});
