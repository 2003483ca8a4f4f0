/** A rule in memory, as iptables-save prints it. */
interface MemoryRule {
  readonly text: string;
  readonly packets: number;
}
type Chains = Map<string, MemoryRule[]>;

const BASE_CHAINS = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/** A line that the tool refuses, in its own words. */
export class RefusedLine extends Error {
  override readonly name = "RefusedLine";
  readonly line: number;
  constructor(line: number, words: string) {
    super(words);
    this.line = line;
  }
}

export interface MemoryRules {
  /** What `iptables-nft-restore --noflush` does with this text. @returns the chains that it changed @throws {RefusedLine} */
  restore(text: string, hasSet: (name: string) => boolean): string[];
  save(withCounters: boolean): string;
  /** As many packets for each rule. */
  count(packets: number): void;
  matches(part: string): boolean;
  /** What a hashlimit table remembers, where a rule has one of this name: one source, once a packet has met the rule. */
  hashlimitSources(name: string): number | undefined;
}

/** Table mangle of one family, as far as iptables-nft-restore and -save tell of it. */
export function memoryRules(): MemoryRules {
  let chains: Chains = new Map(BASE_CHAINS.map((name) => [name, []]));
  const all = () => [...chains.values()].flat();
  return {
    restore(text, hasSet) {
      const next: Chains = new Map([...chains].map(([name, rules]) => [name, [...rules]]));
      const touched = new Set<string>();
      text.split("\n").forEach((line, index) => {
        const refuse = (words: string) => {
          throw new RefusedLine(index + 1, words);
        };
        if (line === "COMMIT") {
          const dangling = [...next.values()].flat().flatMap(({ text }) => jumpsOf(text));
          const missing = dangling.find((target) => target.startsWith("PH-") && !next.has(target));
          if (missing !== undefined) refuse(`Chain '${missing}' does not exist`);
          return;
        }
        if (line === "" || line.startsWith("*")) return;
        const chain = edit(next, line, hasSet, refuse);
        touched.add(chain);
      });
      chains = next;
      return [...touched];
    },
    save(withCounters) {
      const ours = [...chains.keys()].filter((name) => !BASE_CHAINS.includes(name)).sort();
      const names = [...BASE_CHAINS, ...ours];
      const declared = names.map((name) => `:${name} ${BASE_CHAINS.includes(name) ? "ACCEPT" : "-"} [0:0]`);
      const rules = names.flatMap((name) =>
        (chains.get(name) ?? []).map(
          ({ text, packets }) => `${withCounters ? `[${packets}:${packets * 60}] ` : ""}-A ${name} ${text}`,
        ),
      );
      return ["*mangle", ...declared, ...rules, "COMMIT", ""].join("\n");
    },
    count(packets) {
      chains = new Map(
        [...chains].map(([name, rules]) => [name, rules.map((rule) => ({ ...rule, packets: rule.packets + packets }))]),
      );
    },
    matches: (part) => all().some(({ text }) => text.includes(part)),
    hashlimitSources(name) {
      const rules = all().filter(({ text }) => `${text} `.includes(` --hashlimit-name ${name} `));
      return rules.length === 0 ? undefined : Number(rules.some(({ packets }) => packets > 0));
    },
  };
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
    const set = / --match-set (\S+)/.exec(text)?.[1];
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
