import { describe, expect, it } from "vitest";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { render } from "../../../src/render/render.ts";
import type { Table } from "../../../src/render/types.ts";
import { everything } from "./everything.ts";
import { observing } from "./observing.ts";

const isObserver = (chain: string): boolean => chain.startsWith("PH-W");
const leadsToObserver = (rule: string): boolean => / -j PH-W\S+$/.test(rule);
const ofObserving = (list: NodePlan["inbound"]) => list.filter(({ policy }) => observed().policies.includes(policy));
const nothingEnforced: NodePlan = {
  ...observing,
  inbound: [],
  outbound: [],
  rateLimits: [],
  observed: { ...observed(), inbound: ofObserving(observed().inbound), outbound: ofObserving(observed().outbound) },
};

function withoutObservers({ chains, hooks, ...table }: Table): Table {
  return {
    ...table,
    chains: chains.filter(({ name }) => !isObserver(name)),
    hooks: hooks
      .map((hook) => ({ ...hook, rules: hook.rules.filter((rule) => !leadsToObserver(rule)) }))
      .filter(({ rules }) => rules.length > 0),
  };
}

describe("policies in mode Observe", () => {
  it("change not a letter of what is enforced", () => {
    const { tables, sysctls, nftTable, sets } = render(observing);
    const enforced = render(everything);
    expect(tables.map(withoutObservers)).toEqual(enforced.tables);
    expect({ sysctls, nftTable }).toEqual({ sysctls: enforced.sysctls, nftTable: enforced.nftTable });
    expect(sets).toEqual(enforced.sets);
  });

  it("leave nothing where none is", () => {
    const { observed: _, ...plan } = observing;
    expect(render(plan)).toEqual(render(everything));
    expect(Object.keys(render(plan))).not.toContain("counted");
  });

  it.each([
    ["beside enforced ones", observing],
    ["alone", nothingEnforced],
  ])("only count, %s: no rule of theirs drops, rejects, accepts or marks, or leads to one that does", (_, plan) => {
    for (const { chains } of render(plan).tables) {
      const rules = chains.filter(({ name }) => isObserver(name)).flatMap((chain) => chain.rules);
      expect(rules.length).toBeGreaterThan(40);
      expect(
        rules.filter((rule) => !/(?:-j RETURN|-j SET --add-set \S+ (src|dst)( --exist)?|-[jg] PH-W\S+)$/.test(rule)),
      ).toEqual([]);
      const enforced = chains.filter(({ name }) => !isObserver(name)).flatMap((chain) => chain.rules);
      expect(enforced.filter(leadsToObserver)).toEqual([]);
    }
  });

  it("come first where they tell what would open, and last where they tell what would be dropped", () => {
    const [mangle, filter] = render(observing).tables;
    const order = [...(mangle?.hooks ?? []), ...(filter?.hooks ?? [])].map(({ chain, rules }) => [
      chain,
      ...new Set(rules.flatMap((rule) => / -j (PH-\S+)$/.exec(rule)?.[1] ?? [])),
    ]);
    expect(order).toEqual([
      ["PREROUTING", "PH-WO-PRE", "PH-PRE", "PH-WD-PRE"],
      ["INPUT", "PH-WO-INPUT", "PH-INPUT", "PH-WD-INPUT"],
      ["OUTPUT", "PH-WO-OUT", "PH-OUT", "PH-WD-OUT"],
    ]);
  });

  it("move no hook ahead of rules of others, unless nothing else is enforced there", () => {
    const judged = (plan: NodePlan) => render(plan).tables.flatMap(({ hooks }) => hooks.map(({ judges }) => judges));
    expect(judged(observing)).toEqual(judged(everything));
    const policies = judged(nothingEnforced).map((judges) => new Set(judges?.scopes.map(({ policy }) => policy)));
    expect(new Set(policies.flatMap((names) => [...names]))).toEqual(new Set(["open", "watch"]));
  });

  it("can open nothing where nothing is closed", () => {
    const rules = render(nothingEnforced).tables.flatMap(({ chains }) => chains.map(({ name }) => name));
    expect(rules.filter((name) => name.startsWith("PH-WO"))).toEqual([]);
  });

  it("stay below the 16 chains that nf_tables follows", () => {
    for (const { chains, hooks } of render(observing).tables) {
      const depth = (name: string): number => {
        const rules = chains.find((one) => one.name === name)?.rules ?? [];
        return 1 + Math.max(0, ...rules.flatMap((rule) => /-[jg] (PH-\S+)$/.exec(rule)?.[1] ?? []).map(depth));
      };
      const entries = hooks.flatMap(({ rules }) => rules.flatMap((rule) => / -j (PH-\S+)$/.exec(rule)?.[1] ?? []));
      expect(Math.max(...entries.map(depth))).toBeLessThan(13);
    }
  });

  it("never bring a source to a table of rates unless a smaller set has room for it: a full table would drop it", () => {
    const { tables, counted = [] } = render(observing);
    const limits = tables
      .flatMap(({ chains }) => chains)
      .filter(({ name }) => isObserver(name))
      .flatMap(({ rules }) => rules)
      .filter((rule) => rule.includes("-m hashlimit"));
    const open = limits.filter((rule) => !rule.includes(" --match-set ph-g"));
    expect(open.length).toBeGreaterThan(0);
    const roomForAll = (rule: string) =>
      2 ** Number(/--hashlimit-srcmask (\d+)/.exec(rule)?.[1]) <=
      Number(/--hashlimit-htable-max (\d+)/.exec(rule)?.[1]);
    expect(open.filter((rule) => !roomForAll(rule))).toEqual([]);
    for (const rule of limits) {
      const [, guard] = / --match-set (ph-g\S+) src /.exec(rule) ?? [];
      const set = counted.find(({ name }) => name === guard);
      if (guard === undefined) continue;
      const number = (text: string | undefined, option: string) =>
        Number(new RegExp(` ${option} (\\d+)`).exec(text ?? "")?.[1]);
      expect(number(set?.create, "maxelem")).toBeLessThan(number(rule, "--hashlimit-htable-max") / 2);
      const expire = number(rule, "--hashlimit-htable-expire") || 3_600_000;
      expect(number(set?.create, "timeout") * 1000).toBeGreaterThan(Math.min(expire, 60_000));
      const bits = / --hashlimit-srcmask (\d+)/.exec(rule)?.[1];
      expect(/ netmask (\d+)/.exec(set?.create ?? "")?.[1]).toBe(bits);
    }
  });

  it("have tables, chains and sets of their own for what they count", () => {
    const names = (plan: NodePlan) =>
      new Set(
        render(plan).tables.flatMap(({ chains }) =>
          chains.flatMap(({ rules }) => rules.flatMap((rule) => /--hashlimit-name (\S+)/.exec(rule)?.[1] ?? [])),
        ),
      );
    const same: NodePlan = { ...observing, observed: { ...observed(), rateLimits: everything.rateLimits } };
    const enforced = names(everything);
    expect([...names(same)].filter((name) => !enforced.has(name))).toHaveLength(enforced.size);
  });

  it("name only sets that are handed over, in the family of the table", () => {
    const { tables, sets, counted = [] } = render(observing);
    for (const family of [4, 6]) {
      const rules = tables
        .filter((table) => table.family === family)
        .flatMap(({ chains, hooks }) => [...chains, ...hooks].flatMap((one) => one.rules));
      const named = rules.flatMap((rule) => [...rule.matchAll(/--(?:match|add)-set (\S+)/g)].map(([, name]) => name));
      const handed = [...sets, ...counted].filter((set) => set.family === family).map(({ name }) => name);
      expect(new Set(named)).toEqual(new Set(handed));
      expect(new Set(handed).size).toBe(handed.length);
    }
  });
});

function observed(): NonNullable<NodePlan["observed"]> {
  if (observing.observed === undefined) throw new Error("fixture without an observer");
  return observing.observed;
}
