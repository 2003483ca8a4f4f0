/** Where a NodeState's status may be long, and how it is shortened there. */
import { clipText } from "../api/condition.ts";
import type { NodeStateStatus, PolicyOnNode } from "../api/node-state.ts";

type Status = NodeStateStatus;
type Preview = NonNullable<Status["previews"]>[number];
type Audit = NonNullable<Status["audit"]>;

interface Place {
  /** Items, or characters; where there are several lists or texts, of the longest. */
  readonly size: (status: Status) => number;
  /** With at most so much, where it has more. */
  readonly cut: (status: Status, most: number) => Status;
  /** What is counted, behind the numbers; absent: items. */
  readonly unit?: string;
}

const CHARACTERS = " characters";

const longest = (sizes: readonly number[]): number => Math.max(0, ...sizes);

/** Empty where nothing may stay: an ellipsis says no more than that. */
const clip = (text: string, most: number): string => (most === 0 ? "" : clipText(text, most));

const inAudit = (status: Status, change: (audit: Audit) => Partial<Audit>): Status =>
  status.audit === undefined ? status : { ...status, audit: { ...status.audit, ...change(status.audit) } };

const inPolicies = (status: Status, change: (policy: PolicyOnNode) => PolicyOnNode): Status =>
  status.policies === undefined ? status : { ...status, policies: status.policies.map(change) };

const inPreviews = (status: Status, change: (preview: Preview) => Preview): Status =>
  status.previews === undefined ? status : { ...status, previews: status.previews.map(change) };

/** A member of the status that is a list, absent where nothing of it stays. */
function listOf(
  member: "dropped" | "failsafes" | "observed" | "previews" | "probeResults" | "sysctls" | "wouldSet",
): Place {
  return {
    size: (status) => status[member]?.length ?? 0,
    cut: ({ [member]: list = [], ...status }, most) =>
      most === 0 ? status : { ...status, [member]: list.slice(0, most) },
  };
}

/** A text of each policy, absent where nothing of it stays. */
function textOf(member: "message" | "reason"): Place {
  return {
    unit: CHARACTERS,
    size: ({ policies = [] }) => longest(policies.map(({ [member]: text = "" }) => text.length)),
    cut: (status, most) =>
      inPolicies(status, ({ [member]: text, ...policy }) =>
        text === undefined || most === 0 ? policy : { ...policy, [member]: clip(text, most) },
      ),
  };
}

const places = {
  "connections.top": {
    size: ({ connections }) => connections?.top.length ?? 0,
    cut: ({ connections, ...status }, most) =>
      connections === undefined
        ? status
        : { ...status, connections: { ...connections, top: connections.top.slice(0, most) } },
  },
  "listeners.top": {
    size: ({ listeners }) => listeners?.top.length ?? 0,
    cut: ({ listeners, ...status }, most) =>
      listeners === undefined ? status : { ...status, listeners: { ...listeners, top: listeners.top.slice(0, most) } },
  },
  observed: listOf("observed"),
  "observed.topPeers": {
    size: ({ observed = [] }) => longest(observed.map(({ topPeers }) => topPeers.length)),
    cut: ({ observed = [], ...status }, most) => ({
      ...status,
      observed: observed.map((entry) => ({ ...entry, topPeers: entry.topPeers.slice(0, most) })),
    }),
  },
  /** Those that the node showed come first; the others are the same on all nodes. */
  failsafes: listOf("failsafes"),
  dropped: listOf("dropped"),
  "dropped.topPeers": {
    size: ({ dropped = [] }) => longest(dropped.map(({ topPeers = [] }) => topPeers.length)),
    cut: ({ dropped = [], ...status }, most) => ({
      ...status,
      dropped: dropped.map(({ topPeers, ...entry }) =>
        topPeers === undefined ? entry : { ...entry, topPeers: topPeers.slice(0, most) },
      ),
    }),
  },
  /** One that is not named counts as not said, never as "cuts nothing". */
  previews: listOf("previews"),
  "previews.top": {
    size: ({ previews = [] }) => longest(previews.map(({ top = [] }) => top.length)),
    cut: (status, most) =>
      inPreviews(status, ({ top, ...preview }) =>
        top === undefined || most === 0 ? preview : { ...preview, top: top.slice(0, most) },
      ),
  },
  "previews.message": {
    unit: CHARACTERS,
    size: ({ previews = [] }) => longest(previews.map(({ message = "" }) => message.length)),
    cut: (status, most) =>
      inPreviews(status, ({ message, ...preview }) =>
        message === undefined || most === 0 ? preview : { ...preview, message: clip(message, most) },
      ),
  },
  /** The counts stay, so that it is seen that the list is not whole. */
  "unmatched.entries": {
    size: ({ unmatched }) => unmatched?.entries.length ?? 0,
    cut: ({ unmatched, ...status }, most) =>
      unmatched === undefined
        ? status
        : { ...status, unmatched: { ...unmatched, entries: unmatched.entries.slice(0, most) } },
  },
  /** What is left out is written when the controller has taken what stands there. */
  probeResults: listOf("probeResults"),
  wouldSet: listOf("wouldSet"),
  sysctls: listOf("sysctls"),
  "ephemeralPorts.reserved": {
    unit: CHARACTERS,
    size: ({ ephemeralPorts }) => ephemeralPorts?.reserved?.length ?? 0,
    cut: ({ ephemeralPorts: { reserved = "", ...ports } = {}, ...status }, most) => ({
      ...status,
      ephemeralPorts: most === 0 ? ports : { ...ports, reserved: clip(reserved, most) },
    }),
  },
  "drift.last.what": {
    size: ({ drift }) => drift?.last?.what.length ?? 0,
    cut: ({ drift, ...status }, most) =>
      drift?.last === undefined
        ? status
        : { ...status, drift: { ...drift, last: { ...drift.last, what: drift.last.what.slice(0, most) } } },
  },
  "policies.message": textOf("message"),
  "policies.reason": textOf("reason"),
  "policies.existingConnections": {
    size: ({ policies = [] }) => policies.filter((policy) => policy.existingConnections !== undefined).length,
    cut: (status) => inPolicies(status, ({ existingConnections: _, ...policy }) => policy),
  },
  "policies.existingConnections.top": {
    size: ({ policies = [] }) =>
      longest(policies.map(({ existingConnections }) => existingConnections?.top?.length ?? 0)),
    cut: (status, most) =>
      inPolicies(status, ({ existingConnections, ...policy }) => {
        if (existingConnections === undefined) return policy;
        const { top = [], ...counts } = existingConnections;
        return { ...policy, existingConnections: most === 0 ? counts : { ...counts, top: top.slice(0, most) } };
      }),
  },
  "conditions.message": {
    unit: CHARACTERS,
    size: ({ conditions = [] }) => longest(conditions.map(({ message }) => message.length)),
    cut: ({ conditions = [], ...status }, most) => ({
      ...status,
      conditions: conditions.map((condition) => ({ ...condition, message: clip(condition.message, most) })),
    }),
  },
  /** Ready is the first. */
  conditions: {
    size: ({ conditions = [] }) => conditions.length,
    cut: ({ conditions = [], ...status }, most) => ({ ...status, conditions: conditions.slice(0, most) }),
  },
  "audit.top": {
    size: ({ audit }) => audit?.top.length ?? 0,
    cut: (status, most) => inAudit(status, ({ top }) => ({ top: top.slice(0, most) })),
  },
  "audit.checks.reason": {
    unit: CHARACTERS,
    size: ({ audit }) => longest((audit?.checks ?? []).map(({ reason = "" }) => reason.length)),
    cut: (status, most) =>
      inAudit(status, ({ checks }) => ({
        checks: checks.map(({ reason, ...check }) =>
          reason === undefined || most === 0 ? check : { ...check, reason: clip(reason, most) },
        ),
      })),
  },
  "audit.checks": {
    size: ({ audit }) => audit?.checks.length ?? 0,
    cut: (status, most) => inAudit(status, ({ checks }) => ({ checks: checks.slice(0, most) })),
  },
  /** A policy that is not named counts as not audited, never as passed: those go first of which there is nothing to say. */
  "audit.policies": {
    size: ({ audit }) => audit?.policies.length ?? 0,
    cut: (status, most) =>
      inAudit(status, ({ policies }) => ({
        policies: policies.toSorted((a, b) => Number(b.notMet > 0) - Number(a.notMet > 0)).slice(0, most),
      })),
  },
} as const satisfies Readonly<Record<string, Place>>;

export type PlaceName = keyof typeof places;
export const PLACES: Readonly<Record<PlaceName, Place>> = places;
