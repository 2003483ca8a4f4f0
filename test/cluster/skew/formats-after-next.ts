import { numbersOf, type PlanFormat } from "../../../src/plan/plan-formats.ts";
import { laterFormat } from "./more-formats.ts";

/** Of the release after the next: it has dropped today's. */
export const PLAN_FORMATS: readonly PlanFormat[] = [laterFormat(3), laterFormat(2)];
export { numbersOf };
