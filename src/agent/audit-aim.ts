import type { ReachJudge } from "../audit/listeners/reach.ts";
import { type NodeAudit, nodeAudit } from "../plan/node-audit.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { reachJudge } from "../plan/reach.ts";
import type { AssignedPolicy } from "../plan/types.ts";
import type { Enforcement } from "./enforcement.ts";

/** What is to be audited. */
export interface AuditAim {
  /** undefined: no policy asks for anything. */
  readonly audit: NodeAudit | undefined;
  /** By the interfaces of the node. The same one as long as it judges the same. */
  readonly judge: (devices: readonly string[]) => ReachJudge;
  /** An audit is made when this changes. */
  readonly request: string | undefined;
}

const UNKNOWN: AuditAim["judge"] = () => () => "Unknown";

/** Remembers what was made of the same policies, and of the same plan: it is asked on each pass. */
export function auditAims(): (
  policies: readonly AssignedPolicy[],
  held: Pick<Enforcement, "plan"> | undefined,
  request: string | undefined,
) => AuditAim {
  let made: { readonly of: readonly AssignedPolicy[]; readonly audit: NodeAudit | undefined } | undefined;
  let judging: { readonly of: NodePlan | undefined; readonly judge: AuditAim["judge"] } | undefined;
  return (policies, held, request) => {
    if (made?.of !== policies) made = { of: policies, audit: nodeAudit(policies) };
    const plan = held?.plan;
    if (judging === undefined || judging.of !== plan) {
      judging = { of: plan, judge: plan === undefined ? UNKNOWN : (devices) => reachJudge(plan, devices) };
    }
    return { audit: made.audit, judge: judging.judge, request };
  };
}
