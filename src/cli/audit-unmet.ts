import type { CheckReport } from "../audit/run-audit.ts";
import type { PolicyAudit } from "../plan/node-audit.ts";

/** A check of a practice that policies require, and that is not as they do. */
export interface Unmet {
  readonly check: string;
  /** Names of the policies. */
  readonly policies: readonly string[];
  /** On their ports, or about the whole host; undefined: it could not be made. */
  readonly findings: number | undefined;
}

export function unmetOf(reports: readonly CheckReport[], policies: readonly PolicyAudit[]): readonly Unmet[] {
  return reports.flatMap(({ name, practice, result }): Unmet[] => {
    const requiring = policies.filter(({ levels }) => levels[practice] === "Required");
    const namesOf = (some: readonly PolicyAudit[]) => some.map(({ policy }) => policy);
    if (requiring.length === 0) return [];
    if (result.status === "NotChecked") return [{ check: name, policies: namesOf(requiring), findings: undefined }];
    const theirs = result.findings.filter(({ port }) => requiring.some((policy) => concerns(policy, port)));
    if (theirs.length === 0) return [];
    const concerned = requiring.filter((policy) => theirs.some(({ port }) => concerns(policy, port)));
    return [{ check: name, policies: namesOf(concerned), findings: theirs.length }];
  });
}

function concerns({ ports }: PolicyAudit, port: number | undefined): boolean {
  return port === undefined || ports.some(({ from, to }) => from <= port && port <= to);
}
