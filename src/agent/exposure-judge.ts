import type { ExposureJudge } from "../audit/exposure/expected.ts";
import type { NodeNetwork } from "../plan/connections.ts";
import { judge } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";

/** What these policies say of connections from peers. Limits need no say: nodes are exempt from them. */
export function exposureJudge(plan: NodePlan, { interfaceOf }: Pick<NodeNetwork, "interfaceOf">): ExposureJudge {
  const { refusal } = judge(plan);
  return ({ from, to, port }) => {
    const family = from.includes(":") ? 6 : 4;
    const opening = { direction: "Inbound", family, protocol: "TCP", peer: from, port, local: to } as const;
    const refused = refusal(opening, interfaceOf(from));
    if (refused === undefined) return undefined;
    const { policy, entry } = refused;
    const direction = plan.inbound.find((one) => one.policy === policy);
    return { policy, entry, rejects: entry === "default" && direction?.defaultAction === "Reject" };
  };
}
