import * as z from "zod";
import { explainIssue, problemsOf } from "../api/issue.ts";
import { MODES } from "../api/mode.ts";
import { DNS_LABEL } from "../api/named.ts";
import { SchemaError } from "../api/schema-error.ts";
import { PlanCorruptError, UnknownPlanFormatError } from "./plan-errors.ts";
import { planHash } from "./plan-hash.ts";
import { planSchema } from "./plan-schema.ts";
import { type AssignedPolicy, PLAN_FORMAT } from "./types.ts";

const envelopeSchema = z.object({
  name: z.string().regex(DNS_LABEL, "must be a DNS label"),
  plan: z.looseObject({ format: z.unknown().optional() }),
});

const assignedSchema = z.strictObject({
  name: z.string(),
  uid: z.string().max(64),
  hash: z.string().regex(/^[0-9a-f]{16}$/, "must be 16 hexadecimal digits"),
  priority: z.int32(),
  mode: z.enum(MODES),
  plan: planSchema,
});

/**
 * An element of NodeState.spec.policies as read from the API server or from disk. Throws UnknownPlanFormatError,
 * SchemaError naming the paths, or PlanCorruptError where the content is not what the hash says.
 */
export function parseAssigned(value: unknown): AssignedPolicy {
  const { name, plan } = parseWith(envelopeSchema, "assigned policy", value);
  // Before the shape: the plan of a later version is not malformed.
  if (plan.format !== PLAN_FORMAT) throw new UnknownPlanFormatError(name, plan.format, PLAN_FORMAT);
  const assigned = parseWith(assignedSchema, `assigned policy ${name}`, value);
  // Over what was on the wire, not over what the schema made of it.
  const actual = planHash({ ...assigned, plan });
  if (actual !== assigned.hash) throw new PlanCorruptError(name, assigned.hash, actual);
  return assigned;
}

function parseWith<S extends z.ZodType>(schema: S, subject: string, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { error: explainIssue, reportInput: true });
  if (result.success) return result.data;
  throw new SchemaError(subject, result.error.issues.flatMap(problemsOf));
}
