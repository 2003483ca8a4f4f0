/** What a revision would cut that waits for its turn on a node, in statuses (DESIGN 7.2). */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { labelName } from "./named.ts";
import { PROTOCOLS } from "./ports.ts";

/** Examples in a status; the counts are of all. */
export const COMING_TOP_MAX = 5;

const count = z.int32().min(0);
const port = z.int32().min(0).max(65535).describe("Port that is opened.");
const protocol = z.enum(PROTOCOLS).describe("Protocol.");
const direction = z.enum(["Inbound", "Outbound"]).describe("Who opened: the other end, or the node.");
const process = z.string().max(64).optional().describe("Who listens there, where that is known.");

const counts = {
  cut: count.describe("Open connections that would be cut at once (existing: Cut)."),
  refused: count.describe("Open connections that would live on, and be refused when they are opened anew."),
  overLimit: count.describe(
    "Open connections above what a limit allows at a time: they live on, and not all could be opened again.",
  ),
  sshSessions: count.describe("Of both, sessions of SSH."),
  closedPorts: count.describe("Ports with a listener that only the cluster, or nobody, would reach any more."),
};

export const comingOnNodeSchema = z
  .object({
    name: labelName("Name of the PortHardeningPolicy."),
    hash: z.string().max(64).describe("The revision that waits, as in spec.previews."),
    at: z.iso.datetime().describe("When the node looked."),
    outcome: z
      .enum(["CutsNothing", "Cuts", "Unknown"])
      .describe(
        "CutsNothing: nothing that is open would be cut or refused. Cuts: something would be. Unknown: nobody could look; message says why.",
      ),
    ...counts,
    atLeast: z.boolean().optional().describe("Not all connections could be seen, so there may be more."),
    top: z
      .array(
        z.object({
          effect: z.enum(["Cut", "Refused"]).describe("Cut at once, or refused when opened anew."),
          direction,
          peer: z.string().max(64).describe("Address of the other end."),
          protocol,
          port,
          process,
          connections: z.int32().min(1).describe("How many."),
        }),
      )
      .max(COMING_TOP_MAX)
      .optional()
      .describe("The worst: those that are cut first, then the most numerous."),
    message: z.string().max(512).optional().describe("What was not looked at, or not judged."),
  })
  .describe("One policy whose next revision has not come to this node yet.");

export const comingSummarySchema = z
  .object({
    revision: z.string().max(64).describe("Hash of the revision that waits."),
    waiting: count.describe("Nodes to which it has not come yet."),
    looked: count.describe("Of these, nodes that said what it would cut there."),
    awaited: count.describe("Of these, nodes that are asked and have not said it yet."),
    unknown: count.describe("Of these, nodes that could not look, cannot be asked, or did not answer in time."),
    cutsOn: count.describe("Nodes on which something that is open would be cut or refused."),
    ...counts,
    top: z
      .array(
        z.object({
          effect: z.enum(["Cut", "Refused"]).describe("Cut at once, or refused when opened anew."),
          direction,
          protocol,
          port,
          process,
          connections: z.int32().min(1).describe("How many, among the worst of each node."),
          nodes: count.describe("On how many nodes."),
        }),
      )
      .max(COMING_TOP_MAX)
      .optional()
      .describe("The worst by port."),
    message: z.string().max(512).describe("The same in a sentence."),
  })
  .describe(
    "What the newest revision would cut on nodes to which it has not come yet, as these say. Absent: none waits.",
  );

export type ComingOnNode = DeepReadonly<z.output<typeof comingOnNodeSchema>>;
export type ComingSummary = DeepReadonly<z.output<typeof comingSummarySchema>>;
