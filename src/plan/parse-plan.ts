import * as z from "zod";
import { explainIssue, problemsOf } from "../api/issue.ts";
import { MODES } from "../api/mode.ts";
import { DNS_LABEL } from "../api/named.ts";
import { RETRY_MAX } from "../api/rollout.ts";
import { SchemaError } from "../api/schema-error.ts";
import { PlanCorruptError, UnknownPlanFormatError } from "./plan-errors.ts";
import { numbersOf, PLAN_FORMATS, type PlanFormat } from "./plan-formats.ts";
import { planHash } from "./plan-hash.ts";
import type { Assigned, AssignedPolicy, WrittenPlan } from "./types.ts";

const envelopeSchema = z.object({
  name: z.string().regex(DNS_LABEL, "must be a DNS label"),
  plan: z.looseObject({ format: z.unknown().optional() }),
});

const elementSchema = z.strictObject({
  name: z.string(),
  uid: z.string().max(64),
  hash: z.string().regex(/^[0-9a-f]{16}$/, "must be 16 hexadecimal digits"),
  priority: z.int32(),
  mode: z.enum(MODES),
  retryAt: z.string().max(RETRY_MAX).optional(),
});

/**
 * An element of NodeState.spec.policies as read from the API server or from disk. Throws UnknownPlanFormatError,
 * SchemaError naming the paths, or PlanCorruptError where the content is not what the hash says.
 */
export function parseAssigned(value: unknown, formats: readonly PlanFormat[] = PLAN_FORMATS): AssignedPolicy {
  const { name, plan: written } = parseWith(envelopeSchema, "assigned policy", value);
  // Before the shape: the plan of a later version is not malformed.
  const format = formats.find((known) => known.format === written.format);
  if (format === undefined) throw new UnknownPlanFormatError(name, written.format, numbersOf(formats));
  const schema = elementSchema.extend({ plan: format.schema });
  const assigned = parseWith(schema, `assigned policy ${name}`, value);
  // Over what was on the wire, not over what the schema made of it.
  const actual = planHash({ ...assigned, plan: written });
  if (actual !== assigned.hash) throw new PlanCorruptError(name, assigned.hash, actual);
  return planHash(assigned) === actual ? assigned : { ...assigned, written: { ...written, format: format.format } };
}

/** `assigned` as it was read: what `parseAssigned` reads again. */
export function formatAssigned({ written, ...assigned }: AssignedPolicy): Assigned<WrittenPlan> {
  return written === undefined ? assigned : { ...assigned, plan: written };
}

function parseWith<S extends z.ZodType>(schema: S, subject: string, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { error: explainIssue, reportInput: true });
  if (result.success) return result.data;
  throw new SchemaError(subject, result.error.issues.flatMap(problemsOf));
}
