import { hostname } from "node:os";
import { observeUse, type UseReaders } from "../agent/node-use.ts";
import { readLastApplied } from "../agent/state-directory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { NO_RULES } from "../kernel/no-rules.ts";
import { merge } from "../plan/merge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { Labels } from "../plan/select.ts";
import type { GroupAddresses } from "../plan/types.ts";
import { render } from "../render/render.ts";
import { CLUSTER_UNKNOWN, isClusters, judges } from "./node-rules.ts";
import type { PreviewInput } from "./preview-cluster.ts";
import { type Proposal, proposed } from "./proposal.ts";

export interface HostOptions {
  readonly name: string | undefined;
  readonly labels: Labels;
  readonly stateDir: string;
  readonly settings: NodeSettings;
  readonly readers: UseReaders & { readonly kernel: Pick<Kernel, "verify"> };
}

/** What this host has, by what was applied here last, and would have. Throws where a policy that is to go is not there. */
export async function hostInput(
  proposal: Proposal,
  groups: readonly GroupAddresses[],
  { name = hostname(), labels, stateDir, settings, readers }: HostOptions,
): Promise<PreviewInput> {
  const found = await readLastApplied(stateDir);
  if (found.kind === "Unusable")
    throw new Error(`what was applied last is not readable in ${stateDir}: ${found.reason}`);
  const last = found.kind === "Found" ? found.last : { policies: [], groups: [] };
  const unknown = proposal.deleted.find((deleted) => !last.policies.some((policy) => policy.name === deleted));
  if (unknown !== undefined) throw new Error(`policy ${unknown} is not in force on this host`);
  const replaced = new Set(groups.map((group) => group.name));
  const after = [...last.groups.filter((group) => !replaced.has(group.name)), ...groups];
  const policies = proposed(proposal, labels, last.policies);
  const plans = [merge(last.policies, last.groups, settings), merge(policies, after, settings)] as const;
  const use = await observeUse(readers, widest(plans));
  const unselected = proposal.policies.filter(({ element }) => !policies.includes(element));
  return {
    nodes: [{ name, before: last.policies, after: policies, use }],
    world: { groups: { before: last.groups, after }, settings },
    notes: [
      ...unselected.map(
        ({ element }) => `policy ${element.name} does not select this host: give its labels with --node-labels`,
      ),
      ...(judges(plans[1]) && !after.some(isClusters) ? [CLUSTER_UNKNOWN] : []),
      ...(await drift(readers.kernel, last.policies.length === 0 ? undefined : plans[0])),
    ],
  };
}

/** The one that knows service addresses: a plan that judges nothing has none. */
function widest([before, after]: readonly [NodePlan, NodePlan]): NodePlan {
  return after.vipCidrs.length > 0 ? after : before;
}

/** What is in the kernel and was not applied by us, or is not there though it was. */
async function drift(kernel: Pick<Kernel, "verify">, plan: NodePlan | undefined): Promise<string[]> {
  try {
    const differences = await kernel.verify(plan === undefined ? NO_RULES : render(plan), "Headers");
    if (differences.length === 0) return [];
    const shown = differences.slice(0, 3).join(", ");
    const more = differences.length > 3 ? `, and ${differences.length - 3} more` : "";
    return [`the kernel is not as it was left: ${shown}${more}. The preview goes by what was applied last`];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`the kernel was not compared with what was applied last: ${why}`];
  }
}
