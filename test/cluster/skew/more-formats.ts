import * as z from "zod";
import type { PlanFormat } from "../../../src/plan/plan-formats.ts";
import { planSchema } from "../../../src/plan/plan-schema.ts";
import { PLAN_FORMAT, type Plan, type WrittenPlan } from "../../../src/plan/types.ts";

/** A format as a later release may bring one: the same plan, with sysctls in a list. */
export function laterFormat(format: number): PlanFormat {
  const settings = z.array(z.strictObject({ key: z.string(), value: z.string() }));
  const schema = z
    .looseObject({ format: z.literal(format), settings })
    .transform(({ settings, ...rest }, context): Plan => {
      const sysctls = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
      const { data, error } = planSchema.safeParse({ ...rest, format: PLAN_FORMAT, sysctls });
      for (const issue of error?.issues ?? []) context.addIssue({ ...issue, code: "custom" });
      return data ?? z.NEVER;
    });
  return {
    format,
    write: ({ sysctls, ...rest }: Plan): WrittenPlan & { readonly settings: object[] } => ({
      ...rest,
      format,
      settings: Object.entries(sysctls).map(([key, value]) => ({ key, value })),
    }),
    schema,
  };
}
