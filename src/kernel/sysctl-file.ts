/** Our one file in sysctl.d, so that the settings hold from boot on, before the agent has started. */
export const SYSCTL_FILE = "99-port-hardening.conf";

/** @param held values by key; @returns the content, or undefined where there is nothing to persist */
export function printSysctlFile(held: readonly { readonly key: string; readonly value: string }[]): string | undefined {
  if (held.length === 0) return undefined;
  const lines = held.map(({ key, value }) => `${key} = ${value}\n`).sort();
  return `# Written by port-hardening, and overwritten: change the policy instead.\n${lines.join("")}`;
}
