import { auditCases } from "./cases/audit.ts";
import { capacityCases } from "./cases/capacity.ts";
import type { AlertCases } from "./cases/case.ts";
import { enforcementCases } from "./cases/enforcement.ts";
import { operatorCases } from "./cases/operator.ts";

/** Of each alert, by its name. */
export const alertCases: Readonly<Record<string, AlertCases>> = {
  ...enforcementCases,
  ...capacityCases,
  ...auditCases,
  ...operatorCases,
};
