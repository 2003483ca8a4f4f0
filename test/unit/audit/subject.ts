import { type AuditSubject, auditSubject } from "../../../src/audit/check.ts";
import type { AuditSettings } from "../../../src/audit/settings.ts";
import type { Connection, ListeningSocket, SocketReader } from "../../../src/audit/sockets.ts";
import { changed, hostView, type RecordedHost, recordedAt } from "./recorded-host.ts";

export interface Recorded {
  readonly hosts?: readonly RecordedHost[];
  readonly listening?: readonly ListeningSocket[];
  readonly connections?: readonly Connection[];
  readonly settings?: Partial<AuditSettings>;
}

/** What checks are given, from records; later hosts add to and replace what earlier ones show. */
export function recordedSubject({
  hosts = [],
  listening = [],
  connections = [],
  settings = {},
}: Recorded): AuditSubject {
  const host = hosts.reduce((whole, part) => changed(whole, part), { files: {} });
  const sockets: SocketReader = { listening: async () => listening, connections: async () => connections };
  const asked: AuditSettings = { protectedPorts: ["1024-65535"], skipProbes: [], judge: () => "Unknown", ...settings };
  return auditSubject(hostView(host), sockets, asked, recordedAt);
}

export function tcp(port: number, inode: number, address = "0.0.0.0"): ListeningSocket {
  return { protocol: "TCP", address, port, inode, uid: 0 };
}
