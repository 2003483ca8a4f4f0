import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { allowed, faultLab, harmless, is, outcome, refused } from "./fault-lab.ts";

const one = faultLab();

const reached = async () => [await one.outsideReaches(allowed), await one.outsideReaches(refused)];

describe("without a guard", () => {
  it("nothing is applied, what is there stays, and status says so, until there is one again", async () => {
    const { lab } = one;
    const before = await lab.everything();
    await lab.node.guard.current?.kill();
    await lab.assign([harmless]);
    const status = await lab.statusWhere("the guard to be missed", is("Failed", "workers", "GuardMissing"));
    expect(outcome(status, "workers")?.message).toContain("no guard runs on this node");
    expect(await lab.everything()).toBe(before);
    expect(await reached()).toEqual([true, false]);
    await lab.node.guard.ensure();
    await lab.statusWhere("workers to be Enforced", is("Enforced"));
    expect(await lab.everything()).not.toBe(before);
    expect(await reached()).toEqual([true, false]);
  });

  it("that answers nothing is applied either", async () => {
    const { lab } = one;
    const before = await lab.everything();
    lab.node.guard.current?.signal("SIGSTOP");
    await lab.assign([harmless]);
    await lab.statusWhere("the guard to be missed", is("Failed", "workers", "GuardMissing"));
    expect(await lab.everything()).toBe(before);
    expect(await reached()).toEqual([true, false]);
    lab.node.guard.current?.signal("SIGCONT");
    await lab.statusWhere("workers to be Enforced", is("Enforced"));
  });
});

/** In a mount namespace of its own: mounts a small disk as the state directory, starts a guard there, and then the agent. */
const ON_SMALL_DISK = ["unshare", "--mount", "--propagation", "private", "sh", "-c"] as const;
const MOUNT =
  'mount -t tmpfs -o size=512k none "$1" && { setpriv --pdeathsig KILL sh "$2" "$1/guard" & shift 2; exec "$@"; }';

describe("with a disk that is full", () => {
  it("nothing is applied, what is there stays, and status says so, until there is room again", async () => {
    const { lab } = one;
    await one.agent.stop();
    await lab.node.guard.current?.stop();
    const { stateDirectory } = lab.node;
    const script = resolve(import.meta.dirname, "../../../src/guard/guard.sh");
    one.agent = await lab.startAgent([], [...ON_SMALL_DISK, MOUNT, "sh", stateDirectory, script]);
    await one.agent.waitForLog(/policies enforced/, 30_000);
    const before = await lab.everything();
    const filler = join(`/proc/${one.agent.pid}/root`, stateDirectory, "filler");
    const full = await writeFile(filler, Buffer.alloc(1 << 20)).then(
      () => undefined,
      ({ code }) => code,
    );
    expect(full).toBe("ENOSPC");
    await lab.assign([harmless]);
    const status = await lab.statusWhere("the full disk to be said", is("Failed", "workers", "RollBackNotSaved"));
    expect(outcome(status, "workers")?.message).toContain("ENOSPC");
    expect(await lab.everything()).toBe(before);
    expect(await reached()).toEqual([true, false]);
    await rm(filler);
    await lab.statusWhere("workers to be Enforced", is("Enforced"));
    expect(await lab.everything()).not.toBe(before);
    expect(await reached()).toEqual([true, false]);
  });
});
