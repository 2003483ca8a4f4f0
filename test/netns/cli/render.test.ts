import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { restoreText } from "../../../src/cli/restore-text.ts";
import { render } from "../../../src/render/render.ts";
import { arbitraryCase } from "../../differential/arbitrary-case.ts";
import { planCase } from "../../differential/three-readings.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { NetworkNamespace } from "../../lab/network-namespace.ts";
import { everything } from "../../unit/render/everything.ts";

let lab: Lab;
let node: NetworkNamespace;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.addNamespace("node");
}, 60_000);
afterAll(() => lab.close());

const TOOLS = {
  sets: ["ipset", "restore"],
  IPv4: ["iptables-nft-restore", "--noflush"],
  IPv6: ["ip6tables-nft-restore", "--noflush"],
  what: ["nft", "-f", "-"],
} as const;

function sectionsOf(text: string): string[] {
  return text.split(/^(?=# (?:sets|IPv4|IPv6|what|sysctls))/m);
}

/** Gives each section to its tool, which refuses what it does not know. */
async function restore(to: NetworkNamespace, sections: readonly string[]): Promise<void> {
  for (const [name, [tool, ...args]] of Object.entries(TOOLS)) {
    const input = sections.find((section) => section.startsWith(`# ${name}`));
    if (input !== undefined) await to.exec(tool, args, { input });
  }
}

it("prints what the tools take, of any policies", async () => {
  let runs = 0;
  const property = fc.asyncProperty(arbitraryCase(1), async ({ policies, world }) => {
    runs += 1;
    const fresh = await lab.addNamespace(`node${runs}`);
    await restore(fresh, sectionsOf(restoreText(render(planCase(policies, world)))));
  });
  await fc.assert(property, { numRuns: 15 });
});

it("prints what the tools take, section by section, and what they then print back", async () => {
  const ruleSet = render(everything);
  const sections = sectionsOf(restoreText(ruleSet));
  expect(sections.map((section) => section.split("\n")[0])).toEqual([
    "# sets: ipset restore",
    "# IPv4: iptables-restore --noflush",
    "# IPv6: ip6tables-restore --noflush",
    "# what is marked is rejected: nft -f -",
    "# sysctls",
  ]);
  await restore(node, sections);
  for (const { family, name: table, hooks, chains } of ruleSet.tables) {
    const { stdout } = await node.exec(family === 4 ? "iptables-nft-save" : "ip6tables-nft-save", ["-t", table]);
    const printed = stdout.split("\n").filter((line) => line.startsWith("-A"));
    const asked = [...hooks.map(({ chain: name, rules }) => ({ name, rules })), ...chains];
    const lines = asked.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`));
    expect(printed.toSorted()).toEqual(lines.toSorted());
  }
  const { stdout } = await node.exec("nft", ["-s", "list", "table", "inet", "porthardening"]);
  expect(stdout.trim()).toBe(ruleSet.nftTable);
});
