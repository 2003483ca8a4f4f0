import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withdrawArmed } from "../../../src/agent/withdraw-armed.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type Interruption, interruptedHost } from "../kernel/interrupted-host.ts";
import { edited, nothing, office4, RESERVED, sample } from "../kernel/samples.ts";
import { tamper } from "../kernel/subject.ts";
import {
  change,
  type GuardedNode,
  guardedNode,
  residentKiB,
  rolledBack,
  SHELLS,
  uptimeSeconds,
} from "./guarded-node.ts";

/** Each step starts programs, and the machine may be under load. */
vi.setConfig({ testTimeout: 120_000 });

const replaced: RuleSet = {
  ...sample,
  sets: sample.sets.map((set) => (set.family === 4 ? office4(["192.0.2.1"]) : set)),
};
const changes: readonly (readonly [string, RuleSet, RuleSet])[] = [
  ["a first apply", nothing, sample],
  ["an edit", sample, edited],
  ["other content of a set", sample, replaced],
  ["a removal", sample, nothing],
];

let node: GuardedNode;
beforeEach(() => {
  node = guardedNode();
});
afterEach(() => node.close());

describe.each(SHELLS)("the guard, run by %s", (...shell) => {
  it.each(changes)("takes %s back", async (_, from, to) => {
    await node.host.writeSysctl(RESERVED, "40000");
    await node.start().apply(from);
    const before = await node.dump();
    await node.startGuard(shell);
    await node.applyGuarded(to, 600);
    expect(await node.dump()).not.toEqual(before);
    await node.guard.applied();
    await node.guard.rollBack();
    expect([...((await node.guard.left())?.marks ?? [])].sort()).toEqual(["applied", "asked", "seen"]);
    expect(await node.dump()).toEqual(before);
  });

  it("takes a change back at its deadline, with nobody else alive", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    await node.startGuard(shell);
    await node.applyGuarded(edited, 8);
    await node.guard.applied();
    const deadline = Number(readFileSync(node.path("armed", "deadline"), "utf8"));
    const marks = await rolledBack(node);
    expect(uptimeSeconds()).toBeGreaterThanOrEqual(deadline);
    expect([...marks].sort()).toEqual(["applied", "expired", "seen"]);
    expect(await node.dump()).toEqual(before);
  });

  it("is killed at any moment of a roll-back, and the next one finishes it", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    for (const milliseconds of [0, 30, 90, 270]) {
      const guard = await node.startGuard(shell);
      await node.applyGuarded(edited, 600);
      await node.guard.applied();
      const rolling = node.guard.rollBack();
      await waitFor("the roll-back to begin", () => (existsSync(node.path("armed")) ? undefined : true), {
        timeoutMilliseconds: 20_000,
        intervalMilliseconds: 1,
      });
      await wait(milliseconds);
      process.kill(-guard.pid, "SIGKILL");
      await guard.ended;
      const next = await node.startGuard(shell);
      await rolling;
      expect(await node.dump(), `killed after ${milliseconds} ms`).toEqual(before);
      await node.guard.forget();
      next.process.kill("SIGTERM");
      expect(await next.ended).toBe(0);
    }
  });

  it("puts the node back as it was when it does so twice", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    await node.startGuard(shell);
    await node.applyGuarded(edited, 600);
    await node.guard.applied();
    await node.guard.rollBack();
    node.exec("mv", node.path("rolled-back"), node.path("rolling-back"));
    await node.guard.left();
    expect(await node.dump()).toEqual(before);
  });

  it("takes less than 3 MiB, and waits without doing anything", async () => {
    const { pid } = await node.startGuard(shell);
    const ticks = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(13, 17).map(Number);
    const before = ticks();
    await wait(2_000);
    expect(ticks()).toEqual(before);
    expect(residentKiB(pid)).toBeLessThan(3 * 1024);
    expect(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")).toBe("");
    await node.applyGuarded(sample, 600);
    expect(residentKiB(pid)).toBeLessThan(3 * 1024);
  });

  it("ends on SIGTERM, and takes back first what nobody has confirmed", async () => {
    const before = await node.dump();
    const guard = await node.startGuard(shell);
    await node.applyGuarded(sample, 600);
    await node.guard.applied();
    guard.process.kill("SIGTERM");
    expect(await guard.ended).toBe(0);
    expect((await node.guard.left())?.marks).toContain("stopped");
    expect(await node.dump()).toEqual(before);
  });
});

describe("the guard", () => {
  it.each<Interruption>(["Crash", "Late"])("takes back what an agent left that died at any write (%s)", async (how) => {
    await node.host.writeSysctl(RESERVED, "40000");
    await node.start().apply(sample);
    const before = await node.dump();
    await node.startGuard();
    let writes = 0;
    for (let at = 1; at <= 40; at += 1) {
      const host = interruptedHost(node.host, at, how);
      await node.applyGuarded(edited, 600, host).catch(() => undefined);
      if (!host.interrupted()) break;
      writes += 1;
      await node.guard.rollBack();
      expect(await node.dump(), `${how} at write ${at}`).toEqual(before);
      await node.guard.forget();
    }
    expect(writes).toBeGreaterThan(5);
  });

  it("leaves a confirmed change alone, and makes it the last confirmed state", async () => {
    await node.startGuard();
    await node.applyGuarded(sample, 1);
    const applied = await node.dump();
    await node.guard.applied();
    expect(await node.guard.confirm()).toBe(true);
    await wait(2_500);
    expect(await node.dump()).toEqual(applied);
    expect(readFileSync(node.path("..", "last.json"), "utf8")).toBe(change.last);
    expect(existsSync(node.path("rolled-back"))).toBe(false);
  });

  it("leaves the confirmed state of before where the new one was cut", async () => {
    await node.startGuard();
    writeFileSync(node.path("..", "last.json"), "the one before");
    await node.applyGuarded(sample, 600);
    await node.guard.applied();
    truncateSync(node.path("armed", "last.json"), change.last.length - 1);
    expect(await node.guard.confirm()).toBe(true);
    expect(readFileSync(node.path("..", "last.json"), "utf8")).toBe("the one before");
    expect(existsSync(node.path("confirmed"))).toBe(false);
  });

  it("says of a deadline that was cut that it is damaged, not over", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    await node.startGuard();
    await node.applyGuarded(edited, 600);
    await node.guard.applied();
    truncateSync(node.path("armed", "deadline"), 3);
    const marks = await rolledBack(node);
    expect(marks).toContain("damaged");
    expect(marks).not.toContain("expired");
    const { v4, v6 } = await node.dump();
    // The sums do not hold: nothing that was saved is trusted.
    expect([...v4, ...v6].flat().filter((line) => line.includes("PH-"))).toEqual([]);
    expect(before.v4).not.toEqual(v4);
  });

  it("and the agent never both decide: who comes first has the change", async () => {
    await node.startGuard();
    for (let round = 0; round < 5; round += 1) {
      await node.applyGuarded(sample, 600);
      await node.guard.applied();
      const asked = node.guard.rollBack();
      await wait(round * 40);
      const confirmed = await node.guard.confirm();
      await asked;
      expect(existsSync(node.path("rolled-back"))).toBe(!confirmed);
      await node.guard.forget();
      await node.start().clear();
    }
  });

  it("that is gone, hung or dead lets nothing be applied", async () => {
    const before = await node.dump();
    await expect(node.applyGuarded(sample, 60)).rejects.toMatchObject({ reason: "GuardMissing" });
    const guard = await node.startGuard();
    process.kill(-guard.pid, "SIGKILL");
    await guard.ended;
    await expect(node.applyGuarded(sample, 60)).rejects.toMatchObject({ reason: "GuardMissing" });
    expect(await node.dump()).toEqual(before);
    expect(readdirSync(node.path()).filter((name) => name.startsWith("arm"))).toEqual([]);
    await node.startGuard();
    await node.applyGuarded(sample, 60);
    expect(await node.dump()).not.toEqual(before);
  });

  it("is one at a time: a second one waits until the first has gone", async () => {
    const first = await node.startGuard();
    const starting = node.startGuard();
    const second = await Promise.race([starting, wait(1_000)]);
    expect(second).toBeUndefined();
    first.process.kill("SIGTERM");
    await starting;
    expect(await first.ended).toBe(0);
  });

  it.each([false, true])(
    "ends an agent that has not come to the end of its change, and no other (%s)",
    async (applied) => {
      const agent = node.agent();
      const guard = await node.startGuard();
      await node.applyGuarded(sample, 600);
      agent.kill("SIGSTOP");
      if (applied) await node.guard.applied();
      await node.guard.rollBack();
      expect(guard.log().includes("killing it")).toBe(!applied);
      await expect.poll(() => agent.signalCode).toBe(applied ? null : "SIGKILL");
    },
  );

  it("opens the node where what was there cannot be restored, as its files are damaged", async () => {
    await node.start().apply(sample);
    await node.startGuard();
    for (const file of ["rules.4", "sums", "deadline", "boot"]) {
      await node.start().apply(sample);
      await node.applyGuarded(edited, 600);
      await node.guard.applied();
      truncateSync(node.path("armed", file), 3);
      await node.guard.rollBack();
      expect((await node.guard.left())?.marks, file).toContain("opened");
      const { v4, v6 } = await node.dump();
      expect(
        [...v4, ...v6].flat().filter((line) => line.includes("PH-")),
        file,
      ).toEqual([]);
      await node.guard.forget();
    }
  });

  it("of a node that somebody disengages takes our rules away, and brings nothing back", async () => {
    await node.start().apply(sample);
    const guard = await node.startGuard();
    await node.applyGuarded(edited, 600);
    await node.guard.applied();
    const { sysctls, sysctlFile, originals } = await node.dump();
    writeFileSync(node.path("..", "disengaged"), "");
    await node.guard.rollBack();
    const after = await node.dump();
    expect([...after.v4, ...after.v6].flat().filter((line) => line.includes("PH-"))).toEqual([]);
    // Settings are left to whoever clears the node: it knows the originals.
    expect([after.sysctls, after.sysctlFile, after.originals]).toEqual([sysctls, sysctlFile, originals]);
    expect((await node.guard.left())?.marks).toContain("stopped");
    expect(guard.log()).toContain("disengaged");
  });

  it("finds nothing to bring back where a change was withdrawn", async () => {
    await node.start().apply(sample);
    await node.startGuard();
    await node.applyGuarded(edited, 2);
    await node.guard.applied();
    const applied = await node.dump();
    await withdrawArmed(node.path());
    await wait(4_000);
    expect(await node.dump()).toEqual(applied);
    expect(await node.guard.left()).toBeUndefined();
  });

  it("touches nothing where what is armed is damaged before anything was applied", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    const guard = await node.startGuard();
    guard.process.kill("SIGSTOP");
    const armed = node.guard.arm(change, new Map([["rules.4", "*mangle\nCOMMIT\n"]]), 1).then(
      () => "armed",
      ({ reason }) => reason,
    );
    await waitFor("it to be armed", () => (existsSync(node.path("armed")) ? true : undefined), {
      timeoutMilliseconds: 20_000,
    });
    truncateSync(node.path("armed", "rules.4"), 3);
    guard.process.kill("SIGCONT");
    expect(await armed).toBe("GuardMissing");
    expect(await node.dump()).toEqual(before);
  });

  it("after a boot gives back files and settings, and no rules: those are the agent's", async () => {
    await node.start().apply(sample);
    const before = await node.dump();
    const guard = await node.startGuard();
    await node.applyGuarded(edited, 600);
    await node.guard.applied();
    const { v4, v6 } = await node.dump();
    guard.process.kill("SIGSTOP");
    writeFileSync(node.path("armed", "boot"), "00000000-0000-4000-8000-000000000000\n");
    node.exec("sh", "-c", `cd ${node.path("armed")} && sha256sum $(sed 's/.*  //' sums) >sums.new && mv sums.new sums`);
    guard.process.kill("SIGCONT");
    expect(await rolledBack(node)).toContain("rebooted");
    const after = await node.dump();
    expect([after.sysctls, after.sysctlFile, after.originals]).toEqual([
      before.sysctls,
      before.sysctlFile,
      before.originals,
    ]);
    expect([after.v4, after.v6]).toEqual([v4, v6]);
  });

  it("leaves the rules of others where they are", async () => {
    await tamper(node, 4, "-A PREROUTING -s 192.0.2.77/32 -j ACCEPT", "-A INPUT -m comment --comment theirs -j ACCEPT");
    await node.start().apply(sample);
    const before = await node.dump();
    await node.startGuard();
    await node.applyGuarded(edited, 600);
    await node.guard.applied();
    await tamper(node, 4, "-A PREROUTING -s 192.0.2.78/32 -j ACCEPT");
    await node.guard.rollBack();
    const after = await node.dump();
    const others = (rules: readonly (readonly string[])[]) =>
      rules.flat().filter((line) => !line.includes("192.0.2.78"));
    expect(others(after.v4)).toEqual(others(before.v4));
    expect(after.v4.flat().filter((line) => line.includes("192.0.2.78"))).toHaveLength(1);
  });
});
