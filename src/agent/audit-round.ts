/** All checks made once, whichever order they are made in. */
export interface AuditRounds {
  /** A new one; one before it that is not complete never will be. */
  begin(checks: readonly string[], request: string | undefined): void;
  /** A check is begun: its result belongs to the round of this moment. */
  begun(check: string): void;
  /** A check has a result; gives the round where that completes it. */
  made(check: string): { readonly request: string | undefined } | undefined;
  clear(): void;
}

export function auditRounds(): AuditRounds {
  let current: { readonly request: string | undefined; readonly waiting: Set<string> } | undefined;
  const begunFor = new Map<string, typeof current>();
  return {
    begin(checks, request) {
      current = { request, waiting: new Set(checks) };
    },
    begun: (check) => void begunFor.set(check, current),
    made(check) {
      if (current === undefined || begunFor.get(check) !== current) return undefined;
      current.waiting.delete(check);
      if (current.waiting.size > 0) return undefined;
      const complete = current;
      current = undefined;
      return complete;
    },
    clear() {
      current = undefined;
    },
  };
}
