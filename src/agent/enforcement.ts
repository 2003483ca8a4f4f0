import { merge } from "../plan/merge.ts";
import type { NodePlan, PlanWarning } from "../plan/node-plan.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import { render } from "../render/render.ts";
import type { RuleSet } from "../render/types.ts";
import { keepGroups } from "./keep-groups.ts";

/** A set of policies with the groups they use, down to the text for the kernel. */
export interface Enforcement {
  readonly policies: readonly AssignedPolicy[];
  readonly groups: readonly GroupAddresses[];
  /** What stands with the last content of its groups. */
  readonly keptWarnings: readonly PlanWarning[];
  readonly plan: NodePlan;
  readonly rules: RuleSet;
}

/** Pure. `before` are the groups that were enforced last. */
export function compileEnforcement(
  policies: readonly AssignedPolicy[],
  groups: { readonly present: readonly GroupAddresses[]; readonly before: readonly GroupAddresses[] },
  settings: NodeSettings,
): Enforcement {
  const used = keepGroups(policies, groups.present, groups.before);
  const plan = merge(policies, used.groups, settings);
  return { policies, groups: used.groups, keptWarnings: used.warnings, plan, rules: render(plan) };
}
