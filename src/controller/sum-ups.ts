import type { PolicyFacts } from "./policy-facts.ts";

/** A first audit of a fleet is summed up as a whole: looked at again as long as nodes are awaited, but not for ever. */
const WAIT_MILLISECONDS_MAX = 60_000;

/** When a policy's findings are summed up: once a period. The clock is the caller's, in milliseconds. */
export interface SumUps {
  /** "Now" is said once: the period counts as summed up. "Later": nodes are alive that have yet to tell what they found. */
  turn(policy: PolicyFacts, period: number, now: number): "Now" | "Later" | "Never";
  forget(policy: string): void;
}

export function sumUps(): SumUps {
  const summedUp = new Map<string, number>();
  const awaitedSince = new Map<string, number>();
  return {
    turn: (policy, period, now) => {
      const { name } = policy;
      if (summedUp.get(name) === period) return "Never";
      const since = awaitedSince.get(name) ?? now;
      // A clock that steps either way ends the wait.
      if (awaitsAudits(policy) && now >= since && now - since < WAIT_MILLISECONDS_MAX) {
        awaitedSince.set(name, since);
        return "Later";
      }
      awaitedSince.delete(name);
      summedUp.set(name, period);
      return "Now";
    },
    forget: (name) => {
      summedUp.delete(name);
      awaitedSince.delete(name);
    },
  };
}

function awaitsAudits({ status }: PolicyFacts): boolean {
  const { selected = 0, unknown = 0 } = status?.nodes ?? {};
  return status?.audit === undefined || status.audit.audited < selected - unknown;
}
