import * as z from "zod";
import { connectionsSchema, listenersSchema, nodeAuditSchema } from "./audit-status.ts";
import { comingOnNodeSchema } from "./coming.ts";
import { conditionsSchema, MESSAGE_MAX } from "./condition.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import { droppedOnNodeSchema } from "./dropped.ts";
import { existingOnNodeSchema } from "./existing.ts";
import { failsafesOnNodeSchema } from "./failsafes-on-node.ts";
import { API_VERSION, NODE_STATE_KIND } from "./group.ts";
import { metadataSchema } from "./metadata.ts";
import { MODES } from "./mode.ts";
import { keyedList, labelName } from "./named.ts";
import { observedOnNodeSchema, wantedOnNodeSchema, wouldCounts } from "./observed.ts";
import {
  probeAnswersSchema,
  probeRequestSchema,
  probeResultsSchema,
  probesSchema,
  reachRequestsSchema,
} from "./peer-probes.ts";
import { podCountsSchema } from "./pods.ts";
import { RETRY_MAX } from "./rollout.ts";
import { unmatchedOnNodeSchema } from "./unmatched.ts";

/** Bounds of the lists in a NodeState's status: the agent sends the first of each. */
export const NODE_POLICIES_MAX = 64;
/** More policies may select a node than it takes. */
export const NODE_KEEP_MAX = 256;
export const NODE_SYSCTLS_MAX = 128;
export const DRIFT_ITEMS_MAX = 20;

const hash = z
  .string()
  .max(64)
  .regex(/^[0-9a-f]+$/, "must be lower-case hexadecimal");
const uid = z.string().max(64).describe("metadata.uid of the PortHardeningPolicy.");

const planSchema = z
  .unknown()
  .refine((plan) => typeof plan === "object" && plan !== null && !Array.isArray(plan), {
    error: ({ input }) => (input === undefined ? "is required" : "must be an object"),
  })
  .meta({ type: "object", "x-kubernetes-preserve-unknown-fields": true });

const assignedPolicySchema = z
  .object({
    name: labelName("Name of the PortHardeningPolicy."),
    uid,
    hash: hash.describe("Revision: a hash of priority, mode and plan. Status answers with it."),
    priority: z.int32().describe("Priority of the policy."),
    mode: z.enum(MODES).describe("Mode of the policy."),
    plan: planSchema.describe("What the policy asks of this node, compiled. Its format field says how to read it."),
    retryAt: z
      .string()
      .max(RETRY_MAX)
      .optional()
      .describe(
        "When this changes, an agent that failed tries again, also what it rolled back; from the annotation " +
          "porthardening.io/retry-at. No part of hash.",
      ),
  })
  .describe("One policy as compiled for this node.");

const { retryAt: _, ...revision } = assignedPolicySchema.shape;
const previewedPolicySchema = z
  .object({
    ...revision,
    plan: planSchema
      .optional()
      .describe("What the policy will ask of this node, compiled. Absent where spec would grow beyond 64 KiB by it."),
  })
  .describe("A revision whose turn on this node has not come.");

export const nodeStateSpecSchema = z
  .object({
    policies: keyedList(assignedPolicySchema, ["name"], NODE_POLICIES_MAX).describe(
      "Policies that the node shall enforce. Empty: the node is cleared.",
    ),
    keep: z
      .array(z.string().max(63))
      .max(NODE_KEEP_MAX)
      .optional()
      .describe("Policies whose turn on this node has not come: what the agent enforces of them stays."),
    previews: keyedList(previewedPolicySchema, ["name"], NODE_POLICIES_MAX)
      .optional()
      .describe(
        "Revisions of enforcing policies that wait for their turn: the node says in status.previews what they would cut there, and " +
          "changes nothing. No part of any policy's revision.",
      ),
    unawaited: z
      .array(z.string().max(63))
      .max(NODE_POLICIES_MAX)
      .optional()
      .describe(
        "Policies that were handed over while the node was not ready or silent: no roll-out waits for the answer.",
      ),
    auditRequest: z
      .string()
      .max(64)
      .optional()
      .describe("The node is audited when this changes; made of the annotations porthardening.io/audit-at."),
    skipped: z
      .boolean()
      .optional()
      .describe("The Node's annotation porthardening.io/skip is true: no policy is assigned."),
    probes: probesSchema.optional(),
    probeAnswers: probeAnswersSchema.optional(),
  })
  .describe("What the node shall enforce. Written by the controller only.");

const count = z.int32().min(0);
const time = z.iso.datetime();

const policyOnNodeSchema = z
  .object({
    name: labelName("Name of the PortHardeningPolicy."),
    uid,
    hash: hash.describe("The revision from spec that this speaks of."),
    state: z
      .enum(["Pending", "Enforced", "Failed", "RolledBack", "NotEnforceable"])
      .describe(
        "Enforced: read back from the kernel (in mode Observe: the rules that count). Failed: nothing was changed. RolledBack: " +
          "it was applied and taken back, as the node could not confirm it; message says what failed. NotEnforceable: read back, " +
          "but something else on the node lets traffic past it; or a person disengaged the node. Message names it.",
      ),
    reason: z.string().max(256).optional().describe("One word for machines."),
    message: z.string().max(MESSAGE_MAX).optional().describe("What the tool or the kernel said."),
    since: time.describe("When state or hash last changed."),
    droppedPackets: z.int().min(0).optional().describe("Packets that this policy's rules dropped or rejected."),
    existingConnections: existingOnNodeSchema.optional(),
    ...wouldCounts,
  })
  .describe("One policy as measured on this node.");

const driftSchema = z.object({
  count: z.int().min(0).describe("Times that something else changed what is enforced here."),
  last: z
    .object({
      at: time.describe("When it was seen."),
      by: z.string().max(256).optional().describe("Process that did it, where the kernel says so."),
      what: z.array(z.string().max(256)).max(DRIFT_ITEMS_MAX).describe("Chains, sets and settings that differed."),
      repairedMilliseconds: z.int().min(0).optional().describe("Time from seeing it to having read back the repair."),
    })
    .optional()
    .describe("The latest one."),
});

export const nodeStateStatusSchema = z
  .object({
    observedGeneration: z.int().min(0).optional().describe("metadata.generation that this status speaks of."),
    conditions: conditionsSchema.optional().describe("Ready, Reconciling, Stalled and Conflicted (kstatus)."),
    agentVersion: z.string().max(64).optional().describe("Version of the agent."),
    planFormats: z.array(z.int32().min(1)).max(8).optional().describe("Plan formats that the agent can read."),
    backend: z.string().max(64).optional().describe("Packet filter in use, for example iptables-nft 1.8.9."),
    kernelVersion: z.string().max(128).optional().describe("Release of the running kernel."),
    counts: z
      .object({
        assigned: count.describe("Policies in spec."),
        enforced: count.describe("Policies enforced at their current revision."),
        failed: count.describe("Policies that could not be applied."),
      })
      .optional()
      .describe("Policies by outcome."),
    policies: keyedList(policyOnNodeSchema, ["name"], NODE_POLICIES_MAX)
      .optional()
      .describe("Each policy as measured."),
    // Atomic: server-side apply drops a list by key with its last element, and an empty one says that the agent looks.
    previews: z
      .array(comingOnNodeSchema)
      .max(NODE_POLICIES_MAX)
      .optional()
      .describe("What the revisions in spec.previews would cut. Absent: the agent does not look."),
    ephemeralPorts: z
      .object({
        range: z.string().max(64).optional().describe("Measured net.ipv4.ip_local_port_range, as 49152-65535."),
        reserved: z
          .string()
          .max(4096)
          .optional()
          .describe("Measured net.ipv4.ip_local_reserved_ports, as the kernel prints it."),
        pods: podCountsSchema.optional(),
      })
      .optional()
      .describe("Local ports as measured."),
    sysctls: z
      .array(
        z.object({
          key: z.string().max(128).describe("Dotted name."),
          value: z.string().max(256).describe("Value as measured."),
        }),
      )
      .max(NODE_SYSCTLS_MAX)
      .optional()
      .describe("Kernel settings that policies ask for, as measured."),
    failsafes: failsafesOnNodeSchema.optional(),
    observed: observedOnNodeSchema.optional(),
    wouldSet: wantedOnNodeSchema.optional(),
    dropped: droppedOnNodeSchema.optional(),
    unmatched: unmatchedOnNodeSchema.optional(),
    readBackHash: z.string().max(64).optional().describe("Hash of the rules as read back from the kernel."),
    appliedAt: time.optional().describe("When the kernel was last changed to match spec."),
    applyMilliseconds: z.int().min(0).optional().describe("How long that took, reading back included."),
    audit: nodeAuditSchema.optional(),
    listeners: listenersSchema.optional(),
    connections: connectionsSchema.optional(),
    probeRequest: probeRequestSchema.optional(),
    reachRequests: reachRequestsSchema.optional(),
    probeResults: probeResultsSchema.optional(),
    drift: driftSchema.optional().describe("Changes made by others and repaired."),
    leftOut: z
      .array(z.string().max(128))
      .max(32)
      .optional()
      .describe("What was left out to keep this status within 32 KiB, by field. Absent: nothing."),
  })
  .describe("What was measured on the node. Written by the node's agent only.");

export const nodeStateSchema = z
  .object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(NODE_STATE_KIND),
    metadata: metadataSchema,
    spec: nodeStateSpecSchema,
    status: nodeStateStatusSchema.optional(),
  })
  .describe("What one node shall enforce and what was measured there; named after the node. Not for editing by hand.");

export type NodeStateStatus = DeepReadonly<z.output<typeof nodeStateStatusSchema>>;
export type PolicyOnNode = DeepReadonly<z.output<typeof policyOnNodeSchema>>;
export type PortHardeningNodeState = DeepReadonly<z.output<typeof nodeStateSchema>>;
