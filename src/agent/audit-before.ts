import type { ListenersStatus, NodeAuditStatus } from "../api/audit-status.ts";
import type { CheckState } from "../audit/audit-state.ts";
import { listenerName } from "../audit/listeners/listener.ts";
import { type FirstSeen, findingKey } from "../audit/standing.ts";

/** Since when its findings are there, by the status that an agent before this one wrote. */
export function firstSeenIn({ top }: NodeAuditStatus): FirstSeen {
  return new Map(
    top.flatMap(({ check, id, subject, since }) =>
      check === undefined ? [] : [[findingKey({ check, id, subject }), Date.parse(since)] as const],
    ),
  );
}

/** Since when its listeners are there, by name, as far as the status named them. */
export function listenersSeenIn(listeners: ListenersStatus | undefined): FirstSeen {
  return new Map(
    (listeners?.top ?? []).flatMap(({ protocol, address, port, process, since }) => {
      const named = { protocol, address, port, ...(process !== undefined && { process: { name: process } }) };
      return since === undefined ? [] : [[listenerName(named), Date.parse(since)] as const];
    }),
  );
}

/**
 * What these checks came to, by the same status, result by result: one that could not look the last time still has what it
 * found before. Of many findings the status named the most urgent ones.
 */
export function checkStatesIn({ checks, top }: NodeAuditStatus, names: ReadonlySet<string>): CheckState[] {
  return checks
    .filter(({ name }) => names.has(name))
    .flatMap(({ name, practice, status, examined = 0, reason = "", at }): CheckState[] => {
      const made = { name, practice, at: Date.parse(at) };
      const findings = top
        .filter(({ check }) => check === name)
        .map(({ check: _, since: __, port, ...finding }) => ({ ...finding, ...(port !== undefined && { port }) }));
      const looked: CheckState = { ...made, result: { status: "Checked", examined, findings } };
      return status === "Checked" ? [looked] : [looked, { ...made, result: { status, reason } }];
    });
}
