import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { PROTOCOLS } from "./ports.ts";

export const existingSchema = defaulted(z.enum(["Keep", "Cut"]), "Keep").describe(
  "What becomes of connections that were open when the policy came to refuse them. Keep: they live on, and status counts " +
    "them. Cut: their further packets are judged as if they opened the connection: dropped, or rejected where the default " +
    "action says Reject. What some policy allows, failsafes and the trusted cluster are never cut, nor is what conntrack " +
    "does not know. Where several policies refuse a connection, one that says Cut is enough.",
);

/** Other ends named in a NodeState; the counts are of all. */
const TOP_MAX = 5;

const counts = {
  kept: z.int32().min(0).describe("Connections that live on."),
  cut: z.int32().min(0).describe("Connections that are cut and that conntrack has not forgotten yet."),
};
const DESCRIPTION =
  "Connections from before that the policy's rules would refuse if they were opened anew (in mode Observe: that the policy would " +
  "refuse or cut if it were enforced)";

export const existingOnNodeSchema = z
  .object({
    ...counts,
    top: z
      .array(
        z.object({
          direction: z.enum(["Inbound", "Outbound"]).describe("Who opened: the other end, or the node."),
          peer: z.string().max(64).describe("Address of the other end."),
          protocol: z.enum(PROTOCOLS).describe("Protocol."),
          port: z.int32().min(0).max(65535).describe("Port that was opened."),
          connections: z.int32().min(1).describe("How many."),
        }),
      )
      .max(TOP_MAX)
      .optional()
      .describe("The most numerous."),
  })
  .describe(`${DESCRIPTION}; counted after each change and every 5 minutes while there are some.`);

export const existingSummarySchema = z.object(counts).describe(`${DESCRIPTION}, summed over the nodes.`);
