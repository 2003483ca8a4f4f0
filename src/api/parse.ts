import type * as z from "zod";
import { addressGroupSchema, type PortHardeningAddressGroup } from "./address-group.ts";
import { explainIssue, problemsOf } from "./issue.ts";
import { nodeStateSchema, nodeStateStatusSchema, type PortHardeningNodeState } from "./node-state.ts";
import { type PortHardeningPodRange, podRangeSchema } from "./pod-range.ts";
import { type PortHardeningPolicy, policySchema, policyStatusSchema } from "./policy.ts";
import { SchemaError } from "./schema-error.ts";

function parseWith<S extends z.ZodType>(schema: S, kind: string, object: unknown): z.output<S> {
  const result = schema.safeParse(object, { error: explainIssue, reportInput: true });
  if (result.success) return result.data;
  const name = (object as { metadata?: { name?: unknown } } | null | undefined)?.metadata?.name;
  const problems = result.error.issues.flatMap(problemsOf);
  throw new SchemaError(typeof name === "string" ? `${kind} ${name}` : kind, problems);
}

/**
 * A status that another version wrote must not make the spec unreadable: one that does not fit counts as absent, and
 * its writer, level-based, replaces it.
 */
function parseStatus<S extends z.ZodType>(schema: S, object: unknown): z.output<S> | undefined {
  if (typeof object !== "object" || object === null || !("status" in object)) return undefined;
  return schema.safeParse(object.status).data;
}

function withoutStatus(object: unknown): unknown {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return object;
  return { ...object, status: undefined };
}

/**
 * A policy from the wire or a file, defaults filled in. Strict: a field that this version does not know is refused, as
 * enforcing the rest would pretend a protection that is not there. Throws SchemaError.
 */
export function parsePolicy(object: unknown): PortHardeningPolicy {
  const policy = parseWith(policySchema, "PortHardeningPolicy", withoutStatus(object));
  return { ...policy, status: parseStatus(policyStatusSchema, object) };
}

/** A node's state. Fields of later versions are dropped, as agents and controller are upgraded one after the other. Throws SchemaError. */
export function parseNodeState(object: unknown): PortHardeningNodeState {
  const state = parseWith(nodeStateSchema, "PortHardeningNodeState", withoutStatus(object));
  return { ...state, status: parseStatus(nodeStateStatusSchema, object) };
}

/** An address group; strict, as `parsePolicy`. Throws SchemaError. */
export function parseAddressGroup(object: unknown): PortHardeningAddressGroup {
  return parseWith(addressGroupSchema, "PortHardeningAddressGroup", object);
}

/** What new pods get; strict, as the controller alone writes it. Throws SchemaError. */
export function parsePodRange(object: unknown): PortHardeningPodRange {
  return parseWith(podRangeSchema, "PortHardeningPodRange", object);
}
