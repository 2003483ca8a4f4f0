/** What passes before any policy, in statuses. */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { labelName } from "./named.ts";

/** What an install may add in both directions, ours, and what a node shows. */
export const FAILSAFES_ON_NODE_MAX = 192;

export const failsafesOnNodeSchema = z
  .array(
    z
      .object({
        name: labelName("Name of the failsafe."),
        direction: z
          .enum(["Inbound", "Outbound", "Both"])
          .describe("Who opens the connection: somebody else, the node, or either."),
        protocol: z.string().max(8).describe("TCP, UDP or SCTP."),
        ports: z.string().max(256).describe("Ports that are opened, as 2379-2380,8132."),
        peers: z
          .string()
          .max(512)
          .describe(
            "The other end: Everybody, Nodes (addresses of nodes and API endpoints), or these addresses alone.",
          ),
        origin: z
          .enum(["Default", "Installed", "Found"])
          .describe("Default: of every install. Installed: settings of this install. Found: the node shows it."),
        evidence: z.string().max(256).optional().describe("By what it was found on the node."),
      })
      .describe("Traffic that no policy can refuse."),
  )
  .max(FAILSAFES_ON_NODE_MAX)
  .describe("What passes before any policy, as the kernel holds it: what was found on the node first.");

export type FailsafeOnNode = DeepReadonly<z.output<typeof failsafesOnNodeSchema>>[number];
