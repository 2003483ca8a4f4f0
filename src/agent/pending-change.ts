/** What a change is charged to if it does not hold. */
export interface ChangedParts {
  readonly policies: readonly ChangedPolicy[];
  /** Groups whose content changed, with a digest of the new one. */
  readonly groups: readonly { readonly name: string; readonly digest: string }[];
  /** A digest of all rules, sets and settings. */
  readonly rules: string;
  /** What each policy's `retry-at` said then. */
  readonly retries: readonly string[];
}

export interface ChangedPolicy {
  readonly name: string;
  readonly uid: string;
  readonly hash: string;
  /** What `porthardening.io/retry-at` said. */
  readonly retryAt?: string;
}

/** A change with what must still answer behind it. */
export interface ProbedChange extends ChangedParts {
  /** Probes that passed before. */
  readonly probes: readonly string[];
  /** What it has to be confirmed in; absent where an older version wrote it down. */
  readonly timeoutSeconds?: number;
}

export interface PendingChange extends ProbedChange {
  /** What is the last confirmed state once it is confirmed: content of the state directory's file. */
  readonly last: string;
}

/** A change that somebody before left. */
export interface LeftChange {
  /** Still to be confirmed; else it was rolled back. */
  readonly armed: boolean;
  readonly marks: ReadonlySet<string>;
  /** undefined where it cannot be read. */
  readonly change: ProbedChange | undefined;
  /** Which boot it was made in: the rules of another one are gone. Unknown: what said so is damaged. */
  readonly boot: "This" | "Another" | "Unknown";
}
