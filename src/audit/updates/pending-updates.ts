import type { CheckResult } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { checkAptPending } from "./apt-pending.ts";
import { checkDnfPending } from "./dnf-pending.ts";
import { findPackageTool } from "./package-tool.ts";

/**
 * Which security updates the host knows of and has not installed. Installs nothing and fetches no lists; that a host knows
 * of none counts only where its lists are fresh. Examined: lists that can tell.
 */
export async function checkPendingUpdates(host: HostView, now: number): Promise<CheckResult> {
  const tool = await findPackageTool(host);
  if (tool.name === "none") return { status: "NotChecked", reason: tool.reason };
  return tool.name === "apt" ? checkAptPending(host, tool.distribution, now) : checkDnfPending(host, tool, now);
}
