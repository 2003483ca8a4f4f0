import type { NodeDirection, NodePlan } from "../../../src/plan/node-plan.ts";
import { everything } from "./everything.ts";

/** As another policy, which observes. */
function watched(policy: string, hash: string, changes: Partial<NodeDirection>) {
  return (direction: NodeDirection): NodeDirection => ({ ...direction, policy, hash, ...changes });
}

const strict = watched("watch", "77777777", {
  trustCluster: false,
  interfaces: { include: ["eth+"], exclude: ["eth1"] },
});
const open = watched("open", "88888888", { defaultAction: "Allow", trustCluster: true });

/** One of everything enforced, and beside it one of everything observed. */
export const observing: NodePlan = {
  ...everything,
  observed: {
    policies: ["open", "watch"],
    inbound: [...everything.inbound.slice(0, 1).flatMap((one) => [open(one), strict(one)]), ...everything.inbound],
    outbound: [...everything.outbound.slice(0, 1).flatMap((one) => [open(one), strict(one)]), ...everything.outbound],
    rateLimits: everything.rateLimits.map((limit) => ({
      ...limit,
      policy: "watch",
      hash: `${limit.hash.slice(0, 7)}9`,
    })),
    settings: [],
  },
};
