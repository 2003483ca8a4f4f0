import { SEVERITIES, type Severity } from "../api/audit.ts";
import { clipText } from "../api/condition.ts";
import type { AuditState, CheckState, StandingFinding } from "../audit/audit-state.ts";
import { resources } from "../kube/resources.ts";
import type { KubeObject } from "../kube/types.ts";
import { storedBytes } from "./stored-bytes.ts";

/** Results of a report; what is more is counted in its summary. */
export const RESULTS_MAX = 1_000;
/** As the API server keeps it. etcd takes 1.5 MiB (--max-request-bytes). */
export const REPORT_MAX_BYTES = 1024 * 1024;
/** Left for all that is no finding: metadata with managedFields, results of checks. */
const OTHER_BYTES = 64 * 1024;

/** Whose report it is: without this label a report of the node's name is somebody else's. */
export const OWN_LABEL = { "app.kubernetes.io/managed-by": "port-hardening" } as const;
const AUDITED_AT = "porthardening.io/audited-at";

/** A ClusterReport of openreports.io/v1alpha1, as far as we fill it. */
export interface ClusterReport extends KubeObject {
  readonly source: string;
  readonly scope: { readonly apiVersion: "v1"; readonly kind: "Node"; readonly name: string };
  readonly configuration: { readonly limits: { readonly maxResults: number } };
  readonly summary: Readonly<Record<ReportResult["result"] | "error", number>>;
  readonly results: readonly ReportResult[];
}

export interface ReportResult {
  /** The check. */
  readonly policy: string;
  /** The finding's id. */
  readonly rule?: string;
  /** The practice. */
  readonly category: string;
  readonly result: "pass" | "fail" | "warn" | "skip";
  readonly severity?: Severity;
  readonly message?: string;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  readonly properties?: Readonly<Record<string, string>>;
}

/** The node, and the uid of its NodeState: the report goes with that. */
export interface ReportOwner {
  readonly nodeName: string;
  readonly nodeStateUid: string;
}

/** One node's findings, the most urgent first, then the checks that could not look, then those that found nothing. Pure. */
export function auditReport(state: AuditState, { nodeName, nodeStateUid }: ReportOwner): ClusterReport {
  const found = state.findings.map(findingResult);
  const checks = [...state.checks.flatMap(notChecked), ...state.checks.flatMap((check) => passed(check, state))];
  const { group, version, kind } = resources.clusterReports;
  const owner = resources.nodeStates;
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      name: nodeName,
      labels: OWN_LABEL,
      ...(state.auditedAt === undefined
        ? {}
        : { annotations: { [AUDITED_AT]: new Date(state.auditedAt).toISOString() } }),
      ownerReferences: [
        { apiVersion: `${owner.group}/${owner.version}`, kind: owner.kind, name: nodeName, uid: nodeStateUid },
      ],
    },
    source: "port-hardening",
    scope: { apiVersion: "v1", kind: "Node", name: nodeName },
    configuration: { limits: { maxResults: RESULTS_MAX } },
    summary: summaryOf([...found, ...checks]),
    results: [...withRoom(found, RESULTS_MAX - checks.length), ...checks],
  };
}

function findingResult(finding: StandingFinding): ReportResult {
  const { check, practice, id, severity, subject, port, evidence, remedy, since } = finding;
  return {
    policy: check,
    rule: id,
    category: practice,
    // The API's warn is for what does not count against one: worth knowing, not in itself a failure.
    result: SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf("low") ? "warn" : "fail",
    severity,
    message: clipText(`${subject}: ${evidence}`, 400),
    timestamp: timestamp(since),
    properties: {
      subject: clipText(subject, 128),
      remedy: clipText(remedy, 200),
      ...(port === undefined ? {} : { port: `${port}` }),
    },
  };
}

function notChecked({ name, practice, at, result }: CheckState): ReportResult[] {
  if (result.status === "Checked") return [];
  const message = clipText(result.reason, 256);
  return [{ policy: name, category: practice, result: "skip", message, timestamp: timestamp(at) }];
}

/** A check passed that looked and of which no finding stands. */
function passed({ name, practice, at, result }: CheckState, { findings }: AuditState): ReportResult[] {
  if (result.status === "NotChecked" || findings.some(({ check }) => check === name)) return [];
  const message = `Nothing found; examined: ${result.examined}.`;
  return [{ policy: name, category: practice, result: "pass", message, timestamp: timestamp(at) }];
}

function timestamp(milliseconds: number): ReportResult["timestamp"] {
  return { seconds: Math.floor(milliseconds / 1000), nanos: 0 };
}

function summaryOf(results: readonly ReportResult[]): ClusterReport["summary"] {
  const summary = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  for (const { result } of results) summary[result] += 1;
  return summary;
}

/** As many of the first as fit by number and by size. */
function withRoom(results: readonly ReportResult[], most: number): ReportResult[] {
  let left = REPORT_MAX_BYTES - OTHER_BYTES;
  const fits: ReportResult[] = [];
  for (const result of results.slice(0, most)) {
    left -= storedBytes(result) + 1;
    if (left < 0) break;
    fits.push(result);
  }
  return fits;
}
