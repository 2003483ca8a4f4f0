import { expect, it } from "vitest";
import type { RuleSet } from "../../../src/render/types.ts";
import { type Interruption, interruptedHost } from "./interrupted-host.ts";
import { edited, nothing, RESERVED, sample } from "./samples.ts";
import { dump, type Subject } from "./subject.ts";

export function describeInterruptions(current: () => Subject): void {
  /** Tries `act` with every write in turn interrupted, until there are no more. */
  async function atEveryWrite(
    how: Interruption,
    from: RuleSet,
    to: RuleSet,
    check: () => Promise<void>,
  ): Promise<number> {
    for (let at = 1; at <= 40; at++) {
      await current().start().apply(from);
      const host = interruptedHost(current().host, at, how);
      const failure = await current()
        .start(host)
        .apply(to)
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      if (!host.interrupted()) return at - 1;
      expect(failure, `${how} at write ${at}`).toBeInstanceOf(Error);
      await check();
    }
    throw new Error("an apply of more than 40 writes");
  }

  it.each([
    ["a first apply", nothing, sample],
    ["an edit", sample, edited],
    ["a removal", sample, nothing],
  ])("converges after a crash at any write of %s, leaving nothing behind", async (_, from, to) => {
    await current().host.writeSysctl(RESERVED, "40000");
    const untouched = await dump(current());
    await current().start().apply(from);
    await current().start().apply(to);
    const goal = await dump(current());
    const writes = await atEveryWrite("Crash", from, to, async () => {
      await current().start().apply(to);
      expect(await dump(current())).toEqual(goal);
    });
    expect(writes).toBeGreaterThan(5);
    await current().start().clear();
    expect(await dump(current())).toEqual(untouched);
  });

  it.each(["Fail", "Late"] as const)("puts everything back when any write fails (%s)", async (how) => {
    await current().host.writeSysctl(RESERVED, "40000");
    await current().start().apply(sample);
    const before = await dump(current());
    const writes = await atEveryWrite(how, sample, edited, async () => {
      expect(await dump(current())).toEqual(before);
    });
    expect(writes).toBeGreaterThan(5);
  });
}
