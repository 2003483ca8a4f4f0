import { Registry } from "prom-client";
import { expect, it } from "vitest";
import type { PolicyStatus } from "../../../src/api/policy.ts";
import { policyMetrics } from "../../../src/controller/policy-metrics.ts";
import { store } from "./facts.ts";

/** Lines of the exposition that are samples, sorted. */
async function samples(policies: readonly { name: string; status: PolicyStatus | undefined }[]): Promise<string[]> {
  const registry = new Registry();
  policyMetrics(registry, () => store(policies));
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).toSorted();
}

it("says of each policy what became of the nodes that it selects, each of them once", async () => {
  const nodes = { selected: 10, enforced: 4, failed: 1, unknown: 2, notEnforceable: 1, outdated: 1 };
  expect(await samples([{ name: "p", status: { nodes } }])).toEqual([
    'port_hardening_policy_nodes{policy="p",outcome="Enforced"} 4',
    'port_hardening_policy_nodes{policy="p",outcome="Failed"} 1',
    'port_hardening_policy_nodes{policy="p",outcome="NotEnforceable"} 1',
    'port_hardening_policy_nodes{policy="p",outcome="Outdated"} 1',
    'port_hardening_policy_nodes{policy="p",outcome="Pending"} 1',
    'port_hardening_policy_nodes{policy="p",outcome="Unknown"} 2',
  ]);
});

it("says where the roll-out of each policy stands", async () => {
  const at = "2026-01-01T03:00:00Z";
  const rollout = { phase: "Canary" as const, since: at, progressedAt: at, total: 9, updated: 1, enforced: 0 };
  const lines = await samples([{ name: "p", status: { rollout } }]);
  expect(lines.filter((line) => line.endsWith(" 1"))).toEqual([
    'port_hardening_policy_rollout_phase{policy="p",phase="Canary"} 1',
    'port_hardening_policy_rollout_updated_nodes{policy="p"} 1',
  ]);
  expect(lines).toContain('port_hardening_policy_rollout_phase{policy="p",phase="Halted"} 0');
});

it("says what audits found where the policy has audits, zeros too", async () => {
  const audit = {
    summary: "3 findings, 1 high",
    audited: 2,
    notMet: 1,
    findings: { critical: 0, high: 1, medium: 2, low: 0, info: 0 },
    auditedAt: "2026-01-01T03:00:00Z",
  };
  expect(await samples([{ name: "p", status: { audit } }])).toEqual([
    'port_hardening_policy_audit_findings{policy="p",severity="critical"} 0',
    'port_hardening_policy_audit_findings{policy="p",severity="high"} 1',
    'port_hardening_policy_audit_findings{policy="p",severity="info"} 0',
    'port_hardening_policy_audit_findings{policy="p",severity="low"} 0',
    'port_hardening_policy_audit_findings{policy="p",severity="medium"} 2',
    'port_hardening_policy_audit_not_met_nodes{policy="p"} 1',
    `port_hardening_policy_audit_oldest_timestamp_seconds{policy="p"} ${Date.parse(audit.auditedAt) / 1000}`,
    'port_hardening_policy_audited_nodes{policy="p"} 2',
  ]);
});

it("says nothing of a policy whose status was not written yet", async () => {
  expect(await samples([{ name: "p", status: undefined }])).toEqual([]);
});
