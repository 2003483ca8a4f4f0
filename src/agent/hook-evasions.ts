import type { DriftEvent, HookEvasion, Kernel } from "../kernel/kernel.ts";
import type { PolicyOutcome } from "./node-status.ts";

/** A way past our rules, and who opened it, where the kernel told. */
export interface SeenEvasion extends HookEvasion {
  readonly by: string | undefined;
}

export interface HookEvasions {
  /** Somebody touched our tables: what is new at the next look is theirs. */
  noticed(event: DriftEvent): void;
  /** As the kernel was read last. */
  current(): readonly SeenEvasion[];
}

/** An event and the look that follows it are apart by a repair at most. */
const BLAMED_MILLISECONDS = 10_000;

export function hookEvasions({
  kernel,
  now,
}: {
  readonly kernel: Pick<Kernel, "evasions">;
  readonly now: () => number;
}): HookEvasions {
  let seen: readonly SeenEvasion[] = [];
  let last: DriftEvent | undefined;
  return {
    noticed(event) {
      if (event.by !== undefined) last = event;
    },
    current() {
      const by = last !== undefined && now() - last.at <= BLAMED_MILLISECONDS ? last.by : undefined;
      seen = kernel.evasions().map((one) => {
        const known = seen.find((before) => sameWay(before, one));
        return { ...one, by: known === undefined ? by : known.by };
      });
      return seen;
    },
  };
}

function sameWay(a: HookEvasion, b: HookEvasion): boolean {
  return a.place === b.place && a.rule === b.rule && a.ahead === b.ahead;
}

/** What a policy is that some of these let past; undefined where none does. */
export function evasionOutcome(
  policy: string,
  evasions: readonly SeenEvasion[],
): Pick<PolicyOutcome, "state" | "reason" | "message"> | undefined {
  const concerned = evasions.filter(({ policies }) => policies.length === 0 || policies.includes(policy));
  if (concerned.length === 0) return undefined;
  return { state: "NotEnforceable", reason: "HookEvaded", message: concerned.map(describe).join("; ") };
}

function describe({ place, ahead, rule, by }: SeenEvasion): string {
  const who = by === undefined ? "" : `, put there by ${by}`;
  const what = rule.endsWith(` ${ahead}`) ? `the rule "${rule}"` : `the rule "${rule}", reached by "${ahead}",`;
  // FelixConfiguration has one field for each table.
  const calico = rule.startsWith("cali-")
    ? ` (Calico: ${place.startsWith("filter") ? "iptablesFilterAllowAction" : "iptablesMangleAllowAction"}: Return)`
    : "";
  return (
    `${place}: ${what} accepts new connections before they come to ours${who}, and took the place again when ours were ` +
    `moved ahead; take it away, put it behind ours, or let it RETURN instead${calico}`
  );
}
