import type { ReachJudge } from "../audit/listeners/reach.ts";
import { type NodeAudit, nodeAudit } from "../plan/node-audit.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { AuditAim } from "./auditor.ts";

/** Nothing is said of reach. */
const UNKNOWN: ReachJudge = () => "Unknown";

/** Remembers what was made of the same policies: it is asked on each pass. */
export function auditAims(): (policies: readonly AssignedPolicy[], request: string | undefined) => AuditAim {
  let made: { readonly of: readonly AssignedPolicy[]; readonly audit: NodeAudit | undefined } | undefined;
  return (policies, request) => {
    if (made?.of !== policies) made = { of: policies, audit: nodeAudit(policies) };
    return { audit: made.audit, judge: UNKNOWN, request };
  };
}
