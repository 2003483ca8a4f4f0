import type { AddressSet, Family } from "../plan/node-plan.ts";
import type { RuleSet, SysctlSetting, Table } from "../render/types.ts";

/** A node's rules as input of the tools, one section a tool: ipset, iptables, ip6tables, nft, sysctl.d. */
export function restoreText({ tables, sets, counted = [], sysctls, nftTable }: RuleSet): string {
  const family = (wanted: Family) => tables.filter((table) => table.family === wanted).flatMap(tableLines);
  return [
    section("sets: ipset restore", [
      ...sets.flatMap(setLines),
      ...counted.map(({ name, create }) => `create ${name} ${create}`),
    ]),
    section("IPv4: iptables-restore --noflush", family(4)),
    section("IPv6: ip6tables-restore --noflush", family(6)),
    ...(nftTable === undefined ? [] : [section("what is marked is rejected: nft -f -", nftTable.split("\n"))]),
    section("sysctls", sysctls.map(sysctlLine)),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `# ${title}\n${(lines.length === 0 ? ["# none"] : lines).map((line) => `${line}\n`).join("")}`;
}

function setLines({ name, family, type = "hash:net", entries }: AddressSet): string[] {
  return [
    `create ${name} ${type} family ${family === 4 ? "inet" : "inet6"} maxelem 1048576`,
    ...entries.map((entry) => `add ${name} ${entry}`),
  ];
}

function tableLines({ name, chains, hooks }: Table): string[] {
  if (chains.length + hooks.length === 0) return [];
  return [
    `*${name}`,
    ...chains.map((chain) => `:${chain.name} - [0:0]`),
    ...chains.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`)),
    ...hooks.flatMap(({ chain, rules }) => rules.map((rule, index) => `-I ${chain} ${index + 1} ${rule}`)),
    "COMMIT",
  ];
}

function sysctlLine({ key, value, match, persist }: SysctlSetting): string {
  const remarks = [match === "Contains" ? "added to what is there" : "", persist ? "" : "not kept over a reboot"];
  const remark = remarks.filter((one) => one !== "").join(", ");
  return `${key} = ${value}${remark === "" ? "" : `   # ${remark}`}`;
}
