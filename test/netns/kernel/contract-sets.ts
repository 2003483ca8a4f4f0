import { expect, it } from "vitest";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { office4, office6, sample, withoutOffice6 } from "./samples.ts";
import { dump, type Subject, setsOf, tamper, tamperSets } from "./subject.ts";

export function describeSets(current: () => Subject, started: () => Kernel): void {
  it("edits a few entries in place and counts them", async () => {
    const entries = Array.from({ length: 40 }, (_, index) => `198.51.100.${index}`);
    await started().apply({ ...sample, sets: [office4(entries), office6([])] });
    const edited = [...entries.slice(1), "203.0.113.0/24"];
    const { differences } = await started().apply({ ...sample, sets: [office4(edited), office6([])] });
    expect(differences).toEqual(["set ph-4-office 2 of 40 entries"]);
    expect((await setsOf(current()))["ph-4-office"]).toEqual([...edited].sort());
  });

  it("swaps in a set of which most has changed, and leaves no other behind", async () => {
    await started().apply(sample);
    const sets = [office4(["203.0.113.0/24", "203.0.114.0/24", "203.0.115.1"]), office6([])];
    await started().apply({ ...sample, sets });
    expect(await setsOf(current())).toEqual({
      "ph-4-office": ["203.0.113.0/24", "203.0.114.0/24", "203.0.115.1"],
      "ph-6-office": [],
    });
  });

  it("swaps all the same where a crash within a swap has left its set", async () => {
    await started().apply(sample);
    await tamperSets(current(), "create ph-swap-0 hash:net family inet", "add ph-swap-0 203.0.113.0/24");
    await started().apply({ ...sample, sets: [office4(["198.51.100.1"]), office6([])] });
    expect(await setsOf(current())).toEqual({ "ph-4-office": ["198.51.100.1"], "ph-6-office": [] });
  });

  it("keeps a set of connections, tells what is in it, and makes it anew where it is of another type", async () => {
    const name = "ph-cut-in-4";
    const connections = (...entries: string[]) => ({ name, family: 4, type: "hash:ip,port,ip", entries }) as const;
    const [first, second] = ["192.0.2.9,tcp:8443,198.18.0.11", "192.0.2.9,udp:53,198.18.0.11"] as const;
    await tamperSets(current(), `create ${name} hash:net family inet`);
    const held = { ...sample, sets: [...sample.sets, connections(first)] };
    await started().apply(held);
    expect(await started().setEntries([name, "ph-cut-out-4"])).toEqual(new Map([[name, [first]]]));
    const more = { ...sample, sets: [...sample.sets, connections(first, second)] };
    const { differences } = await started().apply(more);
    expect(differences).toEqual([`set ${name} 1 of 2 entries`]);
    expect(await started().verify(more, "Full")).toEqual([]);
  });

  it("finds an entry exchanged by others only in full, one removed also by the headers", async () => {
    await started().apply(sample);
    await tamperSets(current(), "add ph-4-office 203.0.113.9", "del ph-4-office 198.51.100.7");
    expect(await started().verify(sample, "Headers")).toEqual([]);
    expect(await started().verify(sample, "Full")).toEqual(["set ph-4-office 2 of 2 entries"]);
    await tamperSets(current(), "del ph-4-office 192.0.2.0/24");
    expect(await started().verify(sample, "Headers")).toEqual(["set ph-4-office 1 of 2 entries"]);
    await started().apply(sample);
    expect(await started().verify(sample, "Full")).toEqual([]);
  });

  it("removes the sets that no rule needs any more", async () => {
    await started().apply(sample);
    await started().apply(withoutOffice6);
    expect(Object.keys(await setsOf(current()))).toEqual(["ph-4-office"]);
  });

  it("leaves a set that a rule of somebody else still uses, and does not call that a difference", async () => {
    await started().apply(sample);
    await tamper(current(), 6, "-A INPUT -m set --match-set ph-6-office src -j RETURN");
    await started().apply(withoutOffice6);
    expect(await started().verify(withoutOffice6, "Full")).toEqual([]);
    await tamper(current(), 6, "-D INPUT -m set --match-set ph-6-office src -j RETURN");
    await expect
      .poll(() => started().verify(withoutOffice6, "Full"), { timeout: 30_000 })
      .toEqual(["set ph-6-office left over"]);
    await started().apply(withoutOffice6);
    expect(Object.keys(await setsOf(current()))).toEqual(["ph-4-office"]);
  });

  it("tells the line and the words of an entry that ipset refuses, and undoes what went before", async () => {
    const before = await dump(current());
    const bad = { ...sample, sets: [office4(["0.0.0.0/0"]), office6([])] };
    const failure = await started()
      .apply(bad)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ line: 2, rule: "add ph-4-office 0.0.0.0/0" });
    expect(failure).toMatchObject({ words: "The value of the CIDR parameter of the IP address is invalid" });
    expect(await dump(current())).toEqual(before);
  });
}
