import { Gauge, type Registry } from "prom-client";
import { SEVERITIES } from "../api/audit.ts";
import { ROLLOUT_PHASES } from "../api/rollout.ts";
import type { Store } from "../kube/types.ts";
import type { PolicyFacts } from "./policy-facts.ts";

type Published = NonNullable<PolicyFacts["status"]>;

/** What policies' statuses say, as published; one series for each policy and outcome, whatever the number of nodes. */
export function policyMetrics(registry: Registry, policies: () => Store<Pick<PolicyFacts, "name" | "status">>): void {
  function gauge<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    values: (status: Published) => readonly (readonly [Readonly<Record<Label, string>>, number])[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames: ["policy", ...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const { name: policy, status } of policies().list()) {
          if (status === undefined) continue;
          for (const [more, value] of values(status)) this.set({ policy, ...more }, value);
        }
      },
    });
  }

  gauge(
    "port_hardening_policy_nodes",
    "Nodes that a policy selects, by what became of it there. Unknown: not ready, or silent for three minutes.",
    ["outcome"],
    ({ nodes }) => (nodes === undefined ? [] : byOutcome(nodes)),
  );
  gauge(
    "port_hardening_policy_rollout_phase",
    "Where the roll-out of a policy stands: 1 for its phase, 0 for the others.",
    ["phase"],
    ({ rollout }) =>
      rollout === undefined ? [] : ROLLOUT_PHASES.map((phase) => [{ phase }, rollout.phase === phase ? 1 : 0] as const),
  );
  gauge(
    "port_hardening_policy_rollout_updated_nodes",
    "Nodes that were handed the newest revision of a policy.",
    [],
    ({ rollout }) => (rollout === undefined ? [] : [[{}, rollout.updated]]),
  );
  gauge(
    "port_hardening_policy_audit_findings",
    "Findings of audits that are a policy's, summed over its nodes.",
    ["severity"],
    ({ audit }) =>
      audit === undefined ? [] : SEVERITIES.map((severity) => [{ severity }, audit.findings[severity]] as const),
  );
  gauge(
    "port_hardening_policy_audited_nodes",
    "Nodes on which every check that a policy asks for was tried.",
    [],
    ({ audit }) => (audit === undefined ? [] : [[{}, audit.audited]]),
  );
  gauge(
    "port_hardening_policy_audit_not_met_nodes",
    "Nodes on which something that a policy requires is not so, or could not be checked.",
    [],
    ({ audit }) => (audit === undefined ? [] : [[{}, audit.notMet]]),
  );
  gauge(
    "port_hardening_policy_audit_oldest_timestamp_seconds",
    "When the node of a policy that was audited longest ago was audited.",
    [],
    ({ audit }) => (audit?.auditedAt === undefined ? [] : [[{}, Date.parse(audit.auditedAt) / 1000]]),
  );
}

function byOutcome({
  selected,
  enforced,
  failed,
  unknown,
  notEnforceable = 0,
  outdated = 0,
}: NonNullable<Published["nodes"]>) {
  const pending = Math.max(0, selected - enforced - failed - unknown - notEnforceable - outdated);
  return [
    [{ outcome: "Enforced" }, enforced],
    [{ outcome: "Failed" }, failed],
    [{ outcome: "NotEnforceable" }, notEnforceable],
    [{ outcome: "Outdated" }, outdated],
    [{ outcome: "Unknown" }, unknown],
    [{ outcome: "Pending" }, pending],
  ] as const;
}
