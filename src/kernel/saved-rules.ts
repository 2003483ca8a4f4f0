import type { Family } from "../plan/types.ts";
import { ToolError } from "./errors.ts";
import type { RuleCounter } from "./kernel.ts";
import { isOurChain } from "./ownership.ts";

/** Every chain of a table, ours and others', with its rules as printed (without `-A CHAIN `). */
export type SavedChains = ReadonlyMap<string, readonly string[]>;

/**
 * Reads what `iptables-nft-save -t TABLE` printed.
 * @throws {ToolError} where the tool says that it cannot read the table (it exits 0 all the same)
 */
export function parseSavedRules(tool: string, text: string): SavedChains {
  const chains = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line.startsWith("# Table ")) throw new ToolError(tool, line.slice(2));
    const declared = /^:(\S+) /.exec(line)?.[1];
    if (declared !== undefined) chains.set(declared, []);
    const [, chain, rule] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (chain !== undefined && rule !== undefined) chains.get(chain)?.push(rule);
  }
  return chains;
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
