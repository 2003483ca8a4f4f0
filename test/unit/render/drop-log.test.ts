import { describe, expect, it } from "vitest";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { render } from "../../../src/render/render.ts";
import type { Chain, Table } from "../../../src/render/types.ts";
import { everything } from "./everything.ts";
import { logging } from "./logging.ts";

const logs = (...policies: string[]): NodePlan => ({
  ...everything,
  dropLogs: policies.map((policy) => ({ policy, perMinute: 1 })),
});
const isLog = ({ name }: Chain) => name.startsWith("PH-D-");
const verdictOf = ({ rules }: Chain) => /-[jg] .*$/.exec(rules.at(-1) ?? "")?.[0] ?? "";

/** The table as it would be if what remembers stood not in the way. */
function withoutLogs({ chains, ...table }: Table): Table {
  const verdicts = new Map(chains.filter(isLog).map((chain) => [`-g ${chain.name}`, verdictOf(chain)]));
  const short = (rule: string) => rule.replace(/-g PH-D-\S+$/, (target) => verdicts.get(target) ?? target);
  const kept = chains.filter((chain) => !isLog(chain));
  return { ...table, chains: kept.map(({ name, rules }) => ({ name, rules: rules.map(short) })) };
}

describe("rules of policies that log drops", () => {
  it("are to the letter what they were, where the policy that logs is another", () => {
    expect(render(logs("other"))).toEqual(render(everything));
    expect(render({ ...everything, dropLogs: [] })).toEqual(render(everything));
  });

  it("are what they were but for the way to where they drop and reject", () => {
    for (const plan of [logging, logs("workers"), logs("inner")])
      expect(render(plan).tables.map(withoutLogs)).toEqual(render(everything).tables);
  });

  it("remember at each place where the policy drops or rejects, and at no other", () => {
    const { tables } = render(logs("workers"));
    const rules = tables.flatMap(({ chains }) =>
      chains.filter((chain) => !isLog(chain)).flatMap((chain) => chain.rules),
    );
    const drops = rules.filter((rule) => / --comment \S+ (-j DROP|-j REJECT .*|-g PH-(REJECT|D-\S+))$/.test(rule));
    const ofWorkers = drops.filter((rule) => rule.includes('--comment "workers/'));
    expect(ofWorkers.length).toBeGreaterThan(10);
    expect(drops.length).toBeGreaterThan(ofWorkers.length);
    expect(drops.filter((rule) => rule.includes(" -g PH-D-"))).toEqual(ofWorkers);
  });

  it("drop whatever the set holds: what remembers neither returns nor depends on it", () => {
    const chains = render(logging).tables.flatMap((table) => table.chains.filter(isLog));
    expect(chains.length).toBeGreaterThan(20);
    for (const chain of chains) {
      const verdict = verdictOf(chain);
      const protocol = verdict.endsWith("tcp-reset") ? "-p tcp " : "";
      const set = /--match-set (ph-d[46]-[0-9a-f]{8}) (src|dst),dst /.exec(chain.rules[0] ?? "");
      expect(chain.rules).toEqual([
        `${protocol}-m set --match-set ${set?.[1]} ${set?.[2]},dst ${verdict}`,
        `-m limit --limit 500/sec --limit-burst 1000 -j SET --add-set ${set?.[1]} ${set?.[2]},dst`,
        `${protocol}${verdict}`,
      ]);
      expect(verdict).toMatch(/^(-j DROP|-j REJECT --reject-with \S+|-g PH-REJECT)$/);
    }
  });

  it("reach what is for TCP alone by rules for TCP alone: all else would fall through", () => {
    for (const { chains } of render(logging).tables) {
      const resets = chains.filter((chain) => isLog(chain) && verdictOf(chain).endsWith("tcp-reset"));
      const leading = chains.flatMap(({ rules }) =>
        rules.filter((rule) => resets.some(({ name }) => rule.endsWith(` -g ${name}`))),
      );
      expect(leading.filter((rule) => !rule.startsWith("-p tcp "))).toEqual([]);
      expect(leading.length > 0).toBe(resets.length > 0);
    }
  });

  it("fill a set of their own for each entry and family, which says whose it is", () => {
    const { counted = [], tables } = render(logs("workers"));
    const entries = counted.flatMap(({ drops, family }) => `${drops?.direction} ${drops?.entry} ${family}`).toSorted();
    const both = (entry: string) => [4, 6].map((family) => `${entry} ${family}`);
    const inbound = ["all", "blocklist", "default", "per-source", "standing"].map((entry) => `Inbound ${entry}`);
    const outbound = ["blocklist", "default"].map((entry) => `Outbound ${entry}`);
    expect(entries).toEqual([...inbound, ...outbound].flatMap(both));
    expect(counted.every(({ drops }) => drops?.policy === "workers")).toBe(true);
    const text = JSON.stringify(tables);
    expect(counted.filter(({ name }) => !text.includes(`--add-set ${name} `))).toEqual([]);
  });

  it("stay below the 16 chains that nf_tables follows", () => {
    for (const { chains } of render(logging).tables) {
      const depth = (name: string): number => {
        const rules = chains.find((one) => one.name === name)?.rules ?? [];
        return 1 + Math.max(0, ...rules.flatMap((rule) => /-[jg] (PH-\S+)$/.exec(rule)?.[1] ?? []).map(depth));
      };
      expect(Math.max(depth("PH-PRE"), depth("PH-OUT"))).toBeLessThan(13);
    }
  });
});
