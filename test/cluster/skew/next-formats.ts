import { numbersOf, type PlanFormat, PLAN_FORMATS as TODAY } from "../../../src/plan/plan-formats.ts";
import { laterFormat } from "./more-formats.ts";

/** Of the next release: its own and the one before. */
export const PLAN_FORMATS: readonly PlanFormat[] = [laterFormat(2), ...TODAY];
export { numbersOf };
