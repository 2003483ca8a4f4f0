import type { Family } from "../plan/node-plan.ts";
import { TABLE_NAMES, type TableName } from "../render/types.ts";
import { ToolError } from "./errors.ts";
import type { RuleCounter } from "./kernel.ts";
import { isOurChain } from "./ownership.ts";

/** Every chain of a table, ours and others', with its rules as printed (without `-A CHAIN `). */
export type SavedChains = ReadonlyMap<string, readonly string[]>;
/** One family's tables; one that does not exist has no chains. */
export interface SavedTables extends Readonly<Record<TableName, SavedChains>> {
  /** What packets go through before mangle. */
  readonly raw: SavedChains;
  /** Bits that some rule of table nat sets in a packet's mark. */
  readonly natMarks: number;
}

/**
 * Reads what `iptables-nft-save` printed of all tables; others' tables are passed over.
 * @throws {ToolError} where the tool says that it cannot read one of ours (it exits 0 all the same)
 */
export function parseSavedRules(tool: string, text: string): SavedTables {
  const kept = { mangle: new Map<string, string[]>(), filter: new Map<string, string[]>(), raw: new Map() };
  let natMarks = 0;
  let nat = false;
  let chains = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const unreadable = /^# Table `(\w+)'/.exec(line)?.[1];
    if (unreadable !== undefined && isOurTable(unreadable)) throw new ToolError(tool, line.slice(2));
    const table = /^\*(\w+)$/.exec(line)?.[1];
    if (table !== undefined) {
      chains = isOurTable(table) || table === "raw" ? kept[table] : new Map();
      nat = table === "nat";
    }
    if (nat && line.includes("--set-xmark"))
      natMarks |= Number(/ -j MARK --set-xmark (0x[0-9a-f]+)/.exec(line)?.[1] ?? 0);
    const declared = /^:(\S+) /.exec(line)?.[1];
    if (declared !== undefined) chains.set(declared, []);
    const [, chain, rule] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (chain !== undefined && rule !== undefined) chains.get(chain)?.push(rule);
  }
  return { ...kept, natMarks };
}

function isOurTable(name: string): name is TableName {
  return TABLE_NAMES.some((ours) => ours === name);
}

/** Reads the counters of our rules from what `iptables-nft-save -c` printed: those with a comment `policy/entry/hash`. */
export function parseCounters(family: Family, text: string): RuleCounter[] {
  return text.split("\n").flatMap((line) => {
    const [, packets, bytes, chain, rule] = /^\[(\d+):(\d+)\] -A (\S+) ?(.*)$/.exec(line) ?? [];
    const comment = commentOf(rule ?? "");
    if (chain === undefined || !isOurChain(chain) || comment === undefined) return [];
    if (!/^[^/]+\/[^/]+\/[^/]+$/.test(comment)) return [];
    return [{ family, chain, comment, packets: Number(packets), bytes: Number(bytes) }];
  });
}

/** The rule's comment, unquoted. Printed bare where it is only `[A-Za-z0-9_-]`, else in double quotes with backslashes. */
export function commentOf(rule: string): string | undefined {
  const [, quoted, bare] = /(?:^| )--comment (?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(rule) ?? [];
  return quoted?.replace(/\\(.)/g, "$1") ?? bare;
}
