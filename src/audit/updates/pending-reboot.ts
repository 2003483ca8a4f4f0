import type { CheckResult } from "../finding.ts";
import type { HostView } from "../host-view.ts";
import { checkAptReboot } from "./apt-reboot.ts";
import { checkDnfReboot } from "./dnf-reboot.ts";
import { findPackageTool } from "./package-tool.ts";

/** Whether updates are installed that only a reboot makes effective. */
export async function checkPendingReboot(host: HostView): Promise<CheckResult> {
  const tool = await findPackageTool(host);
  if (tool.name === "none") return { status: "NotChecked", reason: tool.reason };
  return tool.name === "apt" ? checkAptReboot(host) : checkDnfReboot(host);
}
