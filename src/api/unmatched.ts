/** Entries of policies that no packet ever matched, in statuses. */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { labelName } from "./named.ts";

/** Entries that a status names, in the order of their names; the count has all. */
export const UNMATCHED_MAX = 20;

const count = z.int32().min(0);

const entryFields = {
  direction: z.enum(["Inbound", "Outbound"]).describe("Who opens the connection: somebody else, or the node."),
  list: z.enum(["Allow", "Deny", "Default"]).describe("Where it stands in the policy; Default: the default action."),
  entry: labelName("Name of the entry; default for the default action."),
};

export const unmatchedOnNodeSchema = z
  .object({
    count: count.describe("Entries that no packet has matched since they are in force here as they are."),
    of: count.describe("Entries in force: allow, deny and default actions of enforced policies."),
    entries: z
      .array(
        z.object({
          policy: labelName("Name of the PortHardeningPolicy."),
          ...entryFields,
          since: z.iso
            .datetime()
            .describe("Since when nothing has matched it: it came into force then, or was edited."),
        }),
      )
      .max(UNMATCHED_MAX)
      .describe("The first of them by name."),
  })
  .describe("Firewall entries that no packet has matched. What passes or is dropped before them never comes to them.");

export const unmatchedSchema = z
  .object({
    count: count.describe("Entries in the list."),
    entries: z.array(z.object(entryFields)).max(UNMATCHED_MAX).describe("By name."),
  })
  .describe(
    "Firewall entries that no packet has matched on any of the nodes that enforce this revision. A node names " +
      `${UNMATCHED_MAX} at most, so there may be more. Absent: none, or no node has said so yet.`,
  );

export type UnmatchedOnNode = DeepReadonly<z.output<typeof unmatchedOnNodeSchema>>;
export type UnmatchedEntryOnNode = UnmatchedOnNode["entries"][number];
export type Unmatched = DeepReadonly<z.output<typeof unmatchedSchema>>;
