import type { Practice } from "../api/audit.ts";
import type { CheckResult } from "./finding.ts";
import type { HostView } from "./host-view.ts";
import { type Listeners, listenerWatch } from "./listeners/listener-watch.ts";
import type { AuditSettings } from "./settings.ts";
import type { Connection, SocketReader } from "./sockets.ts";

/** What a check may look at. What several checks need is read once an audit. */
export interface AuditSubject {
  readonly host: HostView;
  readonly settings: AuditSettings;
  /** ms since 1970. */
  readonly now: number;
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
  run(subject: AuditSubject): Promise<CheckResult>;
}

export function auditSubject(
  host: HostView,
  sockets: SocketReader,
  settings: AuditSettings,
  now: number,
): AuditSubject {
  const watch = listenerWatch(host, sockets);
  let listeners: Promise<Listeners> | undefined;
  let connections: Promise<readonly Connection[]> | undefined;
  return {
    host,
    settings,
    now,
    listeners: () => (listeners ??= watch.observe()),
    connections: () => (connections ??= sockets.connections()),
  };
}
