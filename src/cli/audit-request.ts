import { hostname } from "node:os";
import { auditSettings, portText } from "../agent/audit-settings.ts";
import type { Check } from "../audit/check.ts";
import { exposureWithoutPeers } from "../audit/exposure/exposure-check.ts";
import type { HostView } from "../audit/host-view.ts";
import type { ExpectedListener } from "../audit/listeners/expected.ts";
import { observeInterfaces } from "../audit/listeners/interfaces.ts";
import { CHECKS } from "../audit/registry.ts";
import { type AuditSettings, DEFAULT_PROTECTED_PORTS } from "../audit/settings.ts";
import { type NodeAudit, nodeAudit, type PolicyAudit } from "../plan/node-audit.ts";
import { reachJudge } from "../plan/reach.ts";
import type { Labels } from "../plan/select.ts";
import type { SkippedProbes } from "./audit-options.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeIdentity } from "./node-labels.ts";
import { nodePlan } from "./node-rules.ts";

/** What an audit is asked for on the command line. */
export interface AuditFlags {
  readonly filename?: readonly string[];
  readonly node?: string;
  readonly nodeLabels: Labels;
  readonly expect?: readonly ExpectedListener[];
  readonly skipProbes: SkippedProbes;
  readonly probeUnreached?: true;
}

/** The same, with what policies ask. */
export interface AuditRequest {
  readonly settings: AuditSettings;
  readonly checks: readonly Check[];
  /** Empty where no policy asks for an audit: then everything is looked at. */
  readonly policies: readonly PolicyAudit[];
  /** What the reader should know of it, a sentence each. */
  readonly notes: readonly string[];
}

/** Throws where files cannot be read, or hold something that is not valid. */
export async function auditRequest(flags: AuditFlags, host: HostView): Promise<AuditRequest> {
  const { filename } = flags;
  if (filename === undefined) return { ...noPolicies(flags), notes: [] };
  const { policies, groups, nodes } = await loadObjects(filename);
  const identity = nodeIdentity(flags.node ?? hostname(), flags.nodeLabels, nodes);
  const { assigned, plan, notes } = nodePlan(policies, groups, identity, nodes);
  const judge = reachJudge(plan, await observeInterfaces(host));
  const asked = nodeAudit(assigned);
  if (asked !== undefined) return { ...ofPolicies(asked, flags, judge), notes };
  const ports = assigned.flatMap(({ plan: { inbound } }) => inbound?.ports ?? []);
  const { settings, ...rest } = noPolicies(flags);
  const protectedPorts = ports.length === 0 ? settings.protectedPorts : ports.map(portText);
  return { ...rest, settings: { ...settings, protectedPorts, judge }, notes };
}

function noPolicies({ expect, skipProbes, probeUnreached }: AuditFlags): Omit<AuditRequest, "notes"> {
  const settings: AuditSettings = {
    protectedPorts: DEFAULT_PROTECTED_PORTS,
    ...(expect !== undefined && { expected: expect }),
    skipProbes: skipProbes === "all" ? [] : skipProbes,
    ...(probeUnreached && { probeUnreached }),
    judge: () => "Unknown",
  };
  return { settings, checks: CHECKS, policies: [] };
}

function ofPolicies(asked: NodeAudit, flags: AuditFlags, judge: AuditSettings["judge"]): Omit<AuditRequest, "notes"> {
  const { settings } = noPolicies(flags);
  const theirs = auditSettings(asked, judge);
  const { portsOf, protectedPorts } = theirs;
  const expected = [...(theirs.expected ?? []), ...(flags.expect ?? [])];
  // Who names listeners on the command line wants to hear of others, on all ports.
  const names = flags.expect !== undefined;
  return {
    settings: {
      ...settings,
      ...theirs,
      ...(names && portsOf !== undefined && { portsOf: { ...portsOf, listeners: protectedPorts } }),
      ...((asked.expected ?? flags.expect) !== undefined && { expected }),
      skipProbes: [...settings.skipProbes, ...theirs.skipProbes],
    },
    checks: [...CHECKS, exposureWithoutPeers].filter(
      ({ practice }) => asked.levels[practice] !== "Ignore" || (practice === "listeners" && names),
    ),
    policies: asked.policies,
  };
}
