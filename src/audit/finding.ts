import type { Severity } from "../api/audit.ts";

/** One thing that is not as it should be, with what shows it and what mends it. */
export interface Finding {
  /** Stable, documented in docs/findings.md and never reused: what alerts, exceptions and mappings to standards refer to. */
  readonly id: string;
  readonly severity: Severity;
  /** What it is about, short and stable between audits: `TCP 0.0.0.0:6379 redis-server`, `unattended-upgrades`. */
  readonly subject: string;
  /** The protected port that it is about; absent where it is about the whole host. */
  readonly port?: number;
  /** What was seen, in the words of its source. At most 200 characters. */
  readonly evidence: string;
  /** What to do next. At most 200 characters. */
  readonly remedy: string;
}

/** What was seen of one thing, also where it is as it should be. */
export interface Seen {
  /** As in a finding. */
  readonly subject: string;
  /** At most 128 characters. */
  readonly says: string;
}

/** The result of one check. A check that could not look says so: it never passes. */
export type CheckResult =
  | {
      readonly status: "Checked";
      /** How many things were looked at: no finding among none is no comfort. */
      readonly examined: number;
      readonly findings: readonly Finding[];
      /** Absent where findings say it all. */
      readonly seen?: readonly Seen[];
    }
  | { readonly status: "NotChecked"; readonly reason: string };
