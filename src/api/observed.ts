/** What policies in mode Observe would change, in statuses. */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { labelName } from "./named.ts";

/** Entries, and settings, that a status names: those with most packets; the others are in the metrics. */
export const OBSERVED_MAX = 20;
/** Addresses named for each entry. */
export const TOP_PEERS_MAX = 3;

const packets = z.int().min(0);

/** Of one policy; absent where it does not observe. */
export const wouldCounts = {
  wouldDropPackets: packets
    .optional()
    .describe("Mode Observe: packets that passed and that the policy would drop or reject."),
  wouldOpenPackets: packets
    .optional()
    .describe("Mode Observe: packets that were dropped or rejected and that the policy would let pass."),
};

export const topPeersSchema = z
  .array(
    z.object({
      address: z.string().max(45).describe("Address without length."),
      packets: packets.describe("Packets of this address, while it was among those remembered."),
    }),
  )
  .max(TOP_PEERS_MAX)
  .describe(
    "Sources (outbound: destinations) with most of these packets. Each node remembers about 1,000 for an entry.",
  );

const entryFields = {
  direction: z.enum(["Inbound", "Outbound"]).describe("Who opens the connection: somebody else, or the node."),
  entry: labelName("Entry or limit of the policy; default for the default action, trust for trustCluster."),
  would: z.enum(["Drop", "Open"]).describe("Drop: passes now. Open: is dropped or rejected now."),
  packets: packets.describe("Packets so far, since the entry was last edited."),
  topPeers: topPeersSchema,
};

const entrySchema = z.object(entryFields).describe("What one entry would change.");
const entryOnNodeSchema = z
  .object({ policy: labelName("Name of the PortHardeningPolicy."), ...entryFields })
  .describe("What one entry would change on this node.");

export const observedEntriesSchema = z
  .array(entrySchema)
  .max(OBSERVED_MAX)
  .describe("Mode Observe: the entries that would change most, summed over the nodes.");

export const observedOnNodeSchema = z
  .array(entryOnNodeSchema)
  .max(OBSERVED_MAX)
  .describe("The entries of policies in mode Observe that would change most here.");

const settingFields = {
  key: z.string().max(128).describe("Dotted name."),
  value: z.string().max(256).describe("Value that the policy would set; of reserved ports those that it would add."),
  measured: z.string().max(256).describe("Value as measured; empty where there is none."),
};

export const wantedOnNodeSchema = z
  .array(z.object({ policy: labelName("Name of the PortHardeningPolicy."), ...settingFields }))
  .max(OBSERVED_MAX)
  .describe("Kernel settings that policies in mode Observe would change here.");

export const wantedOnNodesSchema = z
  .array(z.object({ ...settingFields, nodes: z.int32().min(1).describe("Nodes on which it is so.") }))
  .max(OBSERVED_MAX)
  .describe("Mode Observe: kernel settings that the policy would change, by what was measured.");

export type ObservedEntry = DeepReadonly<z.output<typeof entrySchema>>;
export type ObservedOnNode = DeepReadonly<z.output<typeof observedOnNodeSchema>>[number];
export type WantedOnNode = DeepReadonly<z.output<typeof wantedOnNodeSchema>>[number];
export type WantedOnNodes = DeepReadonly<z.output<typeof wantedOnNodesSchema>>[number];
