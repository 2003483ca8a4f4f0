import type { RuleSet, Table } from "../../src/render/types.ts";
import type { NetworkNamespace } from "../lab/network-namespace.ts";

const FAMILIES = [
  { family: 4, restore: "iptables-nft-restore", save: "iptables-nft-save", set: "inet" },
  { family: 6, restore: "ip6tables-nft-restore", save: "ip6tables-nft-save", set: "inet6" },
] as const;

/**
 * Loads many rule sets into one namespace by one run of each tool, and reads them back. Each gets names of its own: `PH-`
 * becomes `00-`, `ph-` becomes `00-`, and so on, so that no name gets longer than it is. In the hooks they stand one behind
 * the other.
 * @returns each line that differs between what was written and what is read, as a diff
 * @throws where a tool refuses
 */
export async function loadTogether(namespace: NetworkNamespace, ruleSets: readonly RuleSet[]): Promise<string[]> {
  if (ruleSets.length > 36 ** 2) throw new Error("there are not so many names of two characters");
  const own = ruleSets.map((ruleSet, index) => renamed(ruleSet, index.toString(36).padStart(2, "0")));
  const sets = own.flatMap((one) => one.sets);
  const wanted = [
    ...sets.flatMap(({ name, family, entries }) => [
      `create ${name} hash:net family ${family === 4 ? "inet" : "inet6"}`,
      ...entries.map((entry) => `add ${name} ${entry}`),
    ]),
    ...own.flatMap(({ counted = [] }) => counted.map(({ name, create }) => `create ${name} ${create}`)),
  ];
  await namespace.exec("ipset", ["restore"], { input: `${wanted.join("\n")}\n` });
  const { stdout } = await namespace.exec("ipset", ["save"]);
  const found = stdout.split("\n").filter((line) => line !== "");
  const withoutSizes = (lines: readonly string[]) => lines.map((line) => line.replace(/( family inet6?) .*/, "$1"));
  const differences = difference(withoutSizes(wanted), withoutSizes(found));

  for (const { family, restore, save } of FAMILIES) {
    const tables = own.flatMap((one) => one.tables.filter((table) => table.family === family));
    const text = (["mangle", "filter"] as const).map((name) => tableText(name, tables)).join("");
    await namespace.exec(restore, ["--test"], { input: text });
    await namespace.exec(restore, [], { input: text });
    const saved = await namespace.exec(save, []);
    const lines = (all: string) => all.split("\n").filter((line) => line.startsWith("-A ") || /^:\S+ - /.test(line));
    differences.push(...difference(lines(text), lines(saved.stdout)));
  }
  const [nftTable] = own.flatMap((one) => one.nftTable ?? []);
  if (nftTable !== undefined) {
    await namespace.exec("nft", ["-f", "-"], { input: `${nftTable}\n` });
    const listed = await namespace.exec("nft", ["-s", "list", "table", "inet", "porthardening"]);
    differences.push(...difference(nftTable.split("\n"), listed.stdout.trimEnd().split("\n")));
  }
  return differences;
}

function tableText(name: Table["name"], all: readonly Table[]): string {
  const tables = all.filter((table) => table.name === name);
  const chains = tables.flatMap((table) => table.chains);
  const hooks = tables.flatMap((table) => table.hooks);
  const declared = [
    ...new Set(hooks.map(({ chain }) => `:${chain} ACCEPT [0:0]`)),
    ...chains.map((one) => `:${one.name} - [0:0]`),
  ];
  const hooked = hooks.flatMap(({ chain, rules }) => rules.map((rule) => `-A ${chain} ${rule}`));
  const own = chains.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`));
  return [`*${name}`, ...declared, ...hooked, ...own, "COMMIT", ""].join("\n");
}

/** Only where a name stands: `ph-` within a comment is somebody's own name. */
function renamed({ tables, sets, counted = [], ...rest }: RuleSet, mark: string): RuleSet {
  const name = (old: string) => old.replace(/^(?:PH|ph)-/, `${mark}-`);
  const rule = (text: string) =>
    text.replaceAll(/(?<= )ph-(?=\S+ (?:src|dst|--hashlimit-htable-size)\b)|(?<=(?:^| )-[jg] )PH-/g, `${mark}-`);
  return {
    ...rest,
    sets: sets.map((set) => ({ ...set, name: name(set.name) })),
    counted: counted.map((set) => ({ ...set, name: name(set.name) })),
    tables: tables.map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({ name: name(chain.name), rules: chain.rules.map(rule) })),
      hooks: table.hooks.map(({ chain, rules }) => ({ chain, rules: rules.map(rule) })),
    })),
  };
}

/** By line, each as often as it stands there. */
function difference(written: readonly string[], read: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of written) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of read) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts].flatMap(([line, count]) => (count === 0 ? [] : [`${count > 0 ? "written" : "read"}: ${line}`]));
}
