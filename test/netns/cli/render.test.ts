import { afterAll, beforeAll, expect, it } from "vitest";
import { restoreText } from "../../../src/cli/restore-text.ts";
import { render } from "../../../src/render/render.ts";
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

it("prints what the tools take, section by section, and what they then print back", async () => {
  const ruleSet = render(everything);
  const sections = restoreText(ruleSet).split(/^(?=# (?:sets|IPv4|IPv6|what|sysctls))/m);
  expect(sections.map((section) => section.split("\n")[0])).toEqual([
    "# sets: ipset restore",
    "# IPv4: iptables-restore --noflush",
    "# IPv6: ip6tables-restore --noflush",
    "# what is marked is rejected: nft -f -",
    "# sysctls",
  ]);
  const [sets = "", v4 = "", v6 = "", nft = ""] = sections;
  await node.exec("ipset", ["restore"], { input: sets });
  await node.exec("iptables-nft-restore", ["--noflush"], { input: v4 });
  await node.exec("ip6tables-nft-restore", ["--noflush"], { input: v6 });
  await node.exec("nft", ["-f", "-"], { input: nft });
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
