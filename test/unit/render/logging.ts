import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { everything } from "./everything.ts";

/** `everything`, and each of its policies wants to know whom it drops. */
export const logging: NodePlan = {
  ...everything,
  dropLogs: ["workers", "edge", "inner"].map((policy) => ({ policy, perMinute: 60 })),
};
