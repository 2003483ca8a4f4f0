import { expect, it } from "vitest";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import type { CountedSet, RuleSet } from "../../../src/render/types.ts";
import { nothing, sample } from "./samples.ts";
import { dump, type Subject, setsOf, tamperSets } from "./subject.ts";

const tally: CountedSet = {
  name: "ph-w4-tally",
  family: 4,
  create: "hash:ip family inet hashsize 128 maxelem 1024 counters forceadd",
};
const guard: CountedSet = { name: "ph-g6-guard", family: 6, create: "hash:ip family inet6 netmask 64 timeout 600" };

const drops: CountedSet = {
  name: "ph-d6-drops",
  family: 6,
  create: "hash:ip,port family inet6 hashsize 128 maxelem 1024 counters forceadd",
};

/** The sample, and in IPv4 a chain that adds to the tally. */
function counting(counted: readonly CountedSet[] = [tally, guard]): RuleSet {
  const add = `-p udp -m comment --comment "p/watched/55" -j SET --add-set ${tally.name} src`;
  const tables = sample.tables.map((table) =>
    table.family === 4 && table.name === "mangle"
      ? { ...table, chains: [...table.chains, { name: "PH-WDC-tally", rules: [add] }] }
      : table,
  );
  return { ...sample, tables, counted };
}

export function describeCounted(current: () => Subject, started: () => Kernel): void {
  it("makes sets that rules fill, and lets them be from then on", async () => {
    await started().apply(counting());
    await tamperSets(current(), `add ${tally.name} 203.0.113.9 packets 3 bytes 180`);
    expect(await started().verify(counting(), "Full")).toEqual([]);
    expect((await started().apply(counting())).unchanged).toBe(true);
    expect((await setsOf(current()))[tally.name]).toEqual(["203.0.113.9 packets 3 bytes 180"]);
  });

  it("tells the addresses with most packets", async () => {
    await started().apply(counting());
    const add = (address: string, packets: number) => `add ${tally.name} ${address} packets ${packets} bytes 60`;
    await tamperSets(current(), add("203.0.113.9", 3), add("198.51.100.1", 40), add("192.0.2.1", 5));
    const found = await started().topAddresses([tally.name, guard.name], 2);
    expect([...found]).toEqual([
      [
        tally.name,
        [
          { address: "198.51.100.1", packets: 40 },
          { address: "192.0.2.1", packets: 5 },
        ],
      ],
      [guard.name, []],
    ]);
  });

  it("takes out who was dropped, so that it is told once", async () => {
    await started().apply(counting([tally, drops]));
    const add = (element: string, packets: number) => `add ${drops.name} ${element} packets ${packets} bytes 60`;
    await tamperSets(current(), add("2001:db8::9,tcp:8443", 3), add("2001:db8::9,udp:53", 1));
    await tamperSets(current(), add("2001:db8::1,sctp:9000", 40));
    const found = await started().takeDropped([drops.name]);
    expect([...(found.get(drops.name) ?? [])].toSorted((a, b) => a.packets - b.packets)).toEqual([
      { address: "2001:db8::9", protocol: "UDP", port: 53, packets: 1 },
      { address: "2001:db8::9", protocol: "TCP", port: 8443, packets: 3 },
      { address: "2001:db8::1", protocol: "SCTP", port: 9000, packets: 40 },
    ]);
    expect([...(await started().takeDropped([drops.name]))]).toEqual([[drops.name, []]]);
    expect(await started().takeDropped([])).toEqual(new Map());
    expect(await started().verify(counting([tally, drops]), "Full")).toEqual([]);
    await started().apply(counting([tally, { ...drops, create: "hash:ip family inet6 counters" }]));
    await expect(started().takeDropped(["ph-d6-none"])).rejects.toThrow("does not exist");
  });

  it("makes one anew that somebody took away, and removes them when they are not wanted", async () => {
    await started().apply(counting());
    await tamperSets(current(), `destroy ${guard.name}`);
    expect(await started().verify(counting(), "Headers")).toEqual([`set ${guard.name} missing`]);
    await started().apply(counting());
    expect(Object.keys(await setsOf(current()))).toEqual(
      [guard.name, "ph-4-office", "ph-6-office", tally.name].toSorted(),
    );
    await started().apply(sample);
    expect(Object.keys(await setsOf(current()))).toEqual(["ph-4-office", "ph-6-office"]);
  });

  it("puts them back, or away, where an apply fails", async () => {
    await started().apply(sample);
    const before = await dump(current());
    const bad = {
      ...counting(),
      sysctls: [{ key: "net.ipv4.no_such_key", value: "1", match: "Equal" as const, persist: false }],
    };
    await expect(started().apply(bad)).rejects.toThrow("no_such_key");
    expect(await dump(current())).toEqual(before);
    await started().apply(counting());
    const counted = await dump(current());
    await expect(started().apply({ ...bad, tables: [], counted: [] })).rejects.toThrow("no_such_key");
    expect(await dump(current())).toEqual(counted);
    await started().apply(nothing);
  });

  it("refuses a rule that adds to a set which is not handed over, and options that are none", async () => {
    await expect(started().apply(counting([guard]))).rejects.toThrow(tally.name);
    await expect(
      started().apply(counting([{ ...tally, create: "hash:ip family inet\ndestroy" }, guard])),
    ).rejects.toThrow("options of set");
    expect(await setsOf(current())).toEqual({});
  });
}
