import type { RuleSet, TableName } from "../render/types.ts";
import { MissingTargetError, NotOursError } from "./errors.ts";

/** The comment on our rules in chains that are not ours. */
export const TAG = "port-hardening";

/** Name of the set that a big edit fills before it swaps; numbered. */
export const SWAP_SET = "ph-swap-";

/** The chains of others in which we may stand. */
const HOOKED: Readonly<Record<TableName, readonly string[]>> = { mangle: ["PREROUTING", "INPUT"], filter: ["OUTPUT"] };

/** One table and nothing behind it. */
const OUR_NFT_TABLE = /^table inet porthardening \{\n(?:\t.*\n|\n)*\}$/;

export const isOurChain = (name: string): boolean => name.startsWith("PH-");
export const isOurSet = (name: string): boolean => name.startsWith("ph-");
export const isTagged = (rule: string): boolean => / --comment "?port-hardening"?(?: |$)/.test(rule);

/**
 * Refuses a rule set that reaches beyond what is ours, or that names a chain or set which it does not hold:
 * `iptables-nft-restore --test` accepts a jump to a missing chain, so this is checked here.
 * @throws {NotOursError | MissingTargetError}
 */
export function checkRuleSet(desired: RuleSet): void {
  const { counted = [] } = desired;
  for (const { name } of [...desired.sets, ...counted])
    if (!/^ph-[a-z0-9-]{1,28}$/.test(name) || name.startsWith(SWAP_SET)) throw new NotOursError(`set ${name}`);
  for (const { name, create } of counted)
    if (!/^hash:ip(,port)?( [a-z0-9]+)+$/.test(create)) throw new NotOursError(`options of set ${name}: ${create}`);
  for (const { name, entries } of desired.sets) {
    const odd = entries.find((entry) => !/^[0-9a-f.:/]+(?:,(?:tcp|udp|sctp):\d+,[0-9a-f.:]+)?$/.test(entry));
    if (odd !== undefined) throw new NotOursError(`entry ${JSON.stringify(odd)} of set ${name}`);
  }
  if (desired.nftTable !== undefined && !OUR_NFT_TABLE.test(desired.nftTable)) throw new NotOursError("an nft table");
  for (const { family, name: table, chains, hooks } of desired.tables) {
    const names = new Set(chains.map(({ name }) => name));
    const sets = new Set([...desired.sets, ...counted].filter((set) => set.family === family).map(({ name }) => name));
    const check = (where: string, rules: readonly string[]) => {
      for (const rule of rules) {
        if (rule.includes("\n")) throw new NotOursError(`a line break in a rule of ${where}`);
        for (const target of targetsOf(rule))
          if (isOurChain(target) && !names.has(target)) throw new MissingTargetError(`chain ${target}`, where, rule);
        for (const set of setsOf(rule)) if (!sets.has(set)) throw new MissingTargetError(`set ${set}`, where, rule);
      }
    };
    for (const { name, rules } of chains) {
      if (!/^PH-[A-Za-z0-9_.+-]{1,25}$/.test(name)) throw new NotOursError(`chain ${name}`);
      check(`chain ${name} (v${family})`, rules);
    }
    for (const { chain, rules } of hooks) {
      if (!HOOKED[table].includes(chain)) throw new NotOursError(`hook in chain ${chain} of table ${table}`);
      const untagged = rules.find((rule) => !isTagged(rule));
      if (untagged !== undefined) throw new NotOursError(`a hook in ${chain} without the comment ${TAG}: ${untagged}`);
      check(`hook ${chain} (v${family})`, rules);
    }
  }
}

function targetsOf(rule: string): string[] {
  return [...rule.matchAll(/(?:^| )-[jg] (\S+)/g)].map(([, target]) => target ?? "");
}

function setsOf(rule: string): string[] {
  return [...rule.matchAll(/ --(?:match|add)-set (\S+)/g)].map(([, set]) => set ?? "");
}
