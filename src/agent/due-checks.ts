import type { Check, Occasion } from "../audit/check.ts";

/** Checks that are to be made, each once, whatever it is asked for meanwhile. */
export interface DueChecks {
  mark(check: Check, occasion: Occasion): void;
  /** Changed listeners first: somebody may be waiting to see them. */
  take(): DueCheck | undefined;
  clear(): void;
}

export interface DueCheck {
  readonly check: Check;
  readonly occasion: Occasion;
  /** Changed listeners do not wait behind an audit, though the audit is what the check is made for. */
  readonly soon: boolean;
}

export function dueChecks(): DueChecks {
  const due = new Map<string, DueCheck>();
  return {
    mark(check, occasion) {
      const before = due.get(check.name);
      const soon = before?.soon === true || occasion === "Listeners";
      due.set(check.name, { check, occasion: wider(before?.occasion ?? occasion, occasion), soon });
    },
    take() {
      const waiting = [...due.values()];
      const next = waiting.find(({ soon }) => soon) ?? waiting[0];
      if (next !== undefined) due.delete(next.check.name);
      return next;
    },
    clear: () => due.clear(),
  };
}

/** Whoever asks for more gets it for both. */
function wider(a: Occasion, b: Occasion): Occasion {
  const [first] = (["Audit", "Listeners", "Often"] as const).filter((occasion) => occasion === a || occasion === b);
  return first ?? b;
}
