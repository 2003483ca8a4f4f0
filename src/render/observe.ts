import type { Family, NodePlan } from "../plan/node-plan.ts";
import { trimmed } from "./observer.ts";
import type { Hook, Judging, TableName } from "./types.ts";
import { wouldDropInbound, wouldDropOutbound } from "./would-drop.ts";
import { wouldOpenInbound, wouldOpenOutbound } from "./would-open.ts";

/**
 * The rules of a table with the observers of policies in mode Observe around them: what is enforced stays as it is,
 * to the letter. Observers have chains of their own, whose rules only count; where nothing observes there are none.
 */
export function withObservers(plan: NodePlan, family: Family, table: TableName, rules: Judging): Judging {
  const { observed } = plan;
  if (observed === undefined) return rules;
  const inbound = table === "mangle";
  const open = trimmed((inbound ? wouldOpenInbound : wouldOpenOutbound)(plan, observed, family));
  const drop = trimmed((inbound ? wouldDropInbound : wouldDropOutbound)(plan, observed, family));
  return {
    chains: [...rules.chains, ...open.chains, ...drop.chains],
    hooks: inOneChain(open.hooks, rules.hooks, drop.hooks),
    counted: [...rules.counted, ...open.sets, ...drop.sets],
  };
}

/**
 * All rules of one built-in chain are one hook, in their order. Only what is enforced moves it ahead of others' rules: it
 * may come there once. Where nothing is enforced the observers say what is judged.
 */
function inOneChain(open: readonly Hook[], enforced: readonly Hook[], drop: readonly Hook[]): Hook[] {
  const byChain = Map.groupBy([...open, ...enforced, ...drop], ({ chain }) => chain);
  return [...byChain].map(([chain, all]) => {
    const rules = all.flatMap((hook) => hook.rules);
    const { judges } = enforced.find((hook) => hook.chain === chain) ?? drop.find((hook) => hook.chain === chain) ?? {};
    return { chain, rules, ...(judges === undefined ? {} : { judges }) };
  });
}
