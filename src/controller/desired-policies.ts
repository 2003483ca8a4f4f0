import { NODE_POLICIES_MAX } from "../api/node-state.ts";
import { numbersOf, PLAN_FORMATS } from "../plan/plan-formats.ts";
import { byPrecedence } from "../plan/precedence.ts";
import { selects } from "../plan/select.ts";
import type { Assigned, WrittenPlan } from "../plan/types.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import { type Skew, type WrittenPolicy, writtenFor } from "./written-plans.ts";

/**
 * Policies in NodeState.spec as JSON: what an agent reads on each change, and etcd keeps for each node. Of the 64 KiB that a
 * spec may have (DESIGN 2), the rest is for what nodes measure of each other.
 */
export const POLICIES_BYTES_MAX = (64 - 8) * 1024;

/** Made once: a pass over a fleet asks for every node and policy. */
const WRITES = numbersOf(PLAN_FORMATS);

/** What a node shall enforce of one policy; with a `problem` it keeps what it has of it. */
export type DesiredPolicy =
  | { readonly element: Assigned<WrittenPlan> }
  | {
      readonly problem: string;
      /** Where policy and node are in order, and agent and controller are too far apart. */
      readonly skew?: Skew["reason"];
    };

/**
 * Every policy that selects the node, by name; none where somebody took the node out. Where they are more than a NodeState
 * holds, newcomers are refused before those that are there, and those of lower precedence first. `formats`: the plan
 * formats that this controller writes.
 */
export function desiredPolicies(
  policies: readonly CompiledPolicy[],
  node: NodeFacts,
  state: NodeStateFacts | undefined,
  formats: readonly number[] = WRITES,
): ReadonlyMap<string, DesiredPolicy> {
  if (node.skipped) return new Map();
  const assigned = new Set(state?.assigned.map(({ name }) => name));
  const desired = new Map<string, DesiredPolicy>();
  const written: WrittenPolicy[] = [];
  for (const policy of policies) {
    if (policy.outcome === "Unreadable") {
      // Those that hold it are all that is known of its nodes.
      if (assigned.has(policy.name)) desired.set(policy.name, { problem: policy.problem });
    } else if (selects(policy.nodeSelector, node.labels)) {
      if (policy.outcome === "Refused") {
        desired.set(policy.name, { problem: policy.problem });
        continue;
      }
      const found = writtenFor(policy.written, state?.agent, formats);
      if ("element" in found) written.push(found);
      else desired.set(policy.name, { problem: found.message, skew: found.reason });
    }
  }
  let room = NODE_POLICIES_MAX - [...desired.keys()].filter((name) => assigned.has(name)).length;
  let bytes = POLICIES_BYTES_MAX;
  const newcomer = (name: string) => (assigned.has(name) ? 0 : 1);
  written.sort(({ element: a }, { element: b }) => newcomer(a.name) - newcomer(b.name) || byPrecedence(a, b));
  for (const { element, bytes: size } of written) {
    const { name } = element;
    const problem = tooMuch(size, room, bytes);
    desired.set(name, problem === undefined ? { element } : { problem });
    if (problem === undefined || assigned.has(name)) room -= 1;
    if (problem === undefined) bytes -= size;
  }
  return desired;
}

function tooMuch(size: number, room: number, bytes: number): string | undefined {
  if (room <= 0) return `a node takes at most ${NODE_POLICIES_MAX} policies: merge some of them`;
  if (size <= bytes) return undefined;
  return `compiled for a node it takes ${size} bytes where ${bytes} of ${POLICIES_BYTES_MAX} are left: use address groups in place of long lists`;
}
