import { bad, good, many, type Sample } from "./sample.ts";
import { AT, findings, long, node, text } from "./status-sample.ts";

const counts = { notMet: 1, pending: 0, findings };

const finding = {
  id: "protocols.plaintext-redis",
  severity: "high",
  subject: "tcp 0.0.0.0:6379 redis-server",
  port: 6379,
  evidence: "answered PING with +PONG",
  remedy: "Use tls-port and port 0, or bind it to loopback",
  since: "2026-11-20T11:12:13.456Z",
};
const checked = {
  name: "pending-updates",
  practice: "pendingUpdates",
  status: "Checked",
  examined: 3,
  findings: 1,
  at: AT,
};
const notChecked = { name: "confinement", practice: "accessControl", status: "NotChecked", reason: "no /sys", at: AT };
const full = {
  auditedAt: AT,
  dueAt: "2026-11-24T03:11:00Z",
  request: "2026-11-23T02:59:00Z",
  findings,
  top: [finding],
  checks: [checked, notChecked],
  policies: [{ name: "workers", ...counts }],
};
const audit = (fields: object) => node({ audit: { ...full, ...fields } });
const auditTop = (fields: object) => audit({ top: [{ ...finding, ...fields }] });
const check = (fields: object) => audit({ checks: [{ ...checked, ...fields }] });

const ATTOP = "status.audit.top[0]";
const ATCHECK = "status.audit.checks[0]";

export const auditStatusSamples: readonly Sample[] = [
  good("what an audit found", audit({})),
  good("an audit that never was complete", node({ audit: { findings, top: [], checks: [], policies: [] } })),
  good("a finding about no port", auditTop({ port: undefined })),
  good(
    "a finding with texts as long as may be",
    auditTop({ id: text(64), subject: text(128), evidence: text(200), remedy: text(200) }),
  ),
  good("20 findings", audit({ top: many(20, () => finding) })),
  good("64 policies audited", audit({ policies: many(64, (n) => ({ name: `p${n}`, ...counts })) })),
  good("16 checks", audit({ checks: many(16, (n) => ({ ...checked, name: `c${n}` })) })),
  bad("21 findings", audit({ top: many(21, () => finding) }), "status.audit.top", "at most 20 items"),
  bad(
    "65 policies audited",
    audit({ policies: many(65, (n) => ({ name: `p${n}`, ...counts })) }),
    "status.audit.policies",
    "at most 64 items",
  ),
  bad(
    "17 checks",
    audit({ checks: many(17, (n) => ({ ...checked, name: `c${n}` })) }),
    "status.audit.checks",
    "at most 16 items",
  ),
  bad("a check twice", audit({ checks: [checked, checked] }), "status.audit.checks[1]", "Duplicate value"),
  bad(
    "a policy audited twice",
    audit({ policies: [full.policies[0], full.policies[0]] }),
    "status.audit.policies[1]",
    "Duplicate value",
  ),
  bad(
    "an unknown severity",
    auditTop({ severity: "severe" }),
    `${ATTOP}.severity`,
    "must be critical or high",
    "supported values",
  ),
  bad(
    "a finding without evidence",
    auditTop({ evidence: undefined }),
    `${ATTOP}.evidence`,
    "is required",
    "Required value",
  ),
  bad(
    "a finding that begins at no time",
    auditTop({ since: "yesterday" }),
    `${ATTOP}.since`,
    "Invalid ISO datetime",
    "must be of type date-time",
  ),
  bad(
    "a finding about port 0",
    auditTop({ port: 0 }),
    `${ATTOP}.port`,
    "must be at least 1",
    "should be greater than or equal to 1",
  ),
  long("evidence", auditTop({ evidence: text(201) }), `${ATTOP}.evidence`, 200),
  long("a remedy", auditTop({ remedy: text(201) }), `${ATTOP}.remedy`, 200),
  long("a subject", auditTop({ subject: text(129) }), `${ATTOP}.subject`, 128),
  long("an id", auditTop({ id: text(65) }), `${ATTOP}.id`, 64),
  long("the answer to a request", audit({ request: text(65) }), "status.audit.request", 64),
  bad(
    "a check for no practice",
    check({ practice: "updates" }),
    `${ATCHECK}.practice`,
    "must be listeners or",
    "supported values",
  ),
  bad(
    "a check that passed",
    check({ status: "Passed" }),
    `${ATCHECK}.status`,
    "must be Checked or NotChecked",
    "supported values",
  ),
  bad("a check at no time", check({ at: undefined }), `${ATCHECK}.at`, "is required", "Required value"),
  bad(
    "a check of no name",
    check({ name: "Pending Updates" }),
    `${ATCHECK}.name`,
    "must be a DNS label",
    "should match",
  ),
  bad(
    "fewer findings than none",
    check({ findings: -1 }),
    `${ATCHECK}.findings`,
    "must be at least 0",
    "should be greater than or equal to 0",
  ),
  long("why a check was not made", check({ status: "NotChecked", reason: text(257) }), `${ATCHECK}.reason`, 256),
  bad(
    "findings without those that only inform",
    audit({ findings: { ...findings, info: undefined } }),
    "status.audit.findings.info",
    "is required",
    "Required value",
  ),
];
