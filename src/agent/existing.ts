import type { Kernel } from "../kernel/kernel.ts";
import type { NodeNetwork } from "../plan/connections.ts";
import { type Cuts, cutSets } from "../plan/cut-sets.ts";
import { type ExistingConnections, keepCuts, searchExisting } from "../plan/existing.ts";
import type { NodeDirection, NodePlan } from "../plan/node-plan.ts";
import type { RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Enforcement } from "./enforcement.ts";

/** Connections that the rules in force would refuse if they were opened anew: counted, and cut where a policy says so. */
export interface ExistingGuard {
  /** The enforcement with what is cut already and would still be refused. Never throws. */
  complete(enforcement: Enforcement): Promise<Enforcement>;
  /**
   * Rules or sets have changed, or were not in force for a while: `look` looks, at once where the node cuts or nobody has
   * looked yet. Where it only counts it waits a moment: what the change itself has to do comes first.
   */
  changed(held: Enforcement | undefined): void;
  /**
   * Looks at all connections where that is due: after a change, and from time to time as long as there are some to
   * speak of. True where some were found that shall be cut: `complete` says more then. Never throws.
   */
  look(held: Enforcement | undefined): Promise<boolean>;
  /** undefined where nobody has looked yet, or the policy judges nothing. */
  ofPolicy(policy: string): ExistingConnections | undefined;
  /** Why the last look failed. */
  readonly failure: unknown;
  wakeAt(): number;
}

export interface ExistingOptions {
  readonly kernel: Pick<Kernel, "connections" | "network" | "setEntries">;
  readonly log: Logger;
  readonly now: () => number;
  /** A look at 200,000 connections takes two seconds of the processor. */
  readonly everyMilliseconds?: number;
  readonly countAfterMilliseconds?: number;
}

const RETRY_MILLISECONDS = 60_000;
const NONE: ExistingConnections = { kept: 0, cut: 0, top: [] };

export function existingGuard({
  kernel,
  log,
  now,
  everyMilliseconds = 300_000,
  countAfterMilliseconds = 1_000,
}: ExistingOptions): ExistingGuard {
  let dueAt = 0;
  /** undefined until it is known what an agent before this one has cut. */
  let cuts: Cuts | undefined;
  let counts: ReadonlyMap<string, ExistingConnections> | undefined;
  let judging: ReadonlySet<string> = new Set();
  let failure: unknown;

  /** What is in the kernel's own sets outlives the agent. */
  async function knownCuts(plan: NodePlan): Promise<Cuts> {
    if (cuts !== undefined) return cuts;
    const found = await kernel.setEntries(cutSets(plan).map(({ name }) => name));
    cuts = new Map([...found].map(([name, elements]) => [name, new Set(elements)]));
    return cuts;
  }

  async function search({ plan }: Enforcement, network: NodeNetwork): Promise<number> {
    const seek = searchExisting(plan, network, await knownCuts(plan));
    await kernel.connections(seek.see);
    const found = seek.found();
    counts = found.byPolicy;
    cuts = found.cuts;
    return found.added;
  }

  return {
    async complete(enforcement) {
      const sets = cutSets(enforcement.plan);
      if (sets.length === 0) {
        cuts = new Map();
        return enforcement;
      }
      try {
        const before = await knownCuts(enforcement.plan);
        const any = [...before.values()].some(({ size }) => size > 0);
        cuts = any ? keepCuts(enforcement.plan, await kernel.network(), before) : before;
      } catch (err) {
        // The packets are judged by the rules, so what is cut too much passes, and `look` finds what is missing.
        log.warn({ err }, "what is cut already is not known");
      }
      return { ...enforcement, rules: withCuts(enforcement.rules, cuts ?? new Map()) };
    },
    changed(held) {
      const cutting = held !== undefined && cutSets(held.plan).length > 0;
      dueAt = cutting || counts === undefined ? 0 : now() + countAfterMilliseconds;
    },
    async look(held) {
      judging = new Set(held === undefined ? [] : judgedBy(held.plan).map(({ policy }) => policy));
      if (held === undefined || judging.size === 0) {
        counts = undefined;
        failure = undefined;
        dueAt = Number.POSITIVE_INFINITY;
        return false;
      }
      if (now() < dueAt) return false;
      try {
        const added = await search(held, await kernel.network());
        failure = undefined;
        dueAt = counts?.size === 0 ? Number.POSITIVE_INFINITY : now() + everyMilliseconds;
        if (added > 0) log.info({ cut: added }, "connections that the policies refuse are cut");
        return added > 0;
      } catch (err) {
        failure = err;
        dueAt = now() + RETRY_MILLISECONDS;
        log.error({ err }, "existing connections not read: none is counted or cut");
        return false;
      }
    },
    ofPolicy: (policy) => (counts === undefined || !judging.has(policy) ? undefined : (counts.get(policy) ?? NONE)),
    get failure() {
      return failure;
    },
    wakeAt: () => dueAt,
  };
}

/** Those that observe too: of what they would refuse somebody should know before they are enforced. */
function judgedBy({ inbound, outbound, observed }: NodePlan): readonly NodeDirection[] {
  return [...inbound, ...outbound, ...(observed?.inbound ?? []), ...(observed?.outbound ?? [])];
}

function withCuts(rules: RuleSet, cuts: Cuts): RuleSet {
  const sets = rules.sets.map((set) => {
    const elements = cuts.get(set.name);
    return elements === undefined ? set : { ...set, entries: [...elements].sort() };
  });
  return { ...rules, sets };
}
