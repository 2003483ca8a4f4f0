import { type NodeStateStatus, nodeStateStatusSchema } from "../api/node-state.ts";
import { isRecord } from "../kube/wire.ts";
import { recordsAt } from "./wire-fields.ts";

const { shape } = nodeStateStatusSchema;
const policySchema = shape.policies.unwrap().element;

/**
 * A NodeState's status as far as this version understands it; undefined where there is none. Agents are upgraded first
 * (DESIGN 8), and may say something that this controller has no word for: that is left out, and hurts neither another
 * field nor another policy. A policy in a state that is not known here counts as one that nothing was said of.
 */
export function readNodeStateStatus(status: unknown): NodeStateStatus | undefined {
  if (!isRecord(status)) return undefined;
  const whole = nodeStateStatusSchema.safeParse(status);
  if (whole.success) return whole.data;
  const policies = recordsAt(status, "policies").filter((policy) => policySchema.safeParse(policy).success);
  const parts = Object.entries({ ...status, policies }).filter(
    ([name, value]) => isField(name) && shape[name].safeParse(value).success,
  );
  return nodeStateStatusSchema.safeParse(Object.fromEntries(parts)).data;
}

function isField(name: string): name is keyof typeof shape {
  return Object.hasOwn(shape, name);
}
