import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { keyedList } from "./named.ts";

/** Longest text of a status (messages, reasons given by tools); writers cut with `clipText`. */
export const MESSAGE_MAX = 1024;

export const conditionSchema = z
  .object({
    type: z.string().max(316).describe("What is judged, for example Ready."),
    status: z.enum(["True", "False", "Unknown"]).describe("Whether it is so."),
    reason: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe("One word for machines: why the status is what it is."),
    message: z.string().max(MESSAGE_MAX).describe("The same for people."),
    lastTransitionTime: z.iso.datetime().describe("When status last changed."),
    observedGeneration: z.int().min(0).optional().describe("metadata.generation that this was judged on."),
  })
  .describe("One aspect of the state, as metav1.Condition.");

export const conditionsSchema = keyedList(conditionSchema, ["type"], 16);

export type Condition = DeepReadonly<z.infer<typeof conditionSchema>>;

/** `text` cut to what a status field holds. */
export function clipText(text: string, max: number = MESSAGE_MAX): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/**
 * `conditions` with `next` in the place of the one of its type (at the end where there was none). lastTransitionTime
 * stays while the status stays. Returns the very same array where nothing changed, so that no needless write follows.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, "lastTransitionTime">,
  now: Date,
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === next.type);
  const message = clipText(next.message);
  if (
    before?.status === next.status &&
    before.reason === next.reason &&
    before.message === message &&
    before.observedGeneration === next.observedGeneration
  ) {
    return conditions;
  }
  // metav1.Time knows whole seconds.
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : time;
  const after: Condition = { ...next, message, lastTransitionTime };
  return before === undefined
    ? [...conditions, after]
    : conditions.map((condition) => (condition.type === next.type ? after : condition));
}
