import { canonicalJson } from "../plan/canonical-json.ts";
import { merge } from "../plan/merge.ts";
import type { Failsafes, NodePlan } from "../plan/node-plan.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import { render } from "../render/render.ts";
import { useJudge } from "./judge-use.ts";
import { type PolicyChange, policyChanges } from "./policy-changes.ts";
import { isNoChange, type RulesChange, rulesChanges } from "./rules-changes.ts";

/** What the nodes have in common. */
export interface PreviewWorld {
  readonly groups: { readonly before: readonly GroupAddresses[]; readonly after: readonly GroupAddresses[] };
  readonly settings: NodeSettings;
}

/** Two states of a node, and what lies between them. */
export interface PlanPair {
  readonly changes: boolean;
  readonly policies: readonly PolicyChange[];
  readonly rules: RulesChange;
  readonly warnings: readonly string[];
  readonly hits: ReturnType<typeof useJudge>;
}

/** Most nodes of a fleet have the same policies, so what these make is worked out once. */
export function planPairs({
  groups,
  settings,
}: PreviewWorld): (
  before: readonly AssignedPolicy[],
  after: readonly AssignedPolicy[],
  failsafes?: Failsafes,
) => PlanPair {
  const known = new Map<string, PlanPair>();
  return (before, after, failsafes = NONE) => {
    const key = `${keyOf(before)} > ${keyOf(after)} ${failsafesKey(failsafes)}`;
    const own = failsafes === NONE ? settings : { ...settings, failsafes: both(settings.failsafes, failsafes) };
    const found =
      known.get(key) ??
      planPair(merge(before, groups.before, own), merge(after, groups.after, own), {
        policies: policyChanges(before, after),
      });
    known.set(key, found);
    return found;
  };
}

const NONE: Failsafes = { inbound: [], outbound: [] };

/** Nodes of one kind show the same: the address of each API server stands in it, and no process. */
function failsafesKey({ inbound, outbound }: Failsafes): string {
  return inbound.length + outbound.length === 0 ? "" : canonicalJson({ inbound, outbound });
}

function both(a: Failsafes, b: Failsafes): Failsafes {
  return { inbound: [...a.inbound, ...b.inbound], outbound: [...a.outbound, ...b.outbound] };
}

function keyOf(policies: readonly AssignedPolicy[]): string {
  return policies
    .map(({ name, hash }) => `${name}@${hash}`)
    .toSorted()
    .join(" ");
}

function planPair(before: NodePlan, after: NodePlan, { policies }: Pick<PlanPair, "policies">): PlanPair {
  const rules = rulesChanges(render(before), render(after));
  return {
    changes: policies.length > 0 || !isNoChange(rules),
    policies,
    rules,
    warnings: newWarnings(before, after),
    hits: useJudge(before, after),
  };
}

function newWarnings(before: NodePlan, after: NodePlan): string[] {
  const said = ({ warnings, conflicts }: NodePlan) => [
    ...warnings.map(({ policy, message }) => `policy ${policy}: ${message}`),
    ...conflicts.map(({ policy, field, winner }) => `policy ${policy}: ${field} loses to policy ${winner}`),
  ];
  const old = new Set(said(before));
  return said(after).filter((one) => !old.has(one));
}
