import type { AuditSubject } from "../check.ts";
import type { CheckResult } from "../finding.ts";
import { isProtected } from "../settings.ts";
import type { Listener } from "./listener.ts";

type NotChecked = Extract<CheckResult, { readonly status: "NotChecked" }>;

/** Who listens on protected ports; the reason why not where processes had to be looked at and could not. */
export async function protectedListeners(subject: AuditSubject): Promise<readonly Listener[] | NotChecked> {
  const { all, unreadable } = await subject.listeners();
  const listeners = all.filter(({ port }) => isProtected(port, subject.settings));
  const unknown = listeners.filter(({ process }) => process === undefined).length;
  if (unknown === 0 || unreadable === 0) return listeners;
  const reason = `the processes of ${unknown} of ${listeners.length} listeners are not to be seen: run it as root, in a container privileged`;
  return { status: "NotChecked", reason };
}
