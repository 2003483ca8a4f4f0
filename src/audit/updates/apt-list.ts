/** A version newer than the installed one that is a security update. */
export interface SecurityUpdate {
  readonly name: string;
  readonly version: string;
}

/**
 * Reads `apt list --upgradable --all-versions`: a block a package, newest version first, the installed one marked `now`.
 * All versions matter: a security update may lie between the installed version and a candidate of another suite, and would
 * not show in a list of candidates.
 */
export function parseSecurityUpdates(text: string): SecurityUpdate[] {
  const updates = new Map<string, SecurityUpdate>();
  for (const block of text.split(/\n\s*\n/)) {
    const update = newestSecurityVersion(block);
    if (update !== undefined && !updates.has(update.name)) updates.set(update.name, update);
  }
  return [...updates.values()];
}

function newestSecurityVersion(block: string): SecurityUpdate | undefined {
  for (const line of block.split("\n")) {
    const [, name, suites, version] = /^([^/\s]+)\/(\S+) (\S+) \S+/.exec(line) ?? [];
    if (name === undefined || suites === undefined || version === undefined) continue;
    const names = suites.split(",");
    if (names.includes("now")) return undefined;
    if (names.some(isSecuritySuite)) return { name, version };
  }
  return undefined;
}

/** `bookworm-security`, `oldstable-security`, `jammy-security`, and Ubuntu's `jammy-apps-security`. */
export function isSecuritySuite(suite: string): boolean {
  return suite.endsWith("-security");
}
