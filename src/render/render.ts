import type { NodePlan } from "../plan/types.ts";
import { renderInbound } from "./inbound.ts";
import { renderSysctls } from "./sysctl.ts";
import type { RuleSet, Table } from "./types.ts";

/** A node's plan as text, in the exact form in which the tools print it back. Pure; equal plans give equal text. */
export function render(plan: NodePlan): RuleSet {
  const tables = ([4, 6] as const).map((family): Table => ({ family, name: "mangle", ...renderInbound(plan, family) }));
  const text = tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)).join("\n");
  return {
    tables,
    // A set that no rule names (a peer of one family in a plan without inbound rules) is not kept.
    sets: plan.sets.filter(({ name }) => text.includes(`--match-set ${name} `)),
    sysctls: renderSysctls(plan),
  };
}
