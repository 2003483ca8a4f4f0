import { isDeepStrictEqual } from "node:util";
import type { HostView } from "../audit/host-view.ts";
import { observeInterfaces } from "../audit/listeners/interfaces.ts";
import type { ReachJudge } from "../audit/listeners/reach.ts";
import { type NodeAudit, nodeAudit } from "../plan/node-audit.ts";
import { reachJudge } from "../plan/reach.ts";
import type { AssignedPolicy, NodePlan } from "../plan/types.ts";
import type { AuditAim } from "./auditor.ts";

/** Nothing is in force that could say. */
const UNKNOWN: ReachJudge = () => "Unknown";

/** Remembers what was made of the same policies, and of the same plan: it is asked on each pass. */
export function auditAims(
  host: HostView,
): (policies: readonly AssignedPolicy[], request: string | undefined, plan: NodePlan | undefined) => Promise<AuditAim> {
  let made: { readonly of: readonly AssignedPolicy[]; readonly audit: NodeAudit | undefined } | undefined;
  let judging: { readonly plan: NodePlan; readonly devices: readonly string[]; readonly judge: ReachJudge } | undefined;

  async function judgeOf(plan: NodePlan): Promise<ReachJudge> {
    const devices = await observeInterfaces(host);
    if (judging?.plan !== plan || !isDeepStrictEqual(judging.devices, devices)) {
      judging = { plan, devices, judge: reachJudge(plan, devices) };
    }
    return judging.judge;
  }

  return async (policies, request, plan) => {
    if (made?.of !== policies) made = { of: policies, audit: nodeAudit(policies) };
    const { audit } = made;
    // Where nobody asks, nobody wants to know.
    const judge = audit === undefined || plan === undefined ? UNKNOWN : await judgeOf(plan);
    return { audit, judge, request };
  };
}
