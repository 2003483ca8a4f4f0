import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { allowed, enforcesAlone, fatal, faultLab, harmless, is, outcome, refused, workers } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const HOUR = 3_600_000;
const hook = resolve(import.meta.dirname, "moved-clock.ts");
const stopping = steps(() => one);
const one = faultLab(() => {
  moveClock(0);
  return ["env", `CLOCK_FILE=${clockFile()}`, ...stopping.through(`--import=${hook}`)];
});

const clockFile = () => join(one.lab.node.folder, "clock", "moved");
function moveClock(milliseconds: number): void {
  mkdirSync(join(one.lab.node.folder, "clock"), { recursive: true });
  writeFileSync(`${clockFile()}.new`, `${milliseconds}`);
  renameSync(`${clockFile()}.new`, clockFile());
}

const reached = async () => [await one.outsideReaches(allowed), await one.outsideReaches(refused)];

describe.each([
  ["ahead", HOUR],
  ["back", -HOUR],
])("a clock that jumps an hour %s within the time to confirm", (_, jump) => {
  it("takes nothing back that holds", async () => {
    stopping.order("SIGSTOP", "rename guard/armed");
    await one.lab.assign([harmless]);
    await stopping.stopped();
    moveClock(jump);
    one.agent.signal("SIGCONT");
    await one.lab.statusWhere("the change to be enforced", enforcesAlone(harmless));
    expect(one.agent.log()).not.toMatch(/rolling back/);
    expect([await one.reachesApiServer(), ...(await reached())]).toEqual([true, true, false]);
  });

  it("does not keep a node cut off", async () => {
    const before = await one.lab.everything();
    stopping.order("SIGSTOP", "rename guard/armed/.applied");
    await one.lab.assign([workers, fatal]);
    await stopping.stopped();
    expect(await one.reachesApiServer()).toBe(false);
    moveClock(jump);
    one.agent.signal("SIGCONT");
    const status = await one.lab.statusWhere("fatal to be RolledBack", is("RolledBack", "fatal"));
    expect(outcome(status, "workers")?.state).toBe("Enforced");
    expect(await one.lab.everything()).toBe(before);
    expect([await one.reachesApiServer(), ...(await reached())]).toEqual([true, true, false]);
  });

  it("does not put off what is to be tried again soon", async () => {
    await one.lab.node.guard.current?.kill();
    await one.lab.assign([harmless]);
    await one.lab.statusWhere("the guard to be missed", is("Failed", "workers", "GuardMissing"));
    moveClock(jump);
    await one.lab.node.guard.ensure();
    await one.lab.statusWhere("the change to be enforced", enforcesAlone(harmless));
    expect(await reached()).toEqual([true, false]);
  });
});
