import { cutSets } from "../plan/cut-sets.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { rejectsCut, rejectsInbound, renderInbound } from "./inbound.ts";
import { withObservers } from "./observe.ts";
import { renderOutbound } from "./outbound.ts";
import { rejectTable } from "./reject.ts";
import { renderSysctls } from "./sysctl.ts";
import type { RuleSet, Table } from "./types.ts";

const FAMILIES = [4, 6] as const;

/** A node's plan as text, in the exact form in which the tools print it back. Pure; equal plans give equal text. */
export function render(plan: NodePlan): RuleSet {
  const rendered = FAMILIES.flatMap((family) => [
    { family, name: "mangle" as const, ...withObservers(plan, family, "mangle", renderInbound(plan, family)) },
    { family, name: "filter" as const, ...withObservers(plan, family, "filter", renderOutbound(plan, family)) },
  ]);
  const tables = rendered.map(({ counted: _, ...table }): Table => table);
  const counted = rendered.flatMap((table) => table.counted);
  const text = tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)).join("\n");
  return {
    tables,
    // A set that no rule names (VIPs where only outbound is judged) is not kept.
    sets: [...plan.sets.filter(({ name }) => text.includes(`--match-set ${name} `)), ...cutSets(plan)],
    sysctls: renderSysctls(plan),
    ...(counted.length > 0 ? { counted } : {}),
    ...(rejectsInbound(plan) ? { nftTable: rejectTable(plan.markBit, rejectsCut(plan)) } : {}),
  };
}
