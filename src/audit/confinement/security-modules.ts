import type { HostView } from "../host-view.ts";

/** Which mandatory access control the kernel runs. */
export type AccessControl =
  | { readonly kind: "SELinux"; readonly enforcing: boolean }
  | { readonly kind: "AppArmor" }
  | { readonly kind: "None"; readonly evidence: string }
  | { readonly kind: "Unknown"; readonly reason: string };

/**
 * From /sys/kernel/security/lsm where securityfs is mounted, else from what SELinux (/sys/fs/selinux) and AppArmor
 * (/sys/module/apparmor) themselves leave in /sys, which they do exactly when they run.
 */
export async function observeAccessControl(host: HostView): Promise<AccessControl> {
  if ((await host.readFolder("/sys/kernel")) === undefined) return unknown("the host's /sys is not to be seen");
  const modules = (await host.readFile("/sys/kernel/security/lsm"))?.trim().split(",");
  const enforce = await host.readFile("/sys/fs/selinux/enforce");
  if (enforce !== undefined) return { kind: "SELinux", enforcing: enforce.trim() === "1" };
  if (modules?.includes("selinux")) return unknown("SELinux runs, but /sys/fs/selinux is not mounted here");
  const apparmor = await host.readFile("/sys/module/apparmor/parameters/enabled");
  if (apparmor?.trim() === "Y") return { kind: "AppArmor" };
  const other = modules?.find((name) => name === "smack" || name === "tomoyo");
  if (other !== undefined) return unknown(`the host runs ${other}, which this version does not know`);
  return { kind: "None", evidence: await whyNone(host, modules) };
}

function unknown(reason: string): AccessControl {
  return { kind: "Unknown", reason };
}

async function whyNone(host: HostView, modules: readonly string[] | undefined): Promise<string> {
  const configured = parseSelinuxConfig(await host.readFile("/etc/selinux/config")).mode;
  if (configured !== undefined) return `SELinux does not run; /etc/selinux/config says ${configured}`;
  if (modules !== undefined) return `the kernel runs ${modules.join(", ")}: neither SELinux nor AppArmor`;
  return "the kernel runs neither SELinux nor AppArmor";
}

export interface SelinuxConfig {
  /** After the next boot: enforcing, permissive or disabled. */
  readonly mode?: string;
  /** Name of the policy: targeted, mls. */
  readonly policy?: string;
}

/** /etc/selinux/config (selinux_config(5)); empty where there is none. */
export function parseSelinuxConfig(text = ""): SelinuxConfig {
  const mode = /^\s*SELINUX=\s*(\w+)/m.exec(text)?.[1]?.toLowerCase();
  const policy = /^\s*SELINUXTYPE=\s*(\w+)/m.exec(text)?.[1];
  return { ...(mode !== undefined && { mode }), ...(policy !== undefined && { policy }) };
}
