import type { Severity } from "../../api/audit.ts";

/** An update that an advisory calls a security update. */
export interface Advisory {
  readonly id: string;
  readonly severity: Severity;
  /** Name, epoch, version, release, architecture. */
  readonly package: string;
}

/** The words of Red Hat and Fedora. Without one the update counts as `high`, as every update does where apt tells nothing. */
const severities: Readonly<Record<string, Severity>> = {
  critical: "critical",
  important: "high",
  moderate: "medium",
  low: "low",
};

/** Reads `dnf updateinfo list --security` of dnf 4: `RHSA-2024:1234 Important/Sec. openssl-libs-1:3.0.7-25.el9_3.x86_64`. */
export function parseDnf4Advisories(text: string): Advisory[] {
  return matches(text, /^(\S+) +(\S+)\/Sec\. +(\S+)$/);
}

/** Reads `dnf5 advisory list --security`, a table: Name, Type, Severity (may be empty), Package, Issued. */
export function parseDnf5Advisories(text: string): Advisory[] {
  return matches(text, /^(\S+) +security +(?:(\S+) +)?(\S+) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
}

function matches(text: string, form: RegExp): Advisory[] {
  return text.split("\n").flatMap((line) => {
    const [, id, word = "", name] = form.exec(line.trim()) ?? [];
    return id === undefined || name === undefined
      ? []
      : [{ id, severity: severities[word.toLowerCase()] ?? "high", package: name }];
  });
}
