import { vi } from "vitest";
import type { AuditAim } from "../../../src/agent/audit-aim.ts";
import { type Auditor, auditor } from "../../../src/agent/auditor.ts";
import type { AuditSubject, Check } from "../../../src/audit/check.ts";
import type { CheckResult, Finding } from "../../../src/audit/finding.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import type { ListeningSocket } from "../../../src/audit/sockets.ts";
import { nodeAudit } from "../../../src/plan/node-audit.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { changed, hostView } from "../audit/recorded-host.ts";
import { recordedProcess } from "../audit/recorded-process.ts";
import { assigned } from "../plan/policies.ts";

/** Expects what listens on 9100, and wants to know of updates; nothing else. */
export const asking = {
  monitoring: { listeners: { expected: [{ port: 9100 }] } },
  audit: { mandatoryAccessControl: "Ignore", plaintextProtocols: "Ignore", exposure: "Ignore" },
};

const everybody: AuditAim["judge"] = () => () => "Everybody";

export function aimAt(spec: object, more: Partial<AuditAim> = {}): AuditAim {
  return { audit: nodeAudit([assigned(spec)]), judge: everybody, request: undefined, ...more };
}

/** A check that is told what to answer. */
export function toldCheck(check: Pick<Check, "name" | "practice"> & Partial<Check>) {
  const runs: AuditSubject[] = [];
  const told = {
    runs,
    /** What it answers from now on. */
    answer: async (): Promise<CheckResult> => ({ status: "Checked", examined: 1, findings: [] }),
    check: {
      title: "",
      ...check,
      run: (subject: AuditSubject): Promise<CheckResult> => {
        runs.push(subject);
        return told.answer();
      },
    } satisfies Check,
  };
  return told;
}

export function finding(subject: string, part: Partial<Finding> = {}): Finding {
  return { id: "some.finding", severity: "medium", subject, evidence: "seen", remedy: "mend it", ...part };
}

export interface AuditedNode {
  readonly auditor: Auditor;
  /** What listens; to be changed. */
  listening: readonly ListeningSocket[] | Error;
  connectionsRead: number;
  /** How often something new was said. */
  changes: number;
  /** Resolves when the auditor of now has ended. */
  readonly ended: Promise<void>;
  /** A new agent on the same node. */
  restart(): void;
}

const AGENT_PID = 4711;
/** Inode of a socket that the agent itself holds. */
export const AGENT_SOCKET = 4712;
const listeningAgent = recordedProcess({ pid: AGENT_PID, name: "MainThread", sockets: [AGENT_SOCKET] });

const listenersCheck = CHECKS.filter(({ name }) => name === "listeners");

/** A node with its auditor at work, on fake timers; ends with `signal`. */
export function auditedNode(signal: AbortSignal, checks: readonly Check[] = [], agentListens = false): AuditedNode {
  let stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  const itself = {
    files: { "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n", "/proc/net/dev": "    lo: 0\n  eth0: 0\n" },
  };
  const host = hostView(agentListens ? changed(itself, listeningAgent) : itself);
  const start = (): Auditor => {
    const started = auditor({
      host,
      sockets: {
        listening: async () => {
          if (node.listening instanceof Error) throw node.listening;
          return node.listening;
        },
        connections: async () => {
          node.connectionsRead += 1;
          return [];
        },
      },
      checks: [...listenersCheck, ...checks],
      nodeName: "node-1",
      pid: AGENT_PID,
      log: createLogger({ name: "agent", level: "fatal" }),
      now: Date.now,
      onChange: () => {
        node.changes += 1;
      },
    });
    stop = new AbortController();
    ended = started.run(AbortSignal.any([signal, stop.signal]));
    return started;
  };
  const node = {
    listening: [] as readonly ListeningSocket[] | Error,
    connectionsRead: 0,
    changes: 0,
    restart() {
      stop.abort();
      current = start();
    },
    get ended() {
      return ended;
    },
    get auditor() {
      return current;
    },
  };
  let current = start();
  return node;
}

export const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000);
