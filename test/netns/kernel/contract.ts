import { afterEach, beforeEach, expect, it } from "vitest";
import { MissingTargetError, RestoreError, SysctlError } from "../../../src/kernel/errors.ts";
import type { Kernel, RuleCounter } from "../../../src/kernel/kernel.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import { describeCounted } from "./contract-counted.ts";
import { describeHookPosition } from "./contract-hook-position.ts";
import { describeInterruptions } from "./contract-interruptions.ts";
import { describeLimits } from "./contract-limits.ts";
import { describeSets } from "./contract-sets.ts";
import { describeSysctls } from "./contract-sysctls.ts";
import { describeWatch } from "./contract-watch.ts";
import { filterTable, JUMP, nothing, office4, office6, sample, sampleTable, withoutOffice6 } from "./samples.ts";
import {
  dump,
  nftTableOf,
  rulesOf,
  type Subject,
  setsOf,
  tamper,
  tamperNft,
  tamperSets,
  tamperTable,
} from "./subject.ts";

/** What every implementation of Kernel keeps. To be called within a `describe` that names it. */
export function describeKernel(open: () => Subject): void {
  let subject: Subject;
  let kernel: Kernel;
  beforeEach(() => {
    subject = open();
    kernel = subject.start();
  });
  afterEach(() => subject.close());
  const current = () => subject;

  describeRules(current, () => kernel);
  describeSets(current, () => kernel);
  describeCounted(current, () => kernel);
  describeLimits(current, () => kernel);
  describeSysctls(current);
  describeInterruptions(current);
  describeWatch(current);
}

const countOf = (counters: readonly RuleCounter[], comment: string) =>
  counters.filter((counter) => counter.comment === comment).map(({ packets }) => packets);

function describeRules(current: () => Subject, started: () => Kernel): void {
  it("applies from nothing, and then finds nothing that differs", async () => {
    const result = await started().apply(sample);
    expect(result.unchanged).toBe(false);
    expect(result.differences).toContain("chain PH-IN (v6) missing");
    for (const table of sample.tables) {
      const rules = (await rulesOf(current(), table.family, table.name)).filter((line) => line.startsWith("-A "));
      const hooks = table.hooks.flatMap(({ chain, rules: all }) => all.map((rule) => `-A ${chain} ${rule}`));
      const chains = table.chains.flatMap(({ name, rules: all }) => all.map((rule) => `-A ${name} ${rule}`));
      expect(rules.sort()).toEqual([...hooks, ...chains].sort());
    }
    expect(await setsOf(current())).toEqual(
      Object.fromEntries(sample.sets.map(({ name, entries }) => [name, entries])),
    );
    expect(await started().verify(sample, "Full")).toEqual([]);
  });

  it("writes nothing where nothing differs, also after a restart: counters keep counting", async () => {
    const first = await started().apply(sample);
    await current().send(3);
    const restarted = current().start();
    const second = await restarted.apply(sample);
    expect(second).toMatchObject({ unchanged: true, differences: [], readBackHash: first.readBackHash });
    await current().send(2);
    expect(countOf(await restarted.counters(), "p/count/11")).toEqual([5, 5]);
  });

  it("leaves the counters of the chains that an edit does not change", async () => {
    await started().apply(sample);
    await current().send(3);
    const pre = { name: "PH-PRE", rules: ["-p udp -j PH-IN"] };
    const tables = sample.tables.map((table) =>
      table.name === "mangle" ? { ...table, chains: [pre, ...table.chains.slice(1)] } : table,
    );
    const { differences } = await started().apply({ ...sample, tables });
    expect(differences).toEqual(
      [4, 6].map((family) => `chain PH-PRE (v${family}) 1 rules for 1, 1 not as they should be`),
    );
    expect(countOf(await started().counters(), "p/count/11")).toEqual([3, 3]);
    expect(countOf(await started().counters(), "p/pre/00")).toEqual([]);
  });

  it("never touches rules, chains and sets of others", async () => {
    const theirs = ["-A PREROUTING -p udp -j KUBE-X", "-A KUBE-X -p tcp -j RETURN"];
    await tamper(current(), 4, ":KUBE-X - [0:0]", ...theirs);
    await tamperSets(current(), "create KUBE-SET hash:net family inet", "add KUBE-SET 203.0.113.0/24");
    const there = async () => {
      const rules = await rulesOf(current(), 4);
      expect(rules).toEqual(expect.arrayContaining(theirs));
      expect((await setsOf(current()))["KUBE-SET"]).toEqual(["203.0.113.0/24"]);
      return rules.filter((line) => line.startsWith("-A PREROUTING"));
    };
    await started().apply(sample);
    expect(await there()).toEqual([`-A PREROUTING ${JUMP}`, theirs[0]]);
    await started().apply(withoutOffice6);
    await there();
    await started().clear();
    expect(await there()).toEqual([theirs[0]]);
  });

  it("moves its hook back to the head, once, where another rule has come before it", async () => {
    await started().apply(sample);
    const hooks = async () => (await rulesOf(current(), 4)).filter((line) => line.startsWith("-A PREROUTING"));
    const [jump, theirs] = [`-A PREROUTING ${JUMP}`, "-A PREROUTING -p udp -j ACCEPT"];
    await tamper(current(), 4, "-I PREROUTING 1 -p udp -j ACCEPT");
    const behind = "behind a rule that accepts new connections: PREROUTING -p udp -j ACCEPT";
    expect(await started().verify(sample, "Headers")).toEqual([`hook PREROUTING (v4) 1 of our rules for 1, ${behind}`]);
    await started().apply(sample);
    expect(await hooks()).toEqual([jump, theirs]);
    await tamper(current(), 4, jump);
    expect(await hooks()).toEqual([jump, theirs, jump]);
    await started().apply(sample);
    expect(await hooks()).toEqual([jump, theirs]);
  });

  describeHookPosition(current, started);

  it("puts back a chain that somebody emptied, a rule that somebody added and a hook that somebody removed", async () => {
    await started().apply(sample);
    const before = await dump(current());
    await tamper(current(), 4, "-F PH-IN", "-A PH-PRE -j ACCEPT");
    await tamper(current(), 6, `-D PREROUTING ${JUMP}`);
    expect(await started().verify(sample, "Headers")).toHaveLength(3);
    await started().apply(sample);
    expect(await dump(current())).toEqual(before);
  });

  it("holds every table: what somebody changes in filter is seen, and put back", async () => {
    await started().apply(sample);
    const before = await dump(current());
    const [hook] = filterTable(4).hooks.flatMap(({ rules }) => rules);
    await tamperTable(current(), 4, "filter", `-D OUTPUT ${hook}`, "-A OUTPUT -j ACCEPT", "-F PH-OUT");
    expect(await started().verify(sample, "Headers")).toEqual([
      "chain filter PH-OUT (v4) 0 rules for 1, 1 not as they should be",
      "hook filter OUTPUT (v4) 0 of our rules for 1",
    ]);
    await started().apply(sample);
    expect(await rulesOf(current(), 4, "filter")).toContain("-A OUTPUT -j ACCEPT");
    await tamperTable(current(), 4, "filter", "-D OUTPUT -j ACCEPT");
    expect(await dump(current())).toEqual(before);
  });

  it("holds its nft table: as written, put back where somebody deleted it, gone with the last that rejects", async () => {
    const { nftTable, ...silent } = sample;
    await started().apply(sample);
    expect(await nftTableOf(current())).toBe(nftTable);
    await tamperNft(current(), "delete table inet porthardening\n");
    expect(await started().verify(sample, "Headers")).toEqual(["table inet porthardening missing"]);
    const { readBackHash } = await started().apply(sample);
    expect(await nftTableOf(current())).toBe(nftTable);
    expect(await started().verify(silent, "Headers")).toEqual(["table inet porthardening left over"]);
    expect((await started().apply(silent)).readBackHash).not.toBe(readBackHash);
    expect(await nftTableOf(current())).toBeUndefined();
  });

  it("can reject, unless somebody's rule overwrites the mark", async () => {
    await started().apply(sample);
    expect(await started().rejectObstacle()).toBeUndefined();
    await tamper(current(), 6, "-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff");
    expect(await started().rejectObstacle()).toContain("PREROUTING -j MARK --set-xmark 0x1/0xffffffff");
  });

  it("restores mangle, already committed, when filter has a rule that the tool refuses", async () => {
    await started().apply(sample);
    const before = await dump(current());
    const mangle = sampleTable(4, ["-p tcp -j RETURN"]);
    const tables = [mangle, filterTable(4, ["-m nonsense -j RETURN"]), ...sample.tables.slice(2)];
    await expect(started().apply({ ...sample, tables })).rejects.toThrow(RestoreError);
    expect(await dump(current())).toEqual(before);
  });

  it("restores v4, sets and sysctls when v6 has a rule that the tool refuses", async () => {
    await started().apply(sample);
    const before = await dump(current());
    const refused: RuleSet = {
      tables: [sampleTable(4, ["-p tcp -j RETURN"]), sampleTable(6, ["-m nonsense -j RETURN"])],
      sets: [office4(["192.0.2.0/24"]), office6(["2001:db8:2::/48"])],
      sysctls: [],
    };
    const failure = await started()
      .apply(refused)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RestoreError);
    expect(failure).toMatchObject({ words: expect.stringContaining("Couldn't load match `nonsense'") });
    expect(failure).toMatchObject({ rule: "-A PH-IN -m nonsense -j RETURN" });
    expect(await dump(current())).toEqual(before);
  });

  it("restores the rules when the kernel refuses a sysctl", async () => {
    await started().apply(withoutOffice6);
    const before = await dump(current());
    const range = { key: "net.ipv4.ip_local_port_range", value: "60000 50000", match: "Equal", persist: true } as const;
    const failure = started().apply({ ...sample, sysctls: [range] });
    await expect(failure).rejects.toThrow(SysctlError);
    await expect(failure).rejects.toThrow(/ip_local_port_range=60000 50000: .*[Ii]nvalid argument/);
    expect(await dump(current())).toEqual(before);
  });

  it("refuses a jump to a chain, and a set, that the rule set does not hold, and writes nothing", async () => {
    const before = await dump(current());
    const toNowhere = { ...sample, tables: [sampleTable(4, ["-p tcp -g PH-NOWHERE"])] };
    await expect(started().apply(toNowhere)).rejects.toThrow(MissingTargetError);
    await expect(started().apply({ ...sample, sets: [] })).rejects.toThrow("set ph-4-office is not in the rule set");
    const otherFamily = { ...sample, sets: [office6([]), { ...office4([]), family: 6 as const }] };
    await expect(started().apply(otherFamily)).rejects.toThrow(MissingTargetError);
    expect(await dump(current())).toEqual(before);
  });

  it("leaves the node as it was before, after clear, also with a chain and a set that it no longer knows of", async () => {
    const before = await dump(current());
    await started().apply(sample);
    await tamper(current(), 4, ":PH-OLD - [0:0]", "-A PH-OLD -j PH-IN", "-A PH-PRE -j PH-OLD");
    await tamperSets(current(), "create ph-old hash:net family inet");
    await current().start().clear();
    expect(await dump(current())).toEqual(before);
    await started().clear();
    expect(await dump(current())).toEqual(before);
  });

  it("runs one operation at a time", async () => {
    const kernel = started();
    await Promise.all([kernel.apply(sample), kernel.apply(withoutOffice6), kernel.clear(), kernel.apply(sample)]);
    expect(await kernel.verify(sample, "Full")).toEqual([]);
  });

  it("makes conntrack see traffic when primed, judging none, until the next apply", async () => {
    const before = await dump(current());
    await started().prime();
    const primed = await rulesOf(current(), 4);
    await started().prime();
    expect(await rulesOf(current(), 4)).toEqual(primed);
    expect(primed.filter((line) => / -[jg] (?!PH-PRIME$)/.test(line))).toEqual([]);
    await current().send(1);
    expect((await started().facts()).conntrackActive).toBe(true);
    await started().apply(nothing);
    expect(await dump(current())).toEqual(before);
  });
}
