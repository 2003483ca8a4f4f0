import * as z from "zod";
import { auditSchema } from "./audit.ts";
import { policyAuditSummarySchema } from "./audit-status.ts";
import { comingSummarySchema } from "./coming.ts";
import { conditionsSchema, MESSAGE_MAX } from "./condition.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import { defaulted } from "./defaulted.ts";
import { inboundSchema, outboundSchema } from "./direction.ts";
import { ephemeralPortsSchema } from "./ephemeral-ports.ts";
import { existingSchema, existingSummarySchema } from "./existing.ts";
import { API_VERSION, POLICY_KIND } from "./group.ts";
import { labelSelectorSchema } from "./label-selector.ts";
import { metadataSchema } from "./metadata.ts";
import { MODE_MEANING, MODES } from "./mode.ts";
import { monitoringSchema } from "./monitoring.ts";
import { DNS_LABEL } from "./named.ts";
import { observedEntriesSchema, wantedOnNodesSchema, wouldCounts } from "./observed.ts";
import { podCountsSchema } from "./pods.ts";
import { rateLimitsSchema } from "./rate-limits.ts";
import { rolloutSchema, rolloutStatusSchema } from "./rollout.ts";
import { withRules } from "./rule.ts";
import { sysctlsSchema } from "./sysctls.ts";
import { unmatchedSchema } from "./unmatched.ts";

/** Nodes named one by one in a policy's status; the rest is in the NodeStates. */
export const FAILURES_MAX = 20;

export const policySpecSchema = withRules(
  z.strictObject({
    nodeSelector: labelSelectorSchema
      .optional()
      .describe("Nodes that the policy is for, by label. Absent: every node."),
    priority: defaulted(z.int32(), 0).describe(
      "Where two policies set the same value on a node, the higher one wins; then the first by name.",
    ),
    mode: z.enum(MODES).describe(MODE_MEANING),
    ephemeralPorts: ephemeralPortsSchema.optional().describe("Local ports of outbound connections."),
    sysctls: sysctlsSchema
      .optional()
      .describe('Kernel settings by dotted name, values as strings: net.ipv4.tcp_syncookies: "1".'),
    firewall: z
      .strictObject({
        existing: existingSchema,
        inbound: inboundSchema.optional(),
        outbound: outboundSchema.optional(),
      })
      .optional()
      .describe("Which traffic passes. A direction that is absent is not judged."),
    rateLimits: rateLimitsSchema
      .optional()
      .describe(
        "Limits on new and on concurrent connections; trusted cluster traffic is exempt. They open and isolate nothing.",
      ),
    monitoring: monitoringSchema.optional().describe("What agents watch all the time. Changes no traffic."),
    audit: auditSchema.optional().describe("What agents look at regularly. Absent: nothing."),
    rollout: rolloutSchema.optional(),
  }),
  [
    {
      cel: "!has(self.nodeSelector) || !has(self.ephemeralPorts) || self.ephemeralPorts.pods != 'Inject'",
      message:
        "ephemeralPorts.pods: Inject takes a policy without nodeSelector, as nobody knows a new pod's node: ask for it in a " +
        "policy of its own that has no nodeSelector",
      field: "ephemeralPorts.pods",
      holds: ({ nodeSelector, ephemeralPorts }) => nodeSelector === undefined || ephemeralPorts?.pods !== "Inject",
    },
  ],
).describe("What the nodes shall be like.");

const count = z.int32().min(0);

export const policyStatusSchema = z
  .object({
    observedGeneration: z.int().min(0).optional().describe("metadata.generation that this status speaks of."),
    conditions: conditionsSchema
      .optional()
      .describe("Ready, Reconciling and Stalled (kstatus); Conflicted; Audited, where the policy asks for audits."),
    status: z.string().max(64).optional().describe("One word: Ready, or why not yet."),
    message: z.string().max(MESSAGE_MAX).optional().describe("The same in a sentence."),
    nodes: z
      .object({
        selected: count.describe("Nodes that the policy selects."),
        enforced: count.describe("Nodes on which it was read back from the kernel, at the current revision."),
        failed: count.describe("Nodes that could not apply it."),
        notEnforceable: count
          .optional()
          .describe("Nodes on which something else lets traffic past it, or that a person disengaged; absent: none."),
        skipped: count
          .optional()
          .describe(
            "Nodes left out by their annotation porthardening.io/skip, which are not among selected; absent: none.",
          ),
        outdated: count
          .optional()
          .describe(
            "Nodes whose agent reads no plan that the controller writes: they keep what they have; absent: none.",
          ),
        unknown: count.describe("Nodes that are not ready or have not been heard of for 180 s."),
      })
      .optional()
      .describe("Nodes by outcome."),
    rollout: rolloutStatusSchema.optional(),
    preview: comingSummarySchema.optional(),
    range: z.string().max(64).optional().describe("Range of local ports measured on the enforced nodes."),
    pods: podCountsSchema.optional(),
    droppedPackets: z
      .int()
      .min(0)
      .optional()
      .describe("Packets that the policy's rules dropped or rejected, summed over the nodes."),
    existingConnections: existingSummarySchema.optional(),
    ...wouldCounts,
    observed: observedEntriesSchema.optional(),
    wouldSet: wantedOnNodesSchema.optional(),
    unmatched: unmatchedSchema.optional(),
    audit: policyAuditSummarySchema.optional(),
    failures: z
      .array(
        z.object({
          node: z.string().max(253).describe("Name of the node."),
          reason: z.string().max(256).describe("One word for machines."),
          message: z.string().max(MESSAGE_MAX).describe("What the tool or the kernel said."),
        }),
      )
      .max(FAILURES_MAX)
      .optional()
      .describe(
        "The first nodes that failed, cannot be told of it or cannot enforce it; the others are in their PortHardeningNodeState.",
      ),
  })
  .describe("What was measured on the nodes.");

export const policySchema = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(POLICY_KIND),
    metadata: metadataSchema,
    spec: policySpecSchema,
    status: policyStatusSchema.optional(),
  }),
  [
    {
      cel: `size(self.metadata.name) <= 63 && self.metadata.name.matches('${DNS_LABEL.source}')`,
      message: "must be a DNS label of at most 63 characters, without dots: it stands in rule comments",
      field: "metadata.name",
      holds: ({ metadata }) => DNS_LABEL.test(metadata.name),
    },
  ],
).describe("Hardens the ports 1024-65535 of the nodes that it selects and reports what was measured there.");

export type PolicySpec = DeepReadonly<z.output<typeof policySpecSchema>>;
export type PolicyStatus = DeepReadonly<z.output<typeof policyStatusSchema>>;
export type PortHardeningPolicy = DeepReadonly<z.output<typeof policySchema>>;
