import { contentHash } from "../plan/content-hash.ts";
import type { Family, NodePlan } from "../plan/node-plan.ts";
import type { Way } from "./dispatch.ts";
import { rule } from "./rule.ts";
import { familyOption, type Tallied } from "./tally.ts";
import type { Chain, CountedSet } from "./types.ts";

/** Who, by which protocol and to which port: remembered for an entry in one family, until the agent has read it. */
const REMEMBERED_MAX = 1024;
const BUCKETS = 128;
/** Under a flood of made-up sources most are not worth the time that it takes to remember them. */
const NEWCOMERS = "-m limit --limit 500/sec --limit-burst 1000";

/** Where what is dropped goes, by way of a chain that remembers who it was. */
export interface DropBook {
  /** The target of a rule that drops: `target` itself where the policy logs nothing. */
  by(dropped: Tallied, target: string): string;
  chains(): Chain[];
  sets(): CountedSet[];
}

/**
 * A chain of three rules for each entry that drops, behind its own rule: so the entry's rule counts as before, what
 * passes meets not one rule more, and a verdict does not depend on the set. A match on the set adds to the counter of
 * who is in it; who is not is added, or, where the set is full, takes the place of another (forceadd), or is not remembered.
 */
export function dropBook(
  { dropLogs = [] }: Pick<NodePlan, "dropLogs">,
  { peer }: Pick<Way, "peer">,
  family: Family,
): DropBook {
  const logged = new Set(dropLogs.map(({ policy }) => policy));
  const create = `hash:ip,port ${familyOption(family)} hashsize ${BUCKETS} maxelem ${REMEMBERED_MAX} counters forceadd`;
  const sets = new Map<string, CountedSet>();
  const chains = new Map<string, Chain>();
  return {
    by(dropped, target) {
      if (!logged.has(dropped.policy)) return target;
      const id = contentHash({ peer, create, ...dropped }, 8);
      const set = `ph-d${family}-${id}`;
      const { policy, entry } = dropped;
      const direction = peer === "src" ? "Inbound" : "Outbound";
      sets.set(set, { name: set, family, create, drops: { policy, direction, entry } });
      // By each target a chain: a default rejects TCP otherwise than UDP.
      const name = `PH-D-${contentHash({ id, target }, 8)}`;
      const who = `${set} ${peer},dst`;
      // iptables takes a reset only where the rule itself says that it is about TCP, as the one that leads here does.
      const protocol = target.endsWith(" tcp-reset") ? "-p tcp" : "";
      const rules = [
        rule(protocol, `-m set --match-set ${who}`, target),
        `${NEWCOMERS} -j SET --add-set ${who}`,
        rule(protocol, target),
      ];
      chains.set(name, { name, rules });
      return `-g ${name}`;
    },
    chains: () => [...chains.values()],
    sets: () => [...sets.values()],
  };
}
