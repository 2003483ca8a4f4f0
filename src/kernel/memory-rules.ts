import { TABLE_NAMES, type TableName } from "../render/types.ts";

/** A rule in memory, as iptables-save prints it. */
interface MemoryRule {
  readonly text: string;
  readonly packets: number;
}
type Chains = Map<string, MemoryRule[]>;

const BASE_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
};

/** A line that the tool refuses, in its own words. */
export class RefusedLine extends Error {
  override readonly name = "RefusedLine";
  readonly line: number;
  constructor(line: number, words: string) {
    super(words);
    this.line = line;
  }
}

export interface TouchedChain {
  readonly table: TableName;
  readonly chain: string;
}

export interface MemoryRules {
  /** What `iptables-nft-restore --noflush` does with this text. @returns the chains that it changed @throws {RefusedLine} */
  restore(text: string, hasSet: (name: string) => boolean): TouchedChain[];
  save(withCounters: boolean, table?: string): string;
  /** As many packets for each rule. */
  count(packets: number): void;
  matches(part: string): boolean;
  /** What a hashlimit table remembers, where a rule has one of this name: one source, once a packet has met the rule. */
  hashlimitSources(name: string): number | undefined;
}

/** Our tables of one family, as far as iptables-nft-restore and -save tell of them. */
export function memoryRules(): MemoryRules {
  const tables = new Map<TableName, Chains>(
    TABLE_NAMES.map((table) => [table, new Map(BASE_CHAINS[table].map((name) => [name, []]))]),
  );
  const all = () => [...tables.values()].flatMap((chains) => [...chains.values()].flat());
  return {
    restore(text, hasSet) {
      const touched = new Map<string, TouchedChain>();
      let table: TableName = "mangle";
      let next: Chains = new Map();
      text.split("\n").forEach((line, index) => {
        const refuse = (words: string) => {
          throw new RefusedLine(index + 1, words);
        };
        if (line === "COMMIT") {
          const dangling = [...next.values()].flat().flatMap(({ text: rule }) => jumpsOf(rule));
          const missing = dangling.find((target) => target.startsWith("PH-") && !next.has(target));
          if (missing !== undefined) refuse(`Chain '${missing}' does not exist`);
          tables.set(table, next);
        } else if (line.startsWith("*")) {
          table = TABLE_NAMES.find((name) => line === `*${name}`) ?? table;
          next = new Map([...(tables.get(table) ?? [])].map(([name, rules]) => [name, [...rules]]));
        } else if (line !== "") {
          const chain = edit(next, line, hasSet, refuse);
          touched.set(`${table} ${chain}`, { table, chain });
        }
      });
      return [...touched.values()];
    },
    save: (withCounters, only) =>
      [...tables]
        .filter(([table]) => only === undefined || only === table)
        .map(([table, chains]) => saveTable(table, chains, withCounters))
        .join(""),
    count(packets) {
      for (const chains of tables.values()) {
        for (const [name, rules] of chains) {
          const counted = rules.map((rule) => ({ ...rule, packets: rule.packets + packets }));
          chains.set(name, counted);
        }
      }
    },
    matches: (part) => all().some(({ text }) => text.includes(part)),
    hashlimitSources(name) {
      const rules = all().filter(({ text }) => `${text} `.includes(` --hashlimit-name ${name} `));
      return rules.length === 0 ? undefined : Number(rules.some(({ packets }) => packets > 0));
    },
  };
}

function saveTable(table: TableName, chains: Chains, withCounters: boolean): string {
  const base = BASE_CHAINS[table];
  const ours = [...chains.keys()].filter((name) => !base.includes(name)).sort();
  const names = [...base, ...ours];
  const declared = names.map((name) => `:${name} ${base.includes(name) ? "ACCEPT" : "-"} [0:0]`);
  const rules = names.flatMap((name) =>
    (chains.get(name) ?? []).map(
      ({ text, packets }) => `${withCounters ? `[${packets}:${packets * 60}] ` : ""}-A ${name} ${text}`,
    ),
  );
  return [`*${table}`, ...declared, ...rules, "COMMIT", ""].join("\n");
}

/** One line of a restore. @returns the chain that it is about */
function edit(
  chains: Chains,
  line: string,
  hasSet: (name: string) => boolean,
  refuse: (words: string) => void,
): string {
  const declared = /^:(\S+) /.exec(line)?.[1];
  if (declared !== undefined) {
    chains.set(declared, []);
    return declared;
  }
  const [, verb, chain = "", rest = ""] = /^-([ADIFX]) (\S+) ?(.*)$/.exec(line) ?? [];
  const rules = chains.get(chain);
  if (rules === undefined) {
    refuse("No chain/target/match by that name.");
    return chain;
  }
  const [, position, numbered] = /^(\d+) (.*)$/.exec(rest) ?? [];
  const text = verb === "I" ? (numbered ?? rest) : rest;
  if (verb === "A" || verb === "I") {
    const unknown = /-m nonsense\b/.test(text);
    if (unknown) refuse("Couldn't load match `nonsense':No such file or directory");
    const set = / --(?:match|add)-set (\S+)/.exec(text)?.[1];
    if (set !== undefined && !hasSet(set)) refuse(`Set ${set} doesn't exist.`);
    rules.splice(verb === "A" ? rules.length : Number(position ?? 1) - 1, 0, { text, packets: 0 });
  } else if (verb === "D") {
    const at = rules.findIndex((rule) => rule.text === text);
    if (at < 0) refuse("Bad rule (does a matching rule exist in that chain?).");
    rules.splice(at, 1);
  } else if (verb === "F") {
    rules.length = 0;
  } else {
    const used = rules.length > 0 || [...chains.values()].flat().some((rule) => jumpsOf(rule.text).includes(chain));
    if (used) refuse("CHAIN_DEL failed (Device or resource busy): chain");
    chains.delete(chain);
  }
  return chain;
}

function jumpsOf(text: string): string[] {
  return [...text.matchAll(/(?:^| )-[jg] (\S+)/g)].map(([, target]) => target ?? "");
}
