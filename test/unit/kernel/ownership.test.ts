import { expect, it } from "vitest";
import { NotOursError } from "../../../src/kernel/errors.ts";
import { checkRuleSet } from "../../../src/kernel/ownership.ts";
import type { RuleSet, Table } from "../../../src/render/types.ts";
import { nothing, sample } from "../../netns/kernel/samples.ts";

const table = (part: Partial<Table>): RuleSet => ({
  ...nothing,
  tables: [{ family: 4, name: "mangle", chains: [], hooks: [], ...part }],
});

it("accepts what render makes", () => {
  expect(() => checkRuleSet(sample)).not.toThrow();
});

it.each<[string, RuleSet]>([
  ["a foreign chain", table({ chains: [{ name: "KUBE-SERVICES", rules: [] }] })],
  ["a chain name longer than iptables takes", table({ chains: [{ name: `PH-${"A".repeat(26)}`, rules: [] }] })],
  ["a hook in a chain of ours", table({ hooks: [{ chain: "PH-IN", rules: [] }] })],
  ["a hook without the tag", table({ hooks: [{ chain: "INPUT", rules: ["-j DROP"] }] })],
  ["a second line in a rule", table({ chains: [{ name: "PH-IN", rules: ["-j DROP\n-F INPUT"] }] })],
  ["a hook in a chain that another table has", table({ name: "filter", hooks: [{ chain: "PREROUTING", rules: [] }] })],
  ["a foreign nft table", { ...nothing, nftTable: "table inet filter {\n}" }],
  ["something behind our nft table", { ...nothing, nftTable: "table inet porthardening {\n}\nflush ruleset" }],
  ["a foreign set", { ...nothing, sets: [{ name: "KUBE-X", family: 4, entries: [] }] }],
  [
    "a set name longer than ipset takes",
    { ...nothing, sets: [{ name: `ph-${"a".repeat(29)}`, family: 4, entries: [] }] },
  ],
  ["a name that a swap uses", { ...nothing, sets: [{ name: "ph-swap-0", family: 4, entries: [] }] }],
  [
    "a second line in an entry",
    { ...nothing, sets: [{ name: "ph-x", family: 4, entries: ["192.0.2.1\ndestroy KUBE-X"] }] },
  ],
])("refuses %s", (_, desired) => {
  expect(() => checkRuleSet(desired)).toThrow(NotOursError);
});
