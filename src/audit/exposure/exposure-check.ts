import type { Check } from "../check.ts";

/** What all say of the check that a peer of the cluster makes. */
export const EXPOSURE_CHECK = {
  name: "exposure",
  practice: "exposure",
  title: "a peer reaches what the policies let it reach, and nothing else",
} as const satisfies Pick<Check, "name" | "practice" | "title">;

/** Without a cluster nobody can make it; where policies ask for it that is said, as it has not passed. */
export const exposureWithoutPeers: Check = {
  ...EXPOSURE_CHECK,
  run: async () => ({
    status: "NotChecked",
    reason: "another node of the cluster measures it: agents do, see the node's phnode",
  }),
};
