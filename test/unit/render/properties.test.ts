import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkRuleSet } from "../../../src/kernel/ownership.ts";
import type { RuleSet, Table } from "../../../src/render/types.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { acceptedPolicies } from "../../hostile/accepted-policies.ts";
import { renderPolicies } from "../../hostile/render-accepted.ts";
import { strangeLines } from "../../hostile/text-grammar.ts";
import { turned } from "../plan/policies.ts";

/** NFT_JUMP_STACK_SIZE (nf_tables.h): the chains below the hooked one, gotos included. */
const MAX_DEPTH = 16;

function forRendered(holds: (ruleSet: RuleSet, policies: readonly unknown[]) => void): void {
  fc.assert(fc.property(acceptedPolicies, (policies) => holds(renderPolicies(policies), policies)));
}

function allRules({ chains, hooks }: Table): string[] {
  return [...chains, ...hooks].flatMap(({ rules }) => rules);
}

function targets(rules: readonly string[]): string[] {
  return rules.flatMap((rule) => /(?:^| )-[jg] (PH-\S+)/.exec(rule)?.[1] ?? []);
}

/** Of the chains that a rule of `rules` leads to, one behind the other. */
function depth(rules: readonly string[], table: Table): number {
  const below = [...new Set(targets(rules))].map((name) => table.chains.find((chain) => chain.name === name));
  return Math.max(0, ...below.map((chain) => 1 + depth(chain?.rules ?? [], table)));
}

describe("what is rendered of any accepted policies", () => {
  it("is the same again, and in whatever order policies, entries and lists stand", () => {
    forRendered((ruleSet, policies) => {
      expect(renderPolicies(structuredClone(policies))).toEqual(ruleSet);
      expect(renderPolicies(turned(policies))).toEqual(ruleSet);
    });
  });

  it("leads only to chains that it makes, and to each of them", () => {
    forRendered(({ tables }) => {
      for (const table of tables) {
        const made = table.chains.map(({ name }) => name);
        expect(new Set(made).size).toBe(made.length);
        expect(new Set(targets(allRules(table)))).toEqual(new Set(made));
      }
    });
  });

  it("names only sets that it hands over, each of the family and in use", () => {
    forRendered(({ tables, sets, counted = [] }) => {
      for (const family of [4, 6]) {
        const rules = tables.filter((table) => table.family === family).flatMap(allRules);
        const named = rules.flatMap((rule) => [...rule.matchAll(/--(?:match|add)-set (\S+)/g)].map(([, name]) => name));
        const handed = [...sets, ...counted].filter((set) => set.family === family);
        expect(new Set(named)).toEqual(new Set(handed.map(({ name }) => name)));
      }
    });
  });

  it("has nothing outside of our chains but tagged jumps into them", () => {
    forRendered((ruleSet) => {
      expect(() => checkRuleSet(ruleSet)).not.toThrow();
      for (const { chains, hooks } of ruleSet.tables) {
        expect(chains.filter(({ name }) => !name.startsWith("PH-"))).toEqual([]);
        for (const { rules } of hooks)
          expect(rules.filter((rule) => !/ -m comment --comment port-hardening -j PH-\S+$/.test(rule))).toEqual([]);
      }
    });
  });

  it("stays within the depth that the kernel follows", () => {
    forRendered(({ tables }) => {
      for (const table of tables) {
        const hooked = table.hooks.flatMap(({ rules }) => rules);
        expect(depth(hooked, table)).toBeLessThan(MAX_DEPTH);
      }
    });
  });

  it("has no name longer than the tools take", () => {
    forRendered(({ tables, sets, counted = [] }) => {
      const rules = tables.flatMap(allRules);
      const captured = (pattern: RegExp) => rules.flatMap((rule) => pattern.exec(rule)?.[1] ?? []);
      const longest = (names: readonly string[]) => Math.max(0, ...names.map(({ length }) => length));
      // XT_EXTENSION_MAXNAMELEN less the closing zero; IPSET_MAXNAMELEN; xt_comment; NAME_MAX of a file in /proc.
      expect(longest(tables.flatMap(({ chains }) => chains.map(({ name }) => name)))).toBeLessThanOrEqual(28);
      expect(longest([...sets, ...counted].map(({ name }) => name))).toBeLessThanOrEqual(31);
      expect(longest(captured(/--comment "([^"]*)"/))).toBeLessThanOrEqual(255);
      expect(longest(captured(/--hashlimit-name (\S+)/))).toBeLessThanOrEqual(15);
      expect(captured(/--dports (\S+)/).filter((ports) => ports.split(/[,:]/).length > 15)).toEqual([]);
    });
  });

  it("is text of our own grammar, which the simulator reads", () => {
    forRendered((ruleSet) => {
      expect(strangeLines(ruleSet)).toEqual([]);
      expect(() => simulator(ruleSet)).not.toThrow();
    });
  });
});
