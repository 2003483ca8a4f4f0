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
  const sections = restoreText(ruleSet).split(/^(?=# (?:sets|IPv4|IPv6|sysctls))/m);
  expect(sections.map((section) => section.split("\n")[0])).toEqual([
    "# sets: ipset restore",
    "# IPv4: iptables-restore --noflush",
    "# IPv6: ip6tables-restore --noflush",
    "# sysctls",
  ]);
  const [sets = "", v4 = "", v6 = ""] = sections;
  await node.exec("ipset", ["restore"], { input: sets });
  await node.exec("iptables-nft-restore", ["--noflush"], { input: v4 });
  await node.exec("ip6tables-nft-restore", ["--noflush"], { input: v6 });
  for (const [index, tool] of ["iptables-nft-save", "ip6tables-nft-save"].entries()) {
    const { stdout } = await node.exec(tool, ["-t", "mangle"]);
    const printed = stdout.split("\n").filter((line) => line.startsWith("-A"));
    const table = ruleSet.tables[index];
    const asked = [
      ...(table?.hooks.map(({ chain: name, rules }) => ({ name, rules })) ?? []),
      ...(table?.chains ?? []),
    ];
    const lines = asked.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`));
    expect(printed.toSorted()).toEqual(lines.toSorted());
  }
});
