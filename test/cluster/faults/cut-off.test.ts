import { describe, expect, it } from "vitest";
import { waitFor } from "../../lab/wait-for.ts";
import { allowed, fatal, faultLab, is, outcome, refused, workers } from "./fault-lab.ts";

const one = faultLab();

/** Until a status says that `fatal` was rolled back. */
const rolledBack = () => one.lab.statusWhere("fatal to be RolledBack", is("RolledBack", "fatal"));

describe("a policy that cuts the node off from its API server", () => {
  it("is rolled back within seconds by an agent that lives, charged to it alone, and not tried again", async () => {
    const { lab } = one;
    const before = await lab.everything();
    let cutFor = 0;
    let last = performance.now();
    let done = false;
    const watching = (async () => {
      while (!done) {
        if (await one.reachesApiServer()) {
          cutFor = Math.max(cutFor, performance.now() - last);
          last = performance.now();
        }
      }
    })();
    await lab.assign([workers, fatal]);
    const status = await rolledBack();
    done = true;
    await watching;
    expect(outcome(status, "fatal")).toMatchObject({
      reason: "RolledBack",
      hash: fatal.hash,
      message: expect.stringMatching(
        /^rolled back: API server \S+ answered before the change, not behind it, and again/,
      ),
    });
    expect(outcome(status, "workers")?.state).toBe("Enforced");
    expect(status.counts).toEqual({ assigned: 2, enforced: 1, failed: 1 });
    expect(await lab.everything()).toBe(before);
    // Not cut for as long as it could have been; the figure itself is measured by bench/guard.ts.
    expect(cutFor).toBeLessThan(20_000);
    expect([await one.outsideReaches(allowed), await one.outsideReaches(refused)]).toEqual([true, false]);
    await one.agent.stop();
    one.agent = await lab.startAgent();
    await one.agent.waitForLog(/policies enforced/, 30_000);
    await lab.statusWhere("fatal to be RolledBack still", is("RolledBack", "fatal"));
    expect(one.agent.log()).not.toMatch(/rolling back/);
  });

  it("is tried again when somebody asks for it", async () => {
    const { lab } = one;
    await lab.assign([workers, fatal]);
    const first = await rolledBack();
    const rollBacks = () => one.agent.log().match(/rolling back/g)?.length ?? 0;
    const before = rollBacks();
    await lab.assign([workers, { ...fatal, retryAt: "now" }]);
    await waitFor("another try", () => (rollBacks() > before ? true : undefined), { timeoutMilliseconds: 30_000 });
    expect(outcome(first, "fatal")?.message).toContain("porthardening.io/retry-at");
    await waitFor("the node to be back", async () => (await one.reachesApiServer()) || undefined, {
      timeoutMilliseconds: 30_000,
    });
    await rolledBack();
  });

  it("is rolled back by the guard at the deadline where the agent is killed", async () => {
    const { lab } = one;
    const before = await lab.everything();
    await lab.assign([workers, fatal]);
    const deadline = await one.applied();
    await one.agent.kill();
    expect(await one.reachesApiServer()).toBe(false);
    // Two seconds where the machine is not busy with other tests.
    expect(await one.rolledBackByGuard(deadline)).toBeLessThan(15);
    expect(await one.reachesApiServer()).toBe(true);
    expect(await lab.everything()).toBe(before);
    one.agent = await lab.startAgent();
    const status = await rolledBack();
    expect(outcome(status, "fatal")?.message).toContain("rolled back by the guard");
    expect(await lab.everything()).toBe(before);
  });

  it("is rolled back where the agent hangs, which does not confirm when it goes on", async () => {
    const { lab } = one;
    const before = await lab.everything();
    await lab.assign([workers, fatal]);
    const deadline = await one.applied();
    one.agent.signal("SIGSTOP");
    await one.rolledBackByGuard(deadline);
    expect(await one.reachesApiServer()).toBe(true);
    one.agent.signal("SIGCONT");
    await rolledBack();
    expect(one.agent.running).toBe(true);
    expect(await lab.everything()).toBe(before);
  });

  it("is rolled back where the guard is killed too, by the next one", async () => {
    const { lab } = one;
    const before = await lab.everything();
    await lab.assign([workers, fatal]);
    const deadline = await one.applied();
    await Promise.all([one.agent.kill(), lab.node.guard.current?.kill()]);
    await lab.node.guard.ensure();
    await one.rolledBackByGuard(deadline);
    expect(await one.reachesApiServer()).toBe(true);
    expect(await lab.everything()).toBe(before);
    one.agent = await lab.startAgent();
    await rolledBack();
  });
});
