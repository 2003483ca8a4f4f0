import { describe, expect, it } from "vitest";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { render } from "../../../src/render/render.ts";
import type { Table } from "../../../src/render/types.ts";
import { everything } from "./everything.ts";

const nothing: NodePlan = { ...everything, inbound: [], outbound: [], rateLimits: [] };

function rulesOf(table: Table): string[] {
  return [...table.hooks, ...table.chains].flatMap(({ rules }) => rules);
}

function chain(plan: NodePlan, family: 4 | 6, name: string): readonly string[] {
  const chains = render(plan).tables.flatMap((table) => (table.family === family ? table.chains : []));
  const found = chains.find((one) => one.name === name);
  if (!found) throw new Error(`no chain ${name}, only ${chains.map((one) => one.name).join(" ")}`);
  return found.rules;
}

describe("render", () => {
  it("jumps only to chains that it makes, and makes none that nothing jumps to", () => {
    for (const plan of [
      everything,
      { ...everything, inbound: everything.inbound.slice(0, 1) },
      { ...everything, inbound: [] },
      { ...nothing, outbound: everything.outbound.slice(0, 1) },
    ]) {
      for (const table of render(plan).tables) {
        const targets = rulesOf(table).flatMap((rule) => /-[jg] (PH-\S+)$/.exec(rule)?.[1] ?? []);
        expect(new Set(targets)).toEqual(new Set(table.chains.map(({ name }) => name)));
      }
    }
  });

  it("names only sets that it hands over, in the family of the table", () => {
    const { tables, sets } = render(everything);
    for (const family of [4, 6]) {
      const rules = tables.filter((table) => table.family === family).flatMap(rulesOf);
      const named = rules.flatMap((rule) => /--match-set (\S+)/.exec(rule)?.[1] ?? []);
      const handed = sets.filter((set) => set.family === family).map(({ name }) => name);
      expect(new Set(named)).toEqual(new Set(handed));
    }
  });

  it("never accepts: a packet that we let pass still meets the other firewalls' rules", () => {
    expect(
      render(everything)
        .tables.flatMap(rulesOf)
        .filter((rule) => rule.includes("ACCEPT")),
    ).toEqual([]);
  });

  it("walks its chains by goto, so that RETURN passes out of all of them, and jumps only to chains without RETURN", () => {
    for (const { name: table, chains } of render(everything).tables) {
      const jumpedTo = chains
        .flatMap(({ rules }) => rules)
        .flatMap((rule) => /(?:^| )-j (PH-\S+)/.exec(rule)?.[1] ?? []);
      const rules = chains.filter(({ name }) => jumpedTo.includes(name)).flatMap((one) => one.rules);
      // Concurrent limits are inbound only.
      expect(rules.length > 0).toBe(table === "mangle");
      expect(rules.filter((rule) => !rule.endsWith(" -j DROP"))).toEqual([]);
    }
  });

  it("stays below the 16 chains that nf_tables follows", () => {
    for (const { chains } of render(everything).tables) {
      const depth = (name: string): number => {
        const rules = chains.find((one) => one.name === name)?.rules ?? [];
        return 1 + Math.max(0, ...rules.flatMap((rule) => /-[jg] (PH-\S+)$/.exec(rule)?.[1] ?? []).map(depth));
      };
      expect(Math.max(depth("PH-PRE"), depth("PH-OUT"))).toBeLessThan(12);
    }
  });

  it("asks for nothing where nothing is judged or limited", () => {
    for (const table of render(nothing).tables) expect([...table.chains, ...table.hooks]).toEqual([]);
    expect(render(nothing).sets).toEqual([]);
  });

  it("denies before any policy allows, and allows before any default drops", () => {
    const step = (rule: string): number => {
      const entry = /--comment "[^/]+\/([^/]+)\//.exec(rule)?.[1] ?? "";
      return { blocklist: 0, office: 1, default: 2 }[entry] ?? 3;
    };
    const steps = chain(everything, 4, "PH-J-eth+").map(step);
    expect(steps).toEqual(steps.toSorted());
    expect(new Set(steps)).toEqual(new Set([0, 1, 2, 3]));
  });

  it("judges what goes out by its destination and the interface it leaves by", () => {
    const outbound = render(everything)
      .tables.filter(({ name }) => name === "filter")
      .flatMap(rulesOf);
    expect(outbound.filter((rule) => / src\b|(?:^| )-i /.test(rule))).toEqual([]);
    expect(outbound.filter((rule) => /-o (?!lo|eth)/.test(rule))).toEqual([]);
  });

  it("lets a default of Allow decide in its place by precedence", () => {
    const defaults = chain(everything, 4, "PH-OJ-eth+").filter((rule) => rule.includes("/default/"));
    expect(defaults.map((rule) => /"(\w+)\/.* -j (\w+)/.exec(rule)?.slice(1))).toEqual([
      ["workers", "DROP"],
      ["workers", "DROP"],
      ["edge", "RETURN"],
      ["edge", "RETURN"],
      ["inner", "REJECT"],
      ["inner", "REJECT"],
      ["inner", "REJECT"],
    ]);
  });

  it("touches no bit of a packet's mark but the one that rejects, and none where nothing rejects", () => {
    const marks = (plan: NodePlan) =>
      render(plan)
        .tables.flatMap(rulesOf)
        .flatMap((rule) => /--set-x?mark (\S+)/.exec(rule)?.[1] ?? []);
    expect(new Set(marks(everything))).toEqual(new Set(["0x1000/0x1000", "0x0/0x1000"]));
    const dropping = { ...everything, inbound: everything.inbound.slice(0, 2) };
    expect([marks(dropping), render(dropping).nftTable]).toEqual([[], undefined]);
  });

  it("has no chain to reject in where the policy that rejects excludes every interface that it includes", () => {
    const interfaces = { include: ["eth0"], exclude: ["eth0"] };
    const inbound = everything.inbound.map((one) => ({ ...one, interfaces, defaultAction: "Reject" as const }));
    const { tables, nftTable } = render({ ...everything, inbound });
    expect(tables.flatMap(({ chains }) => chains.map(({ name }) => name))).not.toContain("PH-REJECT");
    expect(nftTable).toBeUndefined();
  });

  it("rejects by the bit that is configured, masked everywhere", () => {
    const { tables, nftTable } = render({ ...everything, markBit: 0x8000_0000 });
    const text = [...tables.flatMap(rulesOf), nftTable].join("\n");
    expect(text).not.toMatch(/0x0*1000\b/);
    expect(text).toContain("-j MARK --set-xmark 0x80000000/0x80000000");
    expect(text).toContain("-j MARK --set-xmark 0x0/0x80000000");
    expect(text.match(/meta mark & 0x80000000 == 0x80000000/g)).toHaveLength(6);
  });

  it("needs nothing of SCTP where no policy names it", () => {
    const { inbound, outbound } = everything;
    const rules = (plan: NodePlan) => render(plan).tables.flatMap(rulesOf).join("\n");
    expect(rules(everything)).toContain("-m sctp");
    expect(rules({ ...everything, inbound: inbound.slice(0, 2), outbound: outbound.slice(0, 2) })).not.toContain(
      "sctp",
    );
  });

  it("counts a limit in one table however many rules its ports need", () => {
    const ports = Array.from({ length: 20 }, (_, index) => ({ from: 3000 + 2 * index, to: 3000 + 2 * index }));
    const limit = everything.rateLimits.find(({ hash }) => hash === "22222222");
    if (!limit) throw new Error("fixture without limit");
    const rules = chain({ ...everything, inbound: [], rateLimits: [{ ...limit, ports }] }, 4, "PH-L");
    const names = rules.flatMap((rule) => /--hashlimit-name (\S+)/.exec(rule)?.[1] ?? []);
    expect(names).toEqual(["ph-22222222", "ph-22222222"]);
  });

  it("counts concurrent connections in one rule however many rules and interfaces lead there", () => {
    const { chains = [] } = render(everything).tables[0] ?? {};
    const jumps = chains.flatMap(({ name, rules }) =>
      rules.filter((rule) => rule.endsWith("-j PH-C-44444444")).map(() => name),
    );
    // Two protocols, 16 ports in 15 slots; every interface but eth9.
    expect(jumps.toSorted()).toEqual(["PH-LR", "PH-LR-eth+", "PH-LR-wg0"].flatMap((name) => [name, name, name, name]));
    expect(chain(everything, 4, "PH-C-44444444")).toHaveLength(1);
  });

  it.each([
    ["11111111", undefined, "64"],
    ["22222222", "24", undefined],
    ["33333333", "0", "0"],
  ])("counts the sources of %s by v4 /%s and v6 /%s, a whole address left unsaid", (hash, ...bits) => {
    const masks = ([4, 6] as const).map((family) => {
      const [rule = ""] = chain(everything, family, "PH-LR-eth+").filter((one) => one.includes(`ph-${hash}`));
      return /--hashlimit-srcmask (\d+)/.exec(rule)?.[1];
    });
    expect(masks).toEqual(bits);
  });

  it("drops what one source has too much before it spends what all share", () => {
    const limits = chain(everything, 4, "PH-LR-eth+").map((rule) => /(\d)\1{7}/.exec(rule)?.[1]);
    expect([...new Set(limits)]).toEqual(["1", "4", "2", "3", "5"]);
  });

  it("neither counts nor limits the exempt, in the families that they have", () => {
    const exempting = (family: 4 | 6) =>
      chain(everything, family, "PH-LR-eth+").flatMap((rule) => {
        const [, set] = /-m set ! --match-set (\S+) src .*(?:hashlimit|-j PH-C-)/.exec(rule) ?? [];
        return set === undefined ? [] : [`${/(\d)\1{7}/.exec(rule)?.[1]} ${set}`];
      });
    expect(new Set(exempting(4))).toEqual(new Set(["1 ph-4-0ff1ce0ff1ce", "3 ph-4-exempt000000"]));
    expect(new Set(exempting(6))).toEqual(new Set(["3 ph-6-exempt000000", "4 ph-6-exempt000000"]));
  });

  it("remembers a source until its whole burst is back", () => {
    expect(chain(everything, 4, "PH-LR-eth+").join("\n")).toContain("--hashlimit-htable-expire 120000");
  });

  it("exempts the trusted cluster from limits where a policy judges it", () => {
    expect(chain(everything, 4, "PH-L")).toContain("-m set --match-set ph-4-nodes src -j RETURN");
  });

  it("gives the same text for the same plan", () => {
    expect(render(structuredClone(everything))).toEqual(render(everything));
  });
});
