import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import type { LimitUnit } from "../../../src/plan/types.ts";
import { render } from "../../../src/render/render.ts";
import type { RuleSet, Table } from "../../../src/render/types.ts";
import { everything } from "../../unit/render/everything.ts";
import { logging } from "../../unit/render/logging.ts";
import { observing } from "../../unit/render/observing.ts";

const namespace = `phc${process.pid.toString(36)}`;

function run(command: string, args: string[], input?: string): string {
  return execFileSync("ip", ["netns", "exec", namespace, command, ...args], { input, encoding: "utf8" });
}

/** The restore text of a table, written the plainest way: this test is about the rules' text, not about `kernel`. */
function restoreText({ name: table, chains, hooks }: Table): string {
  const declared = [
    ...hooks.map(({ chain }) => `:${chain} ACCEPT [0:0]`),
    ...chains.map(({ name }) => `:${name} - [0:0]`),
  ];
  const hooked = hooks.flatMap(({ chain, rules }) => rules.map((rule) => `-A ${chain} ${rule}`));
  const own = chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`));
  return [`*${table}`, ...declared, ...hooked, ...own, "COMMIT", ""].join("\n");
}

function load(ruleSet: RuleSet): void {
  for (const set of ruleSet.sets) {
    run("ipset", ["create", set.name, set.type ?? "hash:net", "family", set.family === 4 ? "inet" : "inet6", "-exist"]);
  }
  for (const { name, create } of ruleSet.counted ?? []) run("ipset", ["create", name, ...create.split(" "), "-exist"]);
  for (const table of ruleSet.tables)
    run(table.family === 4 ? "iptables-nft-restore" : "ip6tables-nft-restore", [], restoreText(table));
}

function printed(table: Table): string[] {
  const text = run(table.family === 4 ? "iptables-nft-save" : "ip6tables-nft-save", ["-t", table.name]);
  return text
    .split("\n")
    .filter((line) => line.startsWith("-A "))
    .sort();
}

function rendered({ chains, hooks }: Table): string[] {
  const hooked = hooks.flatMap(({ chain, rules }) => rules.map((rule) => `-A ${chain} ${rule}`));
  return [...hooked, ...chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`))].sort();
}

beforeAll(() => {
  execFileSync("ip", ["netns", "add", namespace]);
});
afterAll(() => {
  execFileSync("ip", ["netns", "del", namespace]);
});

it.each([
  ["enforced", everything],
  ["observed", observing],
  ["logged", logging],
])("writes every rule that is %s in the very form in which iptables-save prints it", (_, plan) => {
  const ruleSet = render(plan);
  load(ruleSet);
  for (const table of ruleSet.tables) expect(printed(table)).toEqual(rendered(table));
});

it("writes every rate and prefix length as iptables prints it back", () => {
  const units: LimitUnit[] = ["Second", "Minute", "Hour", "Day"];
  const limits = fc.sample(
    fc.record({
      limit: fc.integer({ min: 10, max: 9000 }),
      per: fc.constantFrom(...units),
      burst: fc.integer({ min: 1, max: 100 }),
    }),
    { numRuns: 150, seed: 7 },
  );
  const plan: NodePlan = {
    ...everything,
    inbound: [],
    outbound: [],
    rateLimits: limits.map((newConnections, index) => ({
      policy: "rates",
      name: `limit-${index}`,
      hash: (0x1000000 + index).toString(16).padStart(8, "0"),
      ports: [{ from: 1024, to: 65535 }],
      protocols: ["TCP"],
      interfaces: { include: [], exclude: [] },
      prefixLength: { ipv4: index % 33, ipv6: index % 129 },
      exempt: { sets: {} },
      newConnections,
    })),
  };
  const ruleSet = render(plan);
  load(ruleSet);
  for (const table of ruleSet.tables) expect(printed(table)).toEqual(rendered(table));
});
