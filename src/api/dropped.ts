/** What policies drop and reject, in statuses. */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { labelName } from "./named.ts";
import { topPeersSchema } from "./observed.ts";

/** Entries that a status names: those with most packets; the others are in the metrics. */
export const DROPPED_MAX = 20;

export const droppedOnNodeSchema = z
  .array(
    z
      .object({
        policy: labelName("Name of the PortHardeningPolicy."),
        direction: z.enum(["Inbound", "Outbound"]).describe("Who opens the connection: somebody else, or the node."),
        entry: labelName("Entry or limit of the policy; default for the default action."),
        packets: z.int().min(0).describe("Packets that it dropped or rejected."),
        topPeers: topPeersSchema.optional(),
      })
      .describe("What one entry dropped or rejected on this node."),
  )
  .max(DROPPED_MAX)
  .describe("The entries that dropped or rejected most packets here; top peers where the policy has dropLog.");

export type DroppedOnNode = DeepReadonly<z.output<typeof droppedOnNodeSchema>>[number];
