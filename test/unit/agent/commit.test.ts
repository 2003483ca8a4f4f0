import { describe, expect, it, vi } from "vitest";
import { assigned, group } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const good = assigned({ firewall: { inbound: { ports: ["2000-3000"] } } }, "good");
const better = assigned({ firewall: { inbound: { ports: ["2000-4000"] } } }, "good");
const fatal = assigned({ firewall: { outbound: {} }, rollout: { confirmTimeoutSeconds: 90 } }, "fatal");
const HOUR = 3_600_000;

/** A node on which `good` is confirmed. */
async function confirmedNode(): Promise<AgentNode> {
  const node = agentNode();
  node.assign([good]);
  await node.pass();
  expect(states(node)).toEqual({ good: "Enforced" });
  return node;
}

function states(node: AgentNode): Record<string, string> {
  return Object.fromEntries((node.status().policies ?? []).map(({ name, state }) => [name, state]));
}

const rules = (node: AgentNode) => [4, 6].map((family) => node.host.rules[family as 4 | 6].save(false));

/** While the rules of `fatal` are in the kernel, the API server does not answer. */
function cutByFatal(node: AgentNode): void {
  node.probing.lost = () => (rules(node).join("").includes("fatal/") ? ["API server"] : []);
}

describe("a change", () => {
  it("is confirmed where all that answered before answers behind it", async () => {
    const node = await confirmedNode();
    node.assign([better]);
    await node.pass();
    expect(node.guard.folder).toBeUndefined();
    expect(node.directory.stored).toMatchObject({ last: { policies: [{ hash: better.hash }] } });
    expect(states(node)).toEqual({ good: "Enforced" });
  });

  it("is rolled back where something does not, charged to what changed, and the rest stays enforced", async () => {
    const node = await confirmedNode();
    const before = rules(node);
    cutByFatal(node);
    node.assign([good, fatal]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    const { message, reason } = node.status().policies?.find(({ name }) => name === "fatal") ?? {};
    expect(reason).toBe("RolledBack");
    expect(message).toMatch(
      /API server answered before the change, not behind it, and again after the roll-back.*retry-at/,
    );
    expect(node.status().counts).toEqual({ assigned: 2, enforced: 1, failed: 1 });
    expect(rules(node)).toEqual(before);
    expect(node.guard.folder).toBeUndefined();
  });

  it("of policies asks peers, one of groups does not: that is on all nodes at once", async () => {
    const grouped = assigned(
      { firewall: { inbound: { deny: [{ name: "g", from: [{ addressGroup: { name: "g" } }] }] } } },
      "grouped",
    );
    const node = agentNode();
    node.setGroups([group("g", ["192.0.2.0/24"])]);
    node.assign([good, grouped]);
    await node.pass();
    node.setGroups([group("g", ["198.51.100.0/24"])]);
    await node.pass();
    node.assign([grouped]);
    await node.pass();
    expect(node.probing.askedPeers).toEqual([true, false, true]);
  });

  it("has the longest time of what changed, and not of what stands", async () => {
    const node = await confirmedNode();
    const slow = assigned({ rollout: { confirmTimeoutSeconds: 600 }, firewall: { inbound: {} } }, "slow");
    node.assign([good, slow]);
    await node.pass();
    node.assign([better, slow, fatal]);
    await node.pass();
    expect(node.guard.armed).toEqual([60, 600, 90]);
  });

  it("counts no probe that did not pass before: an API server that is away keeps nothing from being applied", async () => {
    const node = await confirmedNode();
    node.probing.reached = [];
    node.probing.lost = () => ["API server"];
    node.assign([good, fatal]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
  });

  it("is tried again, and not charged, where the probe fails without it too", async () => {
    const node = await confirmedNode();
    node.probing.lost = () => ["API server"];
    node.assign([good, fatal]);
    await node.pass();
    const failed = node.status().policies?.find(({ name }) => name === "fatal");
    expect(failed).toMatchObject({ state: "Failed", reason: "NotConfirmed" });
    expect(failed?.message).toContain("the cause is elsewhere");
    node.probing.reached = [];
    node.clock.now += 5_000;
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
  });

  it("that writes nothing needs no guard", async () => {
    const node = await confirmedNode();
    node.guard.missing = "GuardMissing";
    node.assign([{ ...good, uid: "another" }]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced" });
  });

  it.each(["GuardMissing", "RollBackNotSaved"] as const)(
    "is not applied while nothing could take it back (%s)",
    async (why) => {
      const node = await confirmedNode();
      const before = rules(node);
      node.guard.missing = why;
      node.assign([better]);
      await node.pass();
      expect(node.status().policies).toMatchObject([{ hash: better.hash, state: "Failed", reason: why }]);
      expect(rules(node)).toEqual(before);
      node.guard.missing = undefined;
      node.clock.now += 3_000;
      await node.pass();
      expect(states(node)).toEqual({ good: "Enforced" });
    },
  );

  it("that the kernel refuses leaves nothing armed", async () => {
    const node = await confirmedNode();
    node.host.failWhen((step) =>
      step.kind === "Run" && step.command.endsWith("-restore") ? new Error("refused") : undefined,
    );
    node.assign([better]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Failed" });
    expect(node.guard.folder).toBeUndefined();
  });

  it.each([HOUR, -HOUR])("is judged as ever where the clock jumps by %d ms meanwhile", async (jump) => {
    const node = await confirmedNode();
    node.probing.lost = () => {
      node.clock.set += jump;
      return [];
    };
    node.assign([better]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced" });
    expect(node.guard.folder).toBeUndefined();
    expect(Date.parse(node.status().appliedAt ?? "")).toBe(node.clock.now + jump);
  });
});

describe("what was rolled back", () => {
  async function rolledBack(): Promise<AgentNode> {
    const node = await confirmedNode();
    cutByFatal(node);
    node.assign([good, fatal]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    return node;
  }

  it("is not tried again: not by time, not by a restart, not by what else changes", async () => {
    const node = await rolledBack();
    const armed = node.guard.armed.length;
    node.clock.now += 24 * HOUR;
    await node.pass();
    node.restart();
    await node.pass();
    expect(node.guard.armed).toHaveLength(armed);
    node.assign([better, fatal]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    expect(rules(node).join("")).not.toContain("fatal/");
  });

  it("is tried again when somebody asks for it, or when it is another revision", async () => {
    const node = await rolledBack();
    node.probing.lost = () => [];
    node.assign([good, { ...fatal, retryAt: "2026-01-01" }]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
    const again = await rolledBack();
    again.probing.lost = () => [];
    again.assign([good, assigned({ firewall: { outbound: { ports: ["1-65535"] } } }, "fatal")]);
    await again.pass();
    expect(states(again)).toEqual({ good: "Enforced", fatal: "Enforced" });
  });

  it("leaves what was confirmed of the same policy", async () => {
    const node = await confirmedNode();
    const before = rules(node);
    node.probing.lost = () => (rules(node).join("") === before.join("") ? [] : ["API server"]);
    node.assign([better]);
    await node.pass();
    expect(states(node)).toEqual({ good: "RolledBack" });
    expect(rules(node)).toEqual(before);
  });

  it("was an edit of a group: its content before stays until it is edited again, and status says so", async () => {
    const node = agentNode();
    const blocked = assigned({
      firewall: { inbound: { deny: [{ name: "list", from: [{ addressGroup: { name: "g" } }] }] } },
    });
    node.setGroups([group("g", ["192.0.2.0/24"])]);
    node.assign([blocked]);
    await node.pass();
    const sets = () => {
      const names = [...node.host.sets.listHeaders().matchAll(/^Name: (\S+)/gm)].map(([, name]) => `list ${name}\n`);
      return node.host.sets.restore(names.join(""));
    };
    node.probing.lost = () => (sets().includes("198.51.100.0/24") ? ["API server"] : []);
    node.setGroups([group("g", ["192.0.2.0/24", "198.51.100.0/24"])]);
    await node.pass();
    expect(sets()).not.toContain("198.51.100.0/24");
    expect(node.status().conditions).toContainEqual(
      expect.objectContaining({
        type: "RolledBack",
        status: "True",
        message: expect.stringContaining("address groups g"),
      }),
    );
    node.setGroups([group("g", ["192.0.2.0/24", "203.0.113.0/24"])]);
    await node.pass();
    expect(sets()).toContain("203.0.113.0/24");
    expect(states(node)).toEqual({ workers: "Enforced" });
  });
});

describe("an agent that starts", () => {
  /** `fatal` is applied and armed; the agent is dead. */
  async function diedInWindow(applied = true): Promise<AgentNode> {
    const node = await confirmedNode();
    node.probing.lost = () => new Promise(() => {});
    node.assign([good, fatal]);
    void node.pass();
    await vi.waitFor(() => expect(node.guard.folder?.marks).toContain("applied"));
    if (!applied) node.guard.folder?.marks.delete("applied");
    node.probing.lost = () => [];
    node.restart();
    return node;
  }

  it("within the time confirms what the one before applied", async () => {
    const node = await diedInWindow();
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
    expect(node.guard.folder).toBeUndefined();
    expect(node.guard.armed).toHaveLength(2);
  });

  it("within the time takes it back where it cuts", async () => {
    const node = await diedInWindow();
    cutByFatal(node);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
  });

  it("behind the time finds it rolled back, and does not try it again", async () => {
    const node = await diedInWindow();
    await node.guard.expire();
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    expect(node.status().policies?.find(({ name }) => name === "fatal")?.message).toMatch(/the agent was dead or hung/);
    expect(node.guard.armed).toHaveLength(2);
  });

  it.each([
    ["the one before died on its way", false, undefined],
    ["the guard was stopped", true, "stopped"],
    ["its deadline was damaged on the disk", true, "damaged"],
  ] as const)("tries again what was rolled back for nothing that it did: %s", async (_, applied, mark) => {
    const node = await diedInWindow(applied);
    if (mark !== undefined) await node.guard.expire(mark);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
    expect(node.guard.armed).toHaveLength(3);
  });

  it("charges nobody where it cannot be told in which boot the change was made", async () => {
    const node = await diedInWindow();
    if (node.guard.folder !== undefined) node.guard.folder = { ...node.guard.folder, boot: "Unknown" };
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "Enforced" });
    expect(node.guard.armed).toHaveLength(3);
  });

  it("after a boot within the time says that it was the boot", async () => {
    const node = await diedInWindow();
    if (node.guard.folder !== undefined) node.guard.folder = { ...node.guard.folder, boot: "Another" };
    node.guard.folder?.marks.add("rebooted");
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    const { message } = node.status().policies?.find(({ name }) => name === "fatal") ?? {};
    expect(message).toContain("before the node was booted anew");
  });

  it("after a boot enforces the last confirmed state at once, guard or no guard, API server or none", async () => {
    const node = await confirmedNode();
    const before = rules(node);
    await node.kernel.clear();
    node.guard.missing = "GuardMissing";
    node.server.synced = false;
    node.restart();
    await node.pass();
    expect(rules(node)).toEqual(before);
  });

  it("hung while it was rolled back does not confirm when it goes on", async () => {
    const node = await confirmedNode();
    const before = rules(node);
    node.probing.lost = async () => {
      if (node.guard.folder?.armed === true) await node.guard.expire();
      return [];
    };
    node.assign([good, fatal]);
    await node.pass();
    expect(states(node)).toEqual({ good: "Enforced", fatal: "RolledBack" });
    expect(rules(node)).toEqual(before);
  });
});
