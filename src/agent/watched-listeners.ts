import type { ListenerState } from "../audit/audit-state.ts";
import type { HostView } from "../audit/host-view.ts";
import { isExpected } from "../audit/listeners/expected.ts";
import type { Listeners } from "../audit/listeners/listener-watch.ts";
import { reachOf } from "../audit/listeners/reach.ts";
import { type AuditSettings, isProtected } from "../audit/settings.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { Logger } from "../telemetry/logger.ts";
import { listenerSight } from "./listener-sight.ts";
import { within } from "./within.ts";

/** Who listens on protected ports, as seen last. */
export interface WatchedListeners {
  /** Whether something changed that a check could see. Never throws. */
  look(settings: AuditSettings): Promise<boolean>;
  /** All of the node's; rejects with the reason where they could not be seen. */
  latest(): Promise<Listeners>;
  /** undefined: not seen. */
  readonly states: readonly ListenerState[] | undefined;
  /** The next look finds the process of every socket anew: who holds it may have changed since it was new. */
  refresh(): void;
  clear(): void;
}

/** Far above what a look at all processes takes. */
const LOOK_MILLISECONDS = 30_000;

export function watchedListeners({
  host,
  sockets,
  log,
}: {
  readonly host: HostView;
  readonly sockets: SocketReader;
  readonly log: Logger;
}): WatchedListeners {
  const sight = listenerSight(host, sockets);
  const unseen = (): Promise<Listeners> => Promise.reject(new Error("listeners were not looked at yet"));
  let latest = unseen;
  let states: readonly ListenerState[] | undefined;
  let settings: AuditSettings | undefined;
  let all: string | undefined;
  let text: string | undefined;

  function judged(listeners: Listeners, by: AuditSettings): string {
    // Many policies may expect many listeners: they are compared with what listens when either changed, not on each look.
    const now = listenersText(listeners.all);
    if (states === undefined || all !== now || settings !== by) states = listenerStates(listeners, by);
    all = now;
    settings = by;
    return statesText(states);
  }

  return {
    async look(by) {
      const before = text;
      const look = within(LOOK_MILLISECONDS, sight.observe());
      try {
        text = judged(await look, by);
      } catch (err) {
        text = `not seen: ${err instanceof Error ? err.message : String(err)}`;
        states = undefined;
        sight.forget();
        if (text !== before) log.warn({ err }, "listeners not seen");
      }
      latest = () => look;
      return text !== before;
    },
    latest: () => latest(),
    get states() {
      return states;
    },
    refresh: sight.forget,
    clear() {
      latest = unseen;
      states = undefined;
      text = undefined;
    },
  };
}

function listenerStates({ all }: Listeners, settings: AuditSettings): ListenerState[] {
  const { expected, auditor, judge } = settings;
  return all
    .filter(({ port }) => isProtected(port, settings))
    .map((listener) => ({
      ...listener,
      reach: reachOf(listener, judge),
      ...(expected !== undefined && { expected: isExpected(listener, expected, auditor) }),
    }));
}

/** The same text as long as a check would see the same. */
function listenersText(listeners: Listeners["all"]): string {
  const lines = listeners.map(({ protocol, address, port, process }) =>
    [protocol, address, port, process?.pid, process?.name, process?.cgroup, process?.uid].join(" "),
  );
  return lines.toSorted().join("\n");
}

function statesText(states: readonly ListenerState[]): string {
  const verdicts = states.map(({ reach, expected }) => `${reach} ${expected}`);
  return `${listenersText(states)}\n${verdicts.join("\n")}`;
}
