import { isDeepStrictEqual } from "node:util";
import type { ListenersStatus, NodeAuditStatus } from "../api/audit-status.ts";
import type { AuditState } from "../audit/audit-state.ts";
import { type AuditSubject, type Check, type Occasion, once } from "../audit/check.ts";
import type { CheckResult } from "../audit/finding.ts";
import type { HostView } from "../audit/host-view.ts";
import { observeInterfaces } from "../audit/listeners/interfaces.ts";
import type { Prober } from "../audit/protocols/prober.ts";
import type { AuditSettings } from "../audit/settings.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AuditAim } from "./audit-aim.ts";
import { checkStatesIn, firstSeenIn, listenersSeenIn } from "./audit-before.ts";
import { auditRecord } from "./audit-record.ts";
import { auditRounds } from "./audit-round.ts";
import { auditSettings } from "./audit-settings.ts";
import type { AskedAudit } from "./audit-status.ts";
import { auditTimes } from "./audit-times.ts";
import { type CheckWorker, checkWorker } from "./check-worker.ts";
import { observeConnections } from "./connections-state.ts";
import { wake } from "./wake.ts";
import { watchedListeners } from "./watched-listeners.ts";

/**
 * Audits the node, beside everything else: that takes its time, and holds nothing up. Listeners are watched all the time,
 * some checks are made each minute or when listeners change, and all of them on schedule, when what is asked changes,
 * when somebody requests it, and at the start, as what was found is not kept on disk.
 */
export interface Auditor {
  /** Cheap where nothing changed. */
  aim(aim: AuditAim): void;
  /** What an agent before this one wrote: since when findings and listeners are there, and what peers measured. */
  remember(before: NodeAuditStatus, listeners?: ListenersStatus): void;
  /** Until `signal` aborts. Never throws. */
  run(signal: AbortSignal): Promise<void>;
  state(): AuditState;
  /** What policies ask for; undefined: nothing. */
  asked(): AskedAudit | undefined;
}

export interface AuditorOptions {
  readonly host: HostView;
  readonly sockets: SocketReader;
  /** Absent: nobody is connected to. */
  readonly prober?: Prober;
  /** All that there are. */
  readonly checks: readonly Check[];
  readonly nodeName: string;
  readonly log: Logger;
  /** ms since 1970. */
  readonly now: () => number;
  /** ms on a clock that never goes back. */
  readonly elapsed?: () => number;
  /** Of this process, which listens too. */
  readonly pid?: number;
  /** `state` says something new. */
  readonly onChange: () => void;
}

export function auditor(options: AuditorOptions): Auditor {
  const { host, sockets, prober, checks, nodeName, log, now, onChange, pid = process.pid } = options;
  const { elapsed = () => performance.now() } = options;
  const bell = wake();
  const times = auditTimes({ nodeName, now, elapsed });
  const rounds = auditRounds();
  const record = auditRecord(checks.map(({ name }) => name));
  const listeners = watchedListeners({ host, sockets, log });
  const quick = checkWorker({ subjectOf, onResult });
  const slow = checkWorker({ subjectOf, onResult });
  const patient = checkWorker({ subjectOf, onResult });
  let aim: AuditAim = { audit: undefined, judge: () => () => "Unknown", request: undefined };
  let devices: readonly string[] = [];
  let requested: string | undefined;
  let settings: AuditSettings | undefined;
  /** Read once for all quick checks that are made together. */
  let connections = once(() => sockets.connections());

  function asked(): readonly Check[] {
    const levels = aim.audit?.levels;
    return levels === undefined ? [] : checks.filter(({ practice }) => levels[practice] !== "Ignore");
  }

  function workerOf(check: Check): CheckWorker {
    if (check.patient) return patient;
    return check.slow ? slow : quick;
  }

  function mark(among: readonly Check[], occasion: Occasion): void {
    for (const check of among) {
      if (occasion === "Audit" || check.when === occasion) workerOf(check).mark(check, occasion);
    }
  }

  function subjectOf(check: Check, occasion: Occasion, signal: AbortSignal): AuditSubject | undefined {
    if (settings === undefined || !asked().includes(check)) return undefined;
    rounds.begun(check.name);
    return {
      host,
      settings,
      ...(prober !== undefined && { prober }),
      now: now(),
      occasion,
      signal,
      listeners: listeners.latest,
      connections: check.slow ? () => sockets.connections() : connections,
    };
  }

  function onResult(check: Check, result: CheckResult, at: number): void {
    // Policies may have changed while it was made.
    if (!asked().includes(check)) return;
    const { name, practice } = check;
    const news = record.made({ name, practice, at, result });
    const complete = rounds.made(name);
    if (complete !== undefined) {
      const { request } = complete;
      record.complete({ auditedAt: now(), ...(request !== undefined && { request }) });
      const { checks: made, findings } = record.state;
      log.info({ checks: made.length, findings: findings.length, request }, "audited");
    }
    if (news || complete !== undefined || check.patient) onChange();
  }

  function forget(): void {
    times.stop();
    quick.clear();
    slow.clear();
    patient.clear();
    rounds.clear();
    requested = undefined;
    listeners.clear();
  }

  /** Who gets through to a listener depends on the interfaces; without knowing them, nobody knows. */
  async function lookAtInterfaces(): Promise<void> {
    const seen = await observeInterfaces(host).catch(() => []);
    if (isDeepStrictEqual(seen, devices)) return;
    devices = seen;
    settings = aim.audit && auditSettings(aim.audit, aim.judge(devices), pid);
  }

  /** A look at the listeners: whether something changed that a check could see. */
  async function look(): Promise<boolean> {
    if (settings === undefined) return false;
    await lookAtInterfaces();
    if (settings === undefined) return false;
    const changed = await listeners.look(settings);
    // Meanwhile the last policy that asks may have gone.
    if (settings === undefined) {
      listeners.clear();
      return false;
    }
    record.listeners(listeners.states, now());
    if (changed) onChange();
    return changed;
  }

  /** What takes its time, and connects to listeners, is left to an audit that is about to be made, or would be made twice. */
  async function watch(): Promise<void> {
    if (!(await look())) return;
    const left = times.settling;
    mark(
      asked().filter(({ slow }) => !(slow && left)),
      "Listeners",
    );
  }

  async function countConnections(): Promise<void> {
    const { all } = await listeners.latest();
    const counted = await observeConnections(host, await connections(), all);
    if (settings !== undefined) record.connections(counted);
  }

  async function begin(): Promise<void> {
    const { request } = aim;
    const wanted = asked();
    requested = request;
    // What waits for another node says in its own time when it was made.
    const own = wanted.filter(({ patient }) => !patient);
    rounds.begin(
      own.map(({ name }) => name),
      request,
    );
    times.begun();
    record.dueAt(times.dueAt);
    listeners.refresh();
    const changed = await look();
    try {
      await countConnections();
    } catch {
      // The checks that want connections say why there are none to be seen.
      record.connections(undefined);
    }
    mark(wanted, "Audit");
    // In one with the audit, and ahead of what takes its time.
    if (changed) mark(wanted, "Listeners");
  }

  async function pass(signal: AbortSignal): Promise<void> {
    if (settings === undefined) return;
    connections = once(() => sockets.connections());
    const isRequested = !times.settling && aim.request !== undefined && aim.request !== requested;
    if (isRequested || times.auditDue()) await begin();
    if (times.watchDue()) await watch();
    if (times.oftenDue()) mark(asked(), "Often");
    await quick.work(signal);
    // Ten thousand connections are not to be kept in memory until the next pass.
    connections = once(() => sockets.connections());
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await pass(signal);
      } catch (err) {
        log.error({ err }, "audit pass failed");
      }
      await bell.sleep(times.wait(), signal);
    }
  }

  return {
    aim(next) {
      const { audit, judge, request } = aim;
      const same = isDeepStrictEqual(audit, next.audit);
      if (same && judge === next.judge && request === next.request) return;
      aim = next;
      settings = next.audit && auditSettings(next.audit, next.judge(devices), pid);
      if (!same) {
        record.keep(new Set(asked().map(({ name }) => name)));
        if (next.audit === undefined) forget();
        else times.changed(next.audit.schedules);
      }
      record.dueAt(times.dueAt);
      if (next.audit !== undefined) times.watchNow();
      bell.ring();
    },
    remember(before, listenersBefore) {
      // It is made again when a peer has answered, minutes after all others: until then what was measured before stands.
      const waiting = (aim.audit === undefined ? checks : asked())
        .filter(({ name, patient }) => patient && !record.state.checks.some((made) => made.name === name))
        .map(({ name }) => name);
      for (const state of checkStatesIn(before, new Set(waiting))) record.made(state);
      record.remember(firstSeenIn(before), listenersSeenIn(listenersBefore));
    },
    run: async (signal) => void (await Promise.all([loop(signal), slow.run(signal), patient.run(signal)])),
    state: () => record.state,
    asked: () => aim.audit && { audit: aim.audit, checks: asked() },
  };
}
