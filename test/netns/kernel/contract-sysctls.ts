import { expect, it } from "vitest";
import type { RuleSet, SysctlSetting } from "../../../src/render/types.ts";
import { BACKLOG, contains, equal, nothing, RANGE, RESERVED } from "./samples.ts";
import { dump, type Subject } from "./subject.ts";

const only = (...sysctls: SysctlSetting[]): RuleSet => ({ ...nothing, sysctls });

export function describeSysctls(current: () => Subject): void {
  const value = (key: string) => current().host.readSysctl(key);

  it("holds sysctls, persists them in one file, and tells what differed", async () => {
    const kernel = current().start();
    const before = { range: await value(RANGE), backlog: await value(BACKLOG) };
    const { differences } = await kernel.apply(
      only(equal(RANGE, "49152 65535"), { ...equal(BACKLOG, "4096"), persist: false }),
    );
    expect(differences).toEqual([
      `${RANGE} ${before.range?.replace("\t", " ")}, not 49152 65535`,
      `${BACKLOG} ${before.backlog}, not 4096`,
      "sysctl.d file missing",
    ]);
    expect(await value(RANGE)).toBe("49152\t65535");
    expect(await value(BACKLOG)).toBe("4096");
    const file = await current().host.readFile(current().sysctlFile);
    expect(file?.split("\n").slice(1)).toEqual([`${RANGE} = 49152 65535`, ""]);
    expect(await kernel.sysctls([BACKLOG, "net.ipv4.nonsense"])).toEqual(
      new Map([
        [BACKLOG, "4096"],
        ["net.ipv4.nonsense", undefined],
      ]),
    );
  });

  it("merges reserved ports with those that are there, and gives back only what it added", async () => {
    await current().host.writeSysctl(RESERVED, "40000,50000-50001");
    const kernel = current().start();
    await kernel.apply(only(contains("50000,50100-50102")));
    expect(await value(RESERVED)).toBe("40000,50000-50001,50100-50102");
    const persisted = await current().host.readFile(current().sysctlFile);
    expect(persisted).toContain(`${RESERVED} = 40000,50000-50001,50100-50102\n`);
    // Somebody adds one of their own meanwhile, and our part shrinks.
    await current().host.writeSysctl(RESERVED, "40000,45000,50000-50001,50100-50102");
    await current()
      .start()
      .apply(only(contains("50101")));
    expect(await value(RESERVED)).toBe("40000,45000,50000-50001,50101");
    await current().start().clear();
    expect(await value(RESERVED)).toBe("40000,45000,50000-50001");
  });

  it("does not take away a reserved port that was there before and is ours too", async () => {
    await current().host.writeSysctl(RESERVED, "50000");
    const kernel = current().start();
    await kernel.apply(only(contains("50000-50001")));
    await kernel.apply(only(contains("50001")));
    expect(await value(RESERVED)).toBe("50000-50001");
  });

  it("empties the reserved ports again where there were none", async () => {
    const kernel = current().start();
    await kernel.apply(only(contains("50000")));
    await kernel.clear();
    expect(await value(RESERVED)).toBe("");
  });

  it("gives a setting that is no longer desired its original, also one that was right at first and then drifted", async () => {
    const before = await value(BACKLOG);
    const kernel = current().start();
    await kernel.apply(only(equal(BACKLOG, before ?? "")));
    await current().host.writeSysctl(BACKLOG, "99");
    expect(await kernel.verify(only(equal(BACKLOG, before ?? "")), "Headers")).toEqual([
      `${BACKLOG} 99, not ${before}`,
    ]);
    await kernel.apply(only(equal(BACKLOG, "4096")));
    await current().start().apply(nothing);
    expect(await value(BACKLOG)).toBe(before);
    expect(await current().host.readFile(current().stateFile)).toBeUndefined();
  });

  it("refuses a key that the kernel does not have, and writes nothing", async () => {
    const before = await dump(current());
    const failure = current()
      .start()
      .apply(only(equal(BACKLOG, "4096"), equal("net.ipv4.nonsense", "1")));
    await expect(failure).rejects.toThrow("sysctl net.ipv4.nonsense=1: the kernel has no such key");
    expect(await dump(current())).toEqual(before);
  });

  it("keeps what is right when its state file is lost", async () => {
    const kernel = current().start();
    await kernel.apply(only(equal(BACKLOG, "4096"), contains("50000")));
    await current().host.remove(current().stateFile);
    expect(
      (
        await current()
          .start()
          .apply(only(equal(BACKLOG, "4096"), contains("50000")))
      ).unchanged,
    ).toBe(true);
    expect(await value(BACKLOG)).toBe("4096");
  });

  it("goes by the copy where the state file is cut, wherever that is, and gives the originals back", async () => {
    const before = await value(BACKLOG);
    await current()
      .start()
      .apply(only(equal(BACKLOG, "4096")));
    const whole = (await current().host.readFile(current().stateFile)) ?? "";
    expect(whole).not.toBe("");
    for (let length = 0; length < whole.length; length += 13) {
      await current().host.writeFileAtomic(current().stateFile, whole.slice(0, length));
      const { unchanged } = await current()
        .start()
        .apply(only(equal(BACKLOG, "4096")));
      expect(unchanged, `cut at byte ${length}`).toBe(true);
    }
    await current().start().clear();
    expect(await value(BACKLOG)).toBe(before);
    expect(await current().host.readFile(`${current().stateFile}.copy`)).toBeUndefined();
  });

  it("stops at a damaged state file without one, naming it, rather than forget the originals", async () => {
    await current().host.writeFileAtomic(current().stateFile, '{"sysctls": {"a": 1}}');
    await expect(
      current()
        .start()
        .apply(only(equal(BACKLOG, "4096"))),
    ).rejects.toThrow(`${current().stateFile} is damaged`);
    expect(await value(BACKLOG)).not.toBe("4096");
  });
}
