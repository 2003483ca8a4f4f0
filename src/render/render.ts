import { cutSets } from "../plan/cut-sets.ts";
import type { NodePlan } from "../plan/types.ts";
import { rejectsCut, rejectsInbound, renderInbound } from "./inbound.ts";
import { renderOutbound } from "./outbound.ts";
import { rejectTable } from "./reject.ts";
import { renderSysctls } from "./sysctl.ts";
import type { RuleSet, Table } from "./types.ts";

const FAMILIES = [4, 6] as const;

/** A node's plan as text, in the exact form in which the tools print it back. Pure; equal plans give equal text. */
export function render(plan: NodePlan): RuleSet {
  const tables = FAMILIES.flatMap((family): Table[] => [
    { family, name: "mangle", ...renderInbound(plan, family) },
    { family, name: "filter", ...renderOutbound(plan, family) },
  ]);
  const text = tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)).join("\n");
  return {
    tables,
    // A set that no rule names (VIPs where only outbound is judged) is not kept.
    sets: [...plan.sets.filter(({ name }) => text.includes(`--match-set ${name} `)), ...cutSets(plan)],
    sysctls: renderSysctls(plan),
    ...(rejectsInbound(plan) ? { nftTable: rejectTable(plan.markBit, rejectsCut(plan)) } : {}),
  };
}
