import type { Practice } from "../api/audit.ts";
import type { CheckResult } from "./finding.ts";
import type { HostView } from "./host-view.ts";
import { type Listeners, listenerWatch } from "./listeners/listener-watch.ts";
import type { Prober } from "./protocols/prober.ts";
import type { AuditSettings } from "./settings.ts";
import type { Connection, SocketReader } from "./sockets.ts";

/** What a check is made for: an audit, a change of the listeners on protected ports, or because a minute went by. */
export type Occasion = "Audit" | "Listeners" | "Often";

/** What a check may look at. What several checks need is read once an audit. */
export interface AuditSubject {
  readonly host: HostView;
  readonly settings: AuditSettings;
  /** ms since 1970. */
  readonly now: number;
  readonly occasion: Occasion;
  /** Aborts when nobody waits for the result any more. */
  readonly signal: AbortSignal;
  /** Absent: nobody is to be connected to. */
  readonly prober?: Prober;
  /** Throws, to each who asks, where sockets cannot be read. */
  listeners(): Promise<Listeners>;
  connections(): Promise<readonly Connection[]>;
}

export interface Check {
  /** Stable: it stands in reports. */
  readonly name: string;
  readonly practice: Practice;
  /** What it looks at, in a few words. */
  readonly title: string;
  /** What else an agent makes it for; absent: audits alone. */
  readonly when?: Exclude<Occasion, "Audit">;
  /** It asks tools or other hosts, so an agent makes those that do not without waiting for it. */
  readonly slow?: true;
  /** It waits for another node, for minutes perhaps: so nothing waits for it, the audit neither. */
  readonly patient?: true;
  /** In place of two minutes. */
  readonly timeoutMilliseconds?: number;
  run(subject: AuditSubject): Promise<CheckResult>;
}

/** For one audit. */
export function auditSubject(
  host: HostView,
  sockets: SocketReader,
  settings: AuditSettings,
  now: number,
  prober?: Prober,
): AuditSubject {
  const watch = listenerWatch(host, sockets);
  return {
    host,
    settings,
    now,
    occasion: "Audit",
    signal: new AbortController().signal,
    ...(prober !== undefined && { prober }),
    listeners: once(() => watch.observe()),
    connections: once(() => sockets.connections()),
  };
}

/** Asks when it is first called; all callers get that answer, or its failure. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
