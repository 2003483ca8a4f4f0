import { DEFAULT_ROLLOUT, type Rollout } from "../../../src/api/rollout.ts";
import type { RolloutNode } from "../../../src/controller/rollout.ts";

/**
 * A fleet in letters, one for each node a, b, c and so on; the wanted revision is "new".
 * o: has the old one, and enforces it. N: enforces the new one. h: was handed it, and has not answered. F: it failed there.
 * x: evaded. -: has nothing. l: the policy leaves it. g: it was taken off, and its agent has not said so. A small letter a
 * behind one: not ready or silent. u: the same, and handed over in that state. !: no agent was ever heard of.
 */
export function fleet(text: string, labels: (name: string) => Readonly<Record<string, string>> = () => ({})) {
  return [...text.matchAll(/([oNhFx\-lg])([au!]?)/g)].map(([, kind = "", fate], index): RolloutNode => {
    const name = String.fromCharCode(97 + index);
    return {
      name,
      labels: labels(name),
      ...KINDS[kind as keyof typeof KINDS],
      alive: fate === "",
      heard: fate !== "!",
      unawaited: fate === "u",
      cutsNothing: false,
    };
  });
}

const old = { hash: "old", state: "Enforced" } as const;
const KINDS = {
  o: { desired: "new", assigned: "old", reported: old },
  N: { desired: "new", assigned: "new", reported: { hash: "new", state: "Enforced" } },
  x: { desired: "new", assigned: "new", reported: { hash: "new", state: "NotEnforceable" } },
  F: { desired: "new", assigned: "new", reported: { hash: "new", state: "Failed" } },
  h: { desired: "new", assigned: "new", reported: old },
  "-": { desired: "new", assigned: undefined, reported: undefined },
  l: { desired: undefined, assigned: "old", reported: old },
  g: { desired: undefined, assigned: undefined, reported: old },
} as const satisfies Record<string, Pick<RolloutNode, "desired" | "assigned" | "reported">>;

export function settings(some: Partial<Rollout> = {}): Rollout {
  return { ...DEFAULT_ROLLOUT, ...some };
}
