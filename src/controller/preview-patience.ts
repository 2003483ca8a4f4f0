/** How long a roll-out waits for what nodes say of a revision that is to come to them. */
export interface PreviewPatience {
  /** They have had their time: it goes on without those that have not answered. */
  over(policy: string, revision: string): boolean;
  /** As long again after that, and the status that is to say so could not be written. */
  lost(policy: string, revision: string): boolean;
  /** It waits for `missing` of them now. Returns in how many milliseconds it has waited long enough, for them or for the status. */
  waits(policy: string, revision: string, missing: number): number;
  /** Of others nothing is remembered. */
  keep(policies: ReadonlySet<string>): void;
}

/**
 * `milliseconds` since one of them last answered, so that a large fleet has the time that it takes to ask it. In memory: a restart
 * gives them that time once more.
 *
 * @param now milliseconds since the epoch
 */
export function previewPatience(now: () => number, milliseconds: number): PreviewPatience {
  const waiting = new Map<string, { readonly revision: string; readonly missing: number; readonly until: number }>();
  const of = (policy: string, revision: string) => {
    const known = waiting.get(policy);
    return known?.revision === revision ? known : undefined;
  };
  return {
    over: (policy, revision) => now() >= (of(policy, revision)?.until ?? Number.POSITIVE_INFINITY),
    lost: (policy, revision) => now() >= (of(policy, revision)?.until ?? Number.POSITIVE_INFINITY) + milliseconds,
    waits(policy, revision, missing) {
      const known = of(policy, revision);
      // Over stays over: it is not waited twice for one revision.
      const until =
        known === undefined || (missing < known.missing && now() < known.until) ? now() + milliseconds : known.until;
      waiting.set(policy, { revision, missing, until });
      return (now() < until ? until : until + milliseconds) - now();
    },
    keep(policies) {
      for (const policy of waiting.keys()) if (!policies.has(policy)) waiting.delete(policy);
    },
  };
}
