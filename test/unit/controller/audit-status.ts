import type { NodeAuditStatus } from "../../../src/api/audit-status.ts";

type Finding = NodeAuditStatus["top"][number];

export const noFindings = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };

export const redis: Finding = {
  id: "protocols.plaintext-redis",
  severity: "high",
  subject: "tcp 0.0.0.0:6379 redis-server",
  port: 6379,
  evidence: "speaks Redis without TLS",
  remedy: "Set tls-port and port 0 in redis.conf, or bind it to loopback",
  since: "2026-01-01T11:00:00.000Z",
};

/** What an agent says of one policy; `status` replaces parts of it. */
export function nodeAudit(
  policy: string,
  own: Partial<NodeAuditStatus["policies"][number]> = {},
  status: Partial<NodeAuditStatus> = {},
): NodeAuditStatus {
  return {
    auditedAt: "2026-01-01T11:00:00.000Z",
    findings: own.findings ?? noFindings,
    top: [],
    checks: [],
    policies: [{ name: policy, notMet: 0, pending: 0, findings: noFindings, ...own }],
    ...status,
  };
}
