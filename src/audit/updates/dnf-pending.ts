import type { Severity } from "../../api/audit.ts";
import type { CheckResult, Finding } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { type Advisory, parseDnf4Advisories, parseDnf5Advisories } from "./dnf-advisories.ts";
import { readRepositories } from "./dnf-repositories.ts";
import { staleLists } from "./list-age.ts";
import { clipped, listed } from "./listed.ts";

/**
 * `-C` uses what is on disk, however old, and fetches nothing. dnf 4 holds its metadata lock while it loads (a second or
 * two); where another dnf has it, `exit_on_lock` gives up instead of waiting. Level 0 keeps its log as it was.
 */
const tools = {
  dnf4: {
    cache: "/var/cache/dnf",
    tool: "dnf",
    args: ["-C", "-q", "--setopt=exit_on_lock=True", "--setopt=logfilelevel=0", "updateinfo", "list", "--security"],
    parse: parseDnf4Advisories,
  },
  dnf5: {
    cache: "/var/cache/libdnf5",
    tool: "dnf5",
    args: ["-C", "-q", "advisory", "list", "--security"],
    parse: parseDnf5Advisories,
  },
} as const;

/** Most severe first. */
const order: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

/** Examines the enabled repositories that tell which updates are security updates. */
export async function checkDnfPending(
  host: HostView,
  { name, distribution }: { readonly name: "dnf4" | "dnf5"; readonly distribution: string },
  now: number,
): Promise<CheckResult> {
  const { cache, tool, args, parse } = tools[name];
  const repositories = await readRepositories(host, cache);
  const telling = repositories.filter(({ tellsSecurity }) => tellsSecurity);
  if (telling.length === 0) return { status: "NotChecked", reason: whyNoneTells(repositories) };
  const result = await host.run(tool, args, { timeoutMilliseconds: 120_000 });
  if (result === undefined) return { status: "NotChecked", reason: `the host has no ${tool}` };
  if (result.exitCode !== 0) {
    return { status: "NotChecked", reason: clipped(`${tool} ${args.slice(-3).join(" ")}: ${result.stderr}`) };
  }
  const advisories = parse(result.stdout);
  if (advisories.length === 0 && distribution === "amzn") {
    return { status: "NotChecked", reason: "Amazon Linux sees only its own release: ask dnf check-release-update" };
  }
  const findings = advisories.length > 0 ? [pending(advisories)] : [];
  const oldest = telling.toSorted((a, b) => (a.fetchedAt ?? 0) - (b.fetchedAt ?? 0))[0];
  const stale = oldest && staleLists(`The list of ${oldest.id}`, oldest.fetchedAt ?? 0, now, refresh);
  return {
    status: "Checked",
    examined: telling.length,
    findings: stale === undefined ? findings : [...findings, stale],
  };
}

const refresh = "Run dnf makecache, and see that dnf-makecache.timer is enabled and reaches the repositories";

function pending(advisories: readonly Advisory[]): Finding {
  const worstFirst = advisories.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  // Several advisories may name one package: the worst does.
  const byPackage = new Map(worstFirst.toReversed().map((advisory) => [advisory.package, advisory]));
  const packages = worstFirst.filter((advisory) => byPackage.get(advisory.package) === advisory);
  return {
    id: "updates.security-pending",
    severity: worstFirst[0]?.severity ?? "high",
    subject: "security updates",
    evidence: listed(
      `${packages.length} pending`,
      packages.map((it) => `${it.package} (${it.id})`),
    ),
    remedy: "Install them: dnf upgrade --security",
  };
}

function whyNoneTells(repositories: readonly { readonly fetchedAt: number | undefined }[]): string {
  if (repositories.length === 0) return "no repository is enabled";
  return repositories.every(({ fetchedAt }) => fetchedAt === undefined)
    ? "dnf has fetched no lists yet: dnf makecache never ran"
    : "no enabled repository tells which updates are security updates (updateinfo)";
}
