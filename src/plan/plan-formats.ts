import type * as z from "zod";
import { planSchema } from "./plan-schema.ts";
import { PLAN_FORMAT, type Plan, type WrittenPlan } from "./types.ts";

/**
 * One way to write a plan into a NodeState. Agents and controller are upgraded one after the other, and agents node by
 * node; what they have in common is a format. As plans are read strictly, whatever is added to them takes a new one.
 */
export interface PlanFormat {
  readonly format: number;
  /** The plan in this format; undefined where the format has no words for something that the plan asks. Never a part of it. */
  readonly write: (plan: Plan) => WrittenPlan | undefined;
  /** What `write` wrote, read back. Strict: an unknown member is refused. */
  readonly schema: z.ZodType<Plan>;
}

/**
 * What this version reads and writes, the newest first. A release that brings a format keeps the one before (DESIGN 8:
 * N-1): its agents read what an older controller writes, and its controller writes what older agents read. `peers` and
 * `exempt` keep their place in every format, as the controller looks for selectors of nodes there (selected-nodes.ts).
 */
export const PLAN_FORMATS: readonly PlanFormat[] = [{ format: PLAN_FORMAT, write: (plan) => plan, schema: planSchema }];

/** The numbers, in ascending order. */
export function numbersOf(formats: readonly Pick<PlanFormat, "format">[]): number[] {
  return formats.map(({ format }) => format).toSorted((a, b) => a - b);
}
