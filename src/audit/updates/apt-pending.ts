import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { parseSecurityUpdates } from "./apt-list.ts";
import { readSecurityLists } from "./apt-release.ts";
import { staleLists } from "./list-age.ts";
import { clipped, listed } from "./listed.ts";

/** Without its caches apt writes nothing, also where they are out of date, and it takes no lock for a list (0.7 s of CPU). */
const arguments_ = ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "list", "--upgradable", "-a"];

/** Distributions that have a security suite: where its list is missing, nobody would ever hear of an update. */
const withSecuritySuite = new Set(["debian", "ubuntu"]);

/** Examines the lists of security suites. */
export async function checkAptPending(host: HostView, distribution: string, now: number): Promise<CheckResult> {
  const { all, security } = await readSecurityLists(host);
  if (all === 0) return { status: "NotChecked", reason: "the host has no package lists: apt-get update never ran" };
  if (security.length === 0) return withoutSecuritySuite(distribution, all);
  const result = await host.run("apt", arguments_, { timeoutMilliseconds: 60_000 });
  if (result === undefined) return { status: "NotChecked", reason: "the host has no apt" };
  if (result.exitCode !== 0)
    return { status: "NotChecked", reason: clipped(`apt list: ${result.stderr || result.stdout}`) };

  const findings: Finding[] = [];
  const updates = parseSecurityUpdates(result.stdout);
  if (updates.length > 0) {
    findings.push({
      id: "updates.security-pending",
      severity: "high",
      subject: "security updates",
      evidence: listed(
        `${updates.length} pending`,
        updates.map(({ name, version }) => `${name} ${version}`).toSorted(),
      ),
      remedy: "Install them: apt-get upgrade, or unattended-upgrade for security updates alone",
    });
  }
  const newest = security.toSorted((a, b) => b.signedAt - a.signedAt)[0];
  const stale = newest && staleLists(`The list of ${newest.suite}`, newest.signedAt, now, refresh);
  if (stale !== undefined) findings.push(stale);
  return { status: "Checked", examined: security.length, findings };
}

const refresh = "Run apt-get update, and see that it runs daily (apt-daily.timer) and reaches the security archive";

function withoutSecuritySuite(distribution: string, lists: number): CheckResult {
  const evidence = `None of the ${lists} package lists is of a security suite`;
  if (!withSecuritySuite.has(distribution)) return { status: "NotChecked", reason: evidence };
  const finding: Finding = {
    id: "updates.no-security-source",
    severity: "high",
    subject: "package sources",
    evidence,
    remedy: "Add the distribution's security suite to /etc/apt/sources.list.d and run apt-get update",
  };
  return { status: "Checked", examined: lists, findings: [finding] };
}
