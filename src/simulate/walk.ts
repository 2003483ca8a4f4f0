import { UnknownFormError } from "./errors.ts";
import type { PacketAtHook } from "./packet.ts";
import type { Rule } from "./parse-rule.ts";

export interface WalkedChain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** A rule that the packet met, and the chain that holds it. */
export interface Step {
  readonly chain: string;
  readonly rule: Rule;
}

export interface Walk {
  readonly outcome: "Passed" | "Dropped" | "Rejected";
  /** The packet's mark where the walk ends. */
  readonly mark: number;
  /** Every rule that matched and was followed, in order. */
  readonly steps: readonly Step[];
  /** Limits that counted the packet; it is taken to be within each. */
  readonly limits: readonly Step[];
  /** Limits that lead what is above them to a chain that only counts. */
  readonly countingLimits: readonly Step[];
}

/** More rules than any rendered set lets one packet meet: only a loop gets there. */
const MAX_STEPS = 10_000;

/**
 * Follows a packet through a built-in chain, as the kernel does (ipt_do_table): a jump remembers where to go on, a goto
 * does not; RETURN, and the end of a chain, lead back to the last jump. In the built-in chain itself that is the end:
 * the packet passes.
 */
export function walk(start: WalkedChain, chains: ReadonlyMap<string, WalkedChain>, packet: PacketAtHook): Walk {
  const steps: Step[] = [];
  const limits: Step[] = [];
  const countingLimits: Step[] = [];
  let at = packet;
  let mark = 0;
  const jumps: { chain: WalkedChain; next: number }[] = [];
  let here: { chain: WalkedChain; next: number } | undefined = { chain: start, next: 0 };
  while (here !== undefined) {
    const rule: Rule | undefined = here.chain.rules[here.next];
    if (rule === undefined) {
      here = jumps.pop();
      continue;
    }
    here.next += 1;
    if (!rule.matches(at)) continue;
    const step = { chain: here.chain.name, rule };
    if (rule.limited) {
      if (rule.target.name === "DROP" || drops(chains.get(rule.target.name))) limits.push(step);
      else countingLimits.push({ chain: step.chain, rule: countingRule(rule, chains) });
      continue;
    }
    steps.push(step);
    if (steps.length > MAX_STEPS) throw new UnknownFormError("a loop of chains", rule.text);
    if (rule.target.name === "DROP") return { outcome: "Dropped", mark, steps, limits, countingLimits };
    if (rule.target.name === "REJECT") return { outcome: "Rejected", mark, steps, limits, countingLimits };
    if (rule.target.mark !== undefined) {
      mark = (mark & ~rule.target.mark.mask) ^ rule.target.mark.value;
      at = { ...at, mark };
      continue;
    }
    if (rule.target.addsTo !== undefined) {
      at = { ...at, addedTo: new Set([...(at.addedTo ?? []), rule.target.addsTo]) };
      continue;
    }
    if (rule.target.name === "RETURN") {
      here = jumps.pop();
      continue;
    }
    const to = chains.get(rule.target.name);
    if (to === undefined) throw new UnknownFormError(`target ${rule.target.name}`, rule.text);
    if (!rule.target.goTo) jumps.push(here);
    here = { chain: to, next: 0 };
  }
  return { outcome: "Passed", mark, steps, limits, countingLimits };
}

/** A chain that remembers who is dropped: it adds to a set, and drops whatever comes. */
function drops(chain: WalkedChain | undefined): boolean {
  const rules = chain?.rules ?? [];
  const remembers = rules.every(({ target }) => target.addsTo !== undefined || target.name === "DROP");
  return remembers && rules.at(-1)?.text === "-j DROP";
}

/** Where a limit leads that drops nothing: a chain whose every rule adds to a set or returns. */
function countingRule({ text, target }: Rule, chains: ReadonlyMap<string, WalkedChain>): Rule {
  const rules = chains.get(target.name)?.rules ?? [];
  const counting = rules.find((rule) => rule.target.addsTo !== undefined && rule.owner !== undefined);
  const harmless = rules.every((rule) => rule.target.addsTo !== undefined || rule.target.name === "RETURN");
  if (counting === undefined || !harmless) throw new UnknownFormError("a limit that neither drops nor counts", text);
  return counting;
}
