import { UnknownFormError } from "./errors.ts";
import { conntrackMatch } from "./match-conntrack.ts";
import { FILLED_BY, type Match, optionMatch, type Sets } from "./match-options.ts";
import { type RuleOption, ruleOptions } from "./rule-words.ts";

/** Which policy's entry a rule stands for: its comment, `policy/entry/hash`. */
export interface RuleOwner {
  readonly policy: string;
  readonly entry: string;
  readonly hash: string;
}

export interface Target {
  readonly goTo: boolean;
  readonly name: string;
  /** SET: the packet's address is added to this set. */
  readonly addsTo?: string;
  /** MARK: the mark becomes (mark and not mask) xor value. */
  readonly mark?: { readonly value: number; readonly mask: number };
}

export interface Rule {
  readonly text: string;
  /** Whether the packet meets every match of the rule but a limit. */
  readonly matches: Match;
  /** Matches only what is above a limit. */
  readonly limited: boolean;
  readonly target: Target;
  readonly owner: RuleOwner | undefined;
}

/** Options that test a packet or say something: the module that brings each (iptables-extensions(8)), and its words. */
const OPTIONS: Readonly<Record<string, { readonly module?: string; readonly words: number }>> = {
  "-p": { words: 1 },
  "-i": { words: 1 },
  "-o": { words: 1 },
  "--tcp-flags": { module: "tcp", words: 2 },
  "--chunk-types": { module: "sctp", words: 2 },
  "--dports": { module: "multiport", words: 1 },
  "--mark": { module: "mark", words: 1 },
  "--match-set": { module: "set", words: 2 },
  "--dst-type": { module: "addrtype", words: 1 },
  "--src-type": { module: "addrtype", words: 1 },
  "--ctstate": { module: "conntrack", words: 1 },
  "--ctdir": { module: "conntrack", words: 1 },
  "--ctstatus": { module: "conntrack", words: 1 },
  "--ctorigdst": { module: "conntrack", words: 1 },
  "--comment": { module: "comment", words: 1 },
  "--hashlimit-above": { module: "hashlimit", words: 1 },
  "--hashlimit-burst": { module: "hashlimit", words: 1 },
  "--hashlimit-mode": { module: "hashlimit", words: 1 },
  "--hashlimit-name": { module: "hashlimit", words: 1 },
  "--hashlimit-htable-size": { module: "hashlimit", words: 1 },
  "--hashlimit-htable-max": { module: "hashlimit", words: 1 },
  "--hashlimit-htable-expire": { module: "hashlimit", words: 1 },
  "--hashlimit-srcmask": { module: "hashlimit", words: 1 },
  "--connlimit-above": { module: "connlimit", words: 1 },
  "--connlimit-mask": { module: "connlimit", words: 1 },
  "--connlimit-saddr": { module: "connlimit", words: 0 },
  "--limit": { module: "limit", words: 1 },
  "--limit-burst": { module: "limit", words: 1 },
};
const MODULES = new Set(
  "tcp udp sctp multiport set mark addrtype conntrack comment hashlimit connlimit limit".split(" "),
);
/** Modules whose options say how much is let through, not which packet is meant. A packet is within `-m limit`. */
const LIMITS = new Set(["hashlimit", "connlimit"]);

/** Reads a rule as render writes it. Throws UnknownFormError on any option, module or form that it does not know. */
export function parseRule(text: string, sets: Sets): Rule {
  const options = ruleOptions(text);
  const end = options.findIndex(({ name }) => name === "-j" || name === "-g");
  const target = parseTarget(options.slice(Math.max(end, 0)), text);
  const modules = new Set<string>();
  const tests: RuleOption[] = [];
  for (const option of options.slice(0, end)) {
    if (option.name === "-m") modules.add(moduleOf(option, text));
    else tests.push(known(option, modules, text));
  }
  // Of a packet's mark only what our own rules make of it is known: enough to leave off, not to drop.
  if (modules.has("mark") && target.mark === undefined && target.name !== "RETURN")
    throw new UnknownFormError("a verdict by mark", text);
  // What is beyond such a limit meets the next rule: what it only counts is all that may differ.
  if (modules.has("limit") && target.addsTo === undefined) throw new UnknownFormError("a verdict by rate", text);
  const conntrack = tests.filter(({ name }) => OPTIONS[name]?.module === "conntrack");
  const matches = [
    ...(modules.has("conntrack") ? [conntrackMatch(conntrack, text)] : []),
    ...tests.filter(isPlain).map((option) => {
      const match = optionMatch(option, sets, text);
      return option.negated ? (packet: Parameters<Match>[0]) => !match(packet) : match;
    }),
  ];
  return {
    text,
    matches: (packet) => matches.every((match) => match(packet)),
    limited: [...modules].some((module) => LIMITS.has(module)),
    target,
    owner: ownerOf(tests),
  };
}

/** The target and its own options, which stand behind it. */
function parseTarget([target, ...own]: readonly RuleOption[], text: string): Target {
  if (target === undefined || (target.name !== "-j" && target.name !== "-g")) {
    throw new UnknownFormError("a rule that does not end in a target", text);
  }
  const [name = ""] = expectWords(target, 1, text).values;
  const said = own.map((option) => [option.name, ...option.values].join(" ")).join(" ");
  const plain = { goTo: target.name === "-g", name };
  const mark = name === "MARK" ? /^--set-xmark (0x[0-9a-f]+)\/(0x[0-9a-f]+)$/.exec(said) : null;
  if (mark !== null) return { ...plain, mark: { value: Number(mark[1]), mask: Number(mark[2]) } };
  const [, added, by = ""] = (name === "SET" && /^--add-set (\S+) (\S+)(?: --exist)?$/.exec(said)) || [];
  if (added !== undefined && FILLED_BY.has(by)) return { ...plain, addsTo: added };
  const rejects = name === "REJECT" && /^--reject-with (tcp-reset|icmp6?-port-unreachable)$/.test(said);
  if (name === "MARK" || name === "SET" || (!rejects && (said !== "" || name === "REJECT"))) {
    throw new UnknownFormError(`-j ${name} ${said}`, text);
  }
  return plain;
}

function known(option: RuleOption, modules: ReadonlySet<string>, text: string): RuleOption {
  const form = Object.hasOwn(OPTIONS, option.name) ? OPTIONS[option.name] : undefined;
  if (form === undefined) throw new UnknownFormError(option.name, text);
  if (form.module !== undefined && !modules.has(form.module)) {
    throw new UnknownFormError(`${option.name} without -m ${form.module}`, text);
  }
  const negatable = form.module !== "comment" && form.module !== "limit" && !LIMITS.has(form.module ?? "");
  if (option.negated && !negatable) throw new UnknownFormError(`! ${option.name}`, text);
  return expectWords(option, form.words, text);
}

function isPlain({ name }: RuleOption): boolean {
  const { module = "" } = OPTIONS[name] ?? {};
  return module !== "conntrack" && module !== "comment" && module !== "limit" && !LIMITS.has(module);
}

function moduleOf(option: RuleOption, text: string): string {
  const [name = ""] = expectWords(option, 1, text).values;
  if (!MODULES.has(name) || option.negated) throw new UnknownFormError(`-m ${name}`, text);
  return name;
}

function expectWords(option: RuleOption, count: number, text: string): RuleOption {
  if (option.values.length === count) return option;
  throw new UnknownFormError(`${option.name} ${option.values.join(" ")}`, text);
}

function ownerOf(options: readonly RuleOption[]): RuleOwner | undefined {
  const comment = options.find(({ name }) => name === "--comment")?.values[0];
  const [, policy, entry, hash] = /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(comment ?? "") ?? [];
  return policy === undefined || entry === undefined || hash === undefined ? undefined : { policy, entry, hash };
}
