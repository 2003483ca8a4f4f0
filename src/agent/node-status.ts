import type { ComingOnNode } from "../api/coming.ts";
import { type Condition, clipText, setCondition } from "../api/condition.ts";
import type { DroppedOnNode } from "../api/dropped.ts";
import type { FailsafeOnNode } from "../api/failsafes-on-node.ts";
import { DRIFT_ITEMS_MAX, NODE_SYSCTLS_MAX, type NodeStateStatus } from "../api/node-state.ts";
import type { ObservedOnNode, WantedOnNode } from "../api/observed.ts";
import type { PodCounts } from "../api/pods.ts";
import { SKIP_ANNOTATION } from "../api/skip.ts";
import type { UnmatchedOnNode } from "../api/unmatched.ts";
import type { KernelFacts } from "../kernel/kernel.ts";
import type { ExistingConnections } from "../plan/existing.ts";
import { numbersOf, PLAN_FORMATS } from "../plan/plan-formats.ts";
import {
  formatReservedPorts,
  LOCAL_PORT_RANGE,
  LOCAL_RESERVED_PORTS,
  parseLocalPortRange,
} from "../plan/port-sysctls.ts";

import type { PolicyRevision } from "./assigned-policies.ts";
import type { AuditParts } from "./audit-status.ts";
import type { Repair } from "./drift-guard.ts";
import type { MeasuringStatus } from "./peer-measuring.ts";

/** One policy as it stands on this node. */
export interface PolicyOutcome extends PolicyRevision {
  readonly state: "Pending" | "Enforced" | "Failed" | "RolledBack" | "NotEnforceable";
  readonly reason: string;
  readonly message: string;
  readonly droppedPackets: number;
  readonly existingConnections?: ExistingConnections;
  readonly wouldDropPackets?: number | undefined;
  readonly wouldOpenPackets?: number | undefined;
}

export const NODE_PROBLEMS = [
  "Drifting",
  "StateNotSaved",
  "ExistingUnknown",
  "RolledBack",
  "Disengaged",
  "ChangesNotSeen",
] as const;

/** Something of the whole node that a person should know; absent from status where it is not so. */
export interface NodeProblem {
  readonly type: (typeof NODE_PROBLEMS)[number];
  readonly reason: string;
  readonly message: string;
}

/** What was read back last; `written` is the last time that something had to be written for it. */
export interface ReadBack {
  readonly hash: string;
  readonly written?: { readonly at: number; readonly milliseconds: number };
}

/** All that the agent knows of its node at one moment. */
export interface Observation {
  readonly generation: number | undefined;
  /** Somebody had the controller leave the node out. */
  readonly skipped: boolean;
  readonly agentVersion: string;
  readonly facts: KernelFacts | undefined;
  readonly policies: readonly PolicyOutcome[];
  /** What no single policy can be charged with. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly problems: readonly NodeProblem[];
  /** As measured, port sysctls included. */
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  /** What passes before any policy, as the kernel holds it. */
  readonly failsafes: readonly FailsafeOnNode[];
  /** What policies in mode Observe would change. */
  readonly observed: readonly ObservedOnNode[];
  readonly wouldSet: readonly WantedOnNode[];
  /** undefined: nobody counted. */
  readonly pods: PodCounts | undefined;
  readonly dropped: readonly DroppedOnNode[];
  /** Absent: no entry is in force. */
  readonly unmatched?: UnmatchedOnNode | undefined;
  readonly readBack: ReadBack | undefined;
  readonly repairs: number;
  readonly lastRepair: Repair | undefined;
  readonly audits: AuditParts;
  /** What peers are to measure of this node, and what it measured for others. */
  readonly measuring: MeasuringStatus;
  /** What revisions would cut whose turn has not come; undefined: nobody looks. */
  readonly previews: readonly ComingOnNode[] | undefined;
}

/** The status that says `seen`. Times of things that did not change since `before` stay. Pure. */
export function nodeStatus(seen: Observation, before: NodeStateStatus | undefined, now: number): NodeStateStatus {
  const { facts } = seen;
  return {
    ...(seen.generation === undefined ? {} : { observedGeneration: seen.generation }),
    conditions: conditions(seen, before?.conditions ?? [], new Date(now)),
    agentVersion: clipText(seen.agentVersion, 64),
    planFormats: numbersOf(PLAN_FORMATS),
    ...(facts === undefined
      ? {}
      : {
          backend: clipText(`${facts.backend} ${facts.iptablesVersion}`, 64),
          kernelVersion: clipText(facts.kernelVersion, 128),
        }),
    counts: {
      assigned: seen.policies.length,
      enforced: seen.policies.filter(({ state }) => state === "Enforced").length,
      failed: seen.policies.filter(({ state }) => state === "Failed" || state === "RolledBack").length,
    },
    policies: seen.policies.map(({ message, ...policy }) => {
      const then = before?.policies?.find(({ name }) => name === policy.name);
      const same = then?.state === policy.state && then.hash === policy.hash && then.uid === policy.uid;
      return {
        ...policy,
        ...(message === "" ? {} : { message: clipText(message) }),
        since: same ? then.since : new Date(now).toISOString(),
      };
    }),
    ...(seen.previews === undefined ? {} : { previews: [...seen.previews] }),
    ...measured(seen),
    ...(seen.failsafes.length === 0 ? {} : { failsafes: [...seen.failsafes] }),
    ...(seen.observed.length === 0 ? {} : { observed: [...seen.observed] }),
    ...(seen.wouldSet.length === 0 ? {} : { wouldSet: [...seen.wouldSet] }),
    ...(seen.dropped.length === 0 ? {} : { dropped: [...seen.dropped] }),
    ...(seen.unmatched === undefined ? {} : { unmatched: seen.unmatched }),
    ...lastWrite(seen.readBack, before),
    ...seen.audits,
    ...seen.measuring,
    drift: { count: seen.repairs, ...lastDrift(seen.lastRepair, before) },
  };
}

function conditions(seen: Observation, before: readonly Condition[], now: Date): readonly Condition[] {
  const generation = seen.generation === undefined ? {} : { observedGeneration: seen.generation };
  const still = before.filter(({ type }) => type === "Ready" || seen.problems.some((problem) => problem.type === type));
  return [
    { type: "Ready", ...ready(seen) },
    ...seen.problems.map((problem) => ({ status: "True" as const, ...problem })),
  ].reduce<readonly Condition[]>((all, next) => setCondition(all, { ...next, ...generation }, now), still);
}

function ready({ policies, failure, skipped }: Observation): Pick<Condition, "status" | "reason" | "message"> {
  if (failure !== undefined) return { status: "False", ...failure };
  const failed = policies.find(({ state }) => state !== "Enforced" && state !== "Pending");
  if (failed !== undefined) {
    return { status: "False", reason: failed.reason, message: `policy ${failed.name}: ${failed.message}` };
  }
  const pending = policies.find(({ state }) => state === "Pending");
  if (pending !== undefined) {
    return { status: "False", reason: pending.reason, message: `policy ${pending.name}: ${pending.message}` };
  }
  if (policies.length === 0 && skipped) {
    const message = `left out: the Node's annotation ${SKIP_ANNOTATION} is true`;
    return { status: "True", reason: "Skipped", message };
  }
  if (policies.length === 0)
    return { status: "True", reason: "NothingAssigned", message: "no policy selects this node" };
  return { status: "True", reason: "Enforced", message: `${policies.length} read back from the kernel` };
}

function measured({
  sysctls: values,
  pods,
}: Pick<Observation, "sysctls" | "pods">): Pick<NodeStateStatus, "ephemeralPorts" | "sysctls"> {
  const range = values.get(LOCAL_PORT_RANGE);
  const reserved = values.get(LOCAL_RESERVED_PORTS);
  const others = [...values].flatMap(([key, value]) =>
    value === undefined || key === LOCAL_PORT_RANGE || key === LOCAL_RESERVED_PORTS
      ? []
      : [{ key, value: clipText(value, 256) }],
  );
  return {
    ephemeralPorts: {
      ...(range === undefined ? {} : { range: formatReservedPorts([parseLocalPortRange(range)]) }),
      ...(reserved === undefined ? {} : { reserved: clipText(reserved, 4096) }),
      ...(pods === undefined ? {} : { pods }),
    },
    sysctls: others.slice(0, NODE_SYSCTLS_MAX),
  };
}

function lastWrite(
  readBack: ReadBack | undefined,
  before: NodeStateStatus | undefined,
): Pick<NodeStateStatus, "readBackHash" | "appliedAt" | "applyMilliseconds"> {
  if (readBack === undefined) return {};
  const { appliedAt, applyMilliseconds } = before ?? {};
  const { written } = readBack;
  return {
    readBackHash: readBack.hash,
    ...(written === undefined
      ? {
          ...(appliedAt === undefined ? {} : { appliedAt }),
          ...(applyMilliseconds === undefined ? {} : { applyMilliseconds }),
        }
      : { appliedAt: new Date(written.at).toISOString(), applyMilliseconds: Math.round(written.milliseconds) }),
  };
}

function lastDrift(
  repair: Repair | undefined,
  before: NodeStateStatus | undefined,
): Pick<NonNullable<NodeStateStatus["drift"]>, "last"> {
  if (repair === undefined) return before?.drift?.last === undefined ? {} : { last: before.drift.last };
  return {
    last: {
      at: new Date(repair.at).toISOString(),
      ...(repair.by === undefined ? {} : { by: clipText(repair.by, 256) }),
      what: repair.what.slice(0, DRIFT_ITEMS_MAX).map((text) => clipText(text, 256)),
      repairedMilliseconds: Math.max(0, Math.round(repair.milliseconds)),
    },
  };
}
