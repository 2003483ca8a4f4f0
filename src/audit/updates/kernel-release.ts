/** A Debian or Ubuntu kernel release: `6.1.0-18-cloud-amd64` is version `6.1.0-18` of flavour `cloud-amd64`. */
interface KernelRelease {
  readonly numbers: readonly number[];
  readonly flavour: string;
}

/** The installed releases of the running one's flavour, newest first. Another flavour is another choice, not an update. */
export function sameFlavour(running: string, installed: readonly string[]): string[] {
  const { flavour } = parseRelease(running);
  return installed
    .filter((release) => parseRelease(release).flavour === flavour)
    .toSorted((a, b) => compareNumbers(parseRelease(b).numbers, parseRelease(a).numbers));
}

function parseRelease(release: string): KernelRelease {
  const parts = release.split("-");
  // The version goes on as long as parts start with a digit: `6.12.38+deb13-amd64`, `5.15.0-91-generic`.
  const end = parts.findIndex((part) => !/^\d/.test(part));
  const version = end < 0 ? parts : parts.slice(0, end);
  return {
    numbers: (version.join("-").match(/\d+/g) ?? []).map(Number),
    flavour: end < 0 ? "" : parts.slice(end).join("-"),
  };
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
