/** What all policies of a node ask its audit: the strictest of them, and who asked. */
import type { Practice } from "../api/audit.ts";
import { unionPorts } from "./ports.ts";
import { compareText } from "./text-order.ts";
import type { AssignedPolicy, Level, Plan, PlanListener, PortRange } from "./types.ts";

export type Levels = Readonly<Record<Practice, Level>>;

/** What one policy asks: a finding is its own where it looks at the practice, on one of its ports or on none. */
export interface PolicyAudit {
  readonly policy: string;
  readonly levels: Levels;
  /** Those of its inbound firewall; absent there: 1024-65535. */
  readonly ports: readonly PortRange[];
}

export interface NodeAudit {
  /** By name. */
  readonly policies: readonly PolicyAudit[];
  /** The strictest. */
  readonly levels: Levels;
  readonly protectedPorts: readonly PortRange[];
  /** Those of the policies that look at the practice: on others nobody asked for it, so nothing is probed or found there. */
  readonly portsOf: Readonly<Record<Practice, readonly PortRange[]>>;
  /** Absent: no policy says what is meant to listen. */
  readonly expected?: readonly PlanListener[];
  readonly skipProbes: readonly PortRange[];
  /** Cron, five fields, UTC; each once. */
  readonly schedules: readonly string[];
  /** The policies that want automatic updates to be switched on. */
  readonly ensureAutomaticUpdates: readonly string[];
}

const EPHEMERAL: readonly PortRange[] = [{ from: 1024, to: 65535 }];

/** undefined: nobody asks for anything. */
export function nodeAudit(assigned: readonly Pick<AssignedPolicy, "name" | "plan">[]): NodeAudit | undefined {
  const asking = assigned
    .filter(({ plan }) => plan.audit !== undefined || plan.monitoring?.listeners !== undefined)
    .toSorted((a, b) => compareText(a.name, b.name));
  if (asking.length === 0) return undefined;
  const policies = asking.map(({ name, plan }) => ({
    policy: name,
    levels: levelsOf(plan),
    ports: plan.inbound?.ports ?? EPHEMERAL,
  }));
  const listeners = asking.flatMap(({ plan }) => plan.monitoring?.listeners ?? []);
  return {
    policies,
    levels: eachPractice((practice) => strictest(policies.map(({ levels }) => levels[practice]))),
    protectedPorts: unionPorts(...policies.map(({ ports }) => ports)),
    portsOf: eachPractice((practice) =>
      unionPorts(...policies.filter(({ levels }) => levels[practice] !== "Ignore").map(({ ports }) => ports)),
    ),
    ...(listeners.length === 0 ? {} : { expected: listeners.flatMap(({ expected }) => expected) }),
    skipProbes: unionPorts(...asking.map(({ plan }) => plan.audit?.skipProbes ?? [])),
    schedules: [...new Set(asking.flatMap(({ plan }) => plan.audit?.schedule ?? []))].toSorted(compareText),
    ensureAutomaticUpdates: asking
      .filter(({ plan }) => plan.audit?.automaticUpdates === "Ensure")
      .map(({ name }) => name),
  };
}

function levelsOf({ audit, monitoring }: Plan): Levels {
  const automatic = audit?.automaticUpdates ?? "Ignore";
  return {
    listeners: monitoring?.listeners?.unexpected ?? "Ignore",
    capacity: "Report",
    accessControl: audit?.mandatoryAccessControl ?? "Ignore",
    pendingUpdates: audit?.pendingUpdates ?? "Ignore",
    automaticUpdates: automatic === "Ensure" ? "Required" : automatic,
    protocols: audit?.plaintextProtocols ?? "Ignore",
    exposure: audit?.exposure ?? "Ignore",
  };
}

export function eachPractice<T>(of: (practice: Practice) => T): Readonly<Record<Practice, T>> {
  return {
    listeners: of("listeners"),
    capacity: of("capacity"),
    accessControl: of("accessControl"),
    pendingUpdates: of("pendingUpdates"),
    automaticUpdates: of("automaticUpdates"),
    protocols: of("protocols"),
    exposure: of("exposure"),
  };
}

function strictest(levels: readonly Level[]): Level {
  if (levels.includes("Required")) return "Required";
  return levels.includes("Report") ? "Report" : "Ignore";
}
