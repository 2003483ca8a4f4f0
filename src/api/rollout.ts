import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { defaulted } from "./defaulted.ts";
import { labelSelectorSchema } from "./label-selector.ts";

/** A changed value of this annotation of a policy has the nodes that failed try its revision again. */
export const RETRY_ANNOTATION = "porthardening.io/retry-at";

/** Bound of what a NodeState says of that annotation. */
export const RETRY_MAX = 64;

export const DEFAULT_CONFIRM_TIMEOUT_SECONDS = 60;

export const confirmTimeoutSeconds = z.int32().min(5).max(3600);

/** Between 1 % and 100 %. */
const PERCENTAGE = /^([1-9][0-9]?|100)%$/;

function isNodeCount(value: unknown): value is number | string {
  if (typeof value === "number") return Number.isInteger(value) && value >= 1 && value <= 2 ** 31 - 1;
  return typeof value === "string" && PERCENTAGE.test(value);
}

const nodeCountSchema = z
  .custom<number | string>(isNodeCount, 'must be a number of nodes (1) or a percentage ("25%")')
  .meta({
    "x-kubernetes-int-or-string": true,
    minimum: 1,
    maximum: 2 ** 31 - 1,
    maxLength: 4,
    pattern: PERCENTAGE.source,
  });

const canarySchema = z.strictObject({
  count: defaulted(z.int32().min(1), 1).describe("How many nodes; all of them where there are fewer."),
  nodeSelector: labelSelectorSchema
    .optional()
    .describe(
      "Labels of the nodes to take, among those that the policy selects; the first by name. Where none has them, nothing is rolled " +
        "out. Absent: any node.",
    ),
});

export const rolloutSchema = z
  .strictObject({
    strategy: defaulted(z.enum(["Progressive", "Immediate"]), "Progressive").describe(
      "Progressive: canaries first, then some nodes at a time; a node that fails halts it. Immediate: all nodes at once.",
    ),
    canary: canarySchema
      .optional()
      .describe("The nodes that get a new revision first: the others wait until these enforce it. Absent: one node."),
    maxUnavailable: defaulted(nodeCountSchema, "25%").describe(
      "Most nodes at a time that were handed a revision and do not enforce it yet: a number, or a percentage of the selected nodes " +
        "that are alive, rounded down, but never less than one.",
    ),
    progressDeadlineSeconds: defaulted(z.int32().min(1).max(86_400), 600).describe(
      "After so long without another node that enforces it the roll-out counts as stalled (ProgressDeadlineExceeded). It still goes on.",
    ),
    paused: defaulted(z.boolean(), false).describe("No further node is changed."),
    confirmTimeoutSeconds: defaulted(confirmTimeoutSeconds, DEFAULT_CONFIRM_TIMEOUT_SECONDS).describe(
      "A node takes a change back by itself when it has not confirmed within so many seconds that it still reaches what it " +
        "reached before; also in strategy Immediate. Of several policies that change together the longest time counts.",
    ),
  })
  .describe(
    "How a changed policy comes to the nodes. Absent: Progressive, with the defaults of its fields. A policy in mode Observe changes " +
      "nothing, so it comes to all nodes at once, and so do edits of address groups.",
  );

export type Rollout = DeepReadonly<z.output<typeof rolloutSchema>>;

/** What holds where a policy says nothing of it, and for one that is gone. */
export const DEFAULT_ROLLOUT: Rollout = rolloutSchema.parse({});

/**
 * Where a roll-out stands. Canary and Progressing: nodes are being changed. Halted: a node failed. Blocked: there is no canary.
 * Complete: nothing is left to do on nodes that are alive.
 */
export const ROLLOUT_PHASES = ["Canary", "Progressing", "Paused", "Halted", "Blocked", "Complete"] as const;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];

const count = z.int32().min(0);

export const rolloutStatusSchema = z
  .object({
    phase: z
      .enum(ROLLOUT_PHASES)
      .describe(
        "Canary, Progressing: nodes are being changed. Paused: as spec.rollout says. Halted: a node failed. Blocked: no node " +
          "is a canary. Complete: all nodes that are alive enforce it, or could not be told to.",
      ),
    since: z.iso.datetime().describe("When phase last changed."),
    revision: z.string().max(64).optional().describe("Hash of the newest revision, as in PortHardeningNodeState."),
    total: count.describe("Nodes to be changed or changed, those that the policy leaves included."),
    updated: count.describe("Nodes that were handed the newest revision."),
    enforced: count.describe("Of these, nodes that say that it is in force."),
    progressedAt: z.iso
      .datetime()
      .describe(
        "When the last of them came to say so, or the roll-out began or went on: from here progressDeadlineSeconds run.",
      ),
  })
  .describe("How far the newest revision has come.");

export type RolloutStatus = DeepReadonly<z.output<typeof rolloutStatusSchema>>;
