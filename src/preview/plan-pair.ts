import { merge } from "../plan/merge.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import type { AssignedPolicy, GroupAddresses, NodePlan } from "../plan/types.ts";
import { render } from "../render/render.ts";
import { flowJudge } from "./judge-flow.ts";
import { placeJudge } from "./judge-place.ts";
import { sessionJudge } from "./judge-session.ts";
import { type PolicyChange, policyChanges } from "./policy-changes.ts";
import { isNoChange, type RulesChange, rulesChanges } from "./rules-changes.ts";

/** What the nodes have in common. */
export interface PreviewWorld {
  readonly groups: { readonly before: readonly GroupAddresses[]; readonly after: readonly GroupAddresses[] };
  readonly settings: NodeSettings;
}

/** Two states of a node, and what lies between them. */
export interface PlanPair {
  readonly before: NodePlan;
  readonly after: NodePlan;
  readonly changes: boolean;
  readonly policies: readonly PolicyChange[];
  readonly rules: RulesChange;
  readonly warnings: readonly string[];
  readonly flow: ReturnType<typeof flowJudge>;
  readonly session: ReturnType<typeof sessionJudge>;
  /** `devices` are the node's interfaces, where they are known. */
  readonly place: (devices: readonly string[] | undefined) => ReturnType<typeof placeJudge>;
}

/** Most nodes of a fleet have the same policies, so what these make is worked out once. */
export function planPairs({
  groups,
  settings,
}: PreviewWorld): (before: readonly AssignedPolicy[], after: readonly AssignedPolicy[]) => PlanPair {
  const known = new Map<string, PlanPair>();
  return (before, after) => {
    const key = `${keyOf(before)} > ${keyOf(after)}`;
    const found =
      known.get(key) ??
      planPair(merge(before, groups.before, settings), merge(after, groups.after, settings), {
        policies: policyChanges(before, after),
      });
    known.set(key, found);
    return found;
  };
}

function keyOf(policies: readonly AssignedPolicy[]): string {
  return policies
    .map(({ name, hash }) => `${name}@${hash}`)
    .toSorted()
    .join(" ");
}

function planPair(before: NodePlan, after: NodePlan, { policies }: Pick<PlanPair, "policies">): PlanPair {
  const rules = rulesChanges(render(before), render(after));
  const places = new Map<string, ReturnType<typeof placeJudge>>();
  return {
    before,
    after,
    changes: policies.length > 0 || !isNoChange(rules),
    policies,
    rules,
    warnings: newWarnings(before, after),
    flow: flowJudge(before, after),
    session: sessionJudge(after),
    place(devices) {
      const key = devices?.join() ?? "";
      const found = places.get(key) ?? placeJudge(before, after, devices);
      places.set(key, found);
      return found;
    },
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
