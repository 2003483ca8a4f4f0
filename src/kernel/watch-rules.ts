import { setTimeout as wait } from "node:timers/promises";
import { ToolMissingError } from "./errors.ts";
import type { Host } from "./host.ts";
import type { DriftEvent } from "./kernel.ts";
import { type Generation, monitorEvents } from "./monitor-events.ts";
import type { OwnProcesses } from "./own-processes.ts";

const FIRST_BACKOFF_MILLISECONDS = 100;
const LAST_BACKOFF_MILLISECONDS = 10_000;
/** After an event is told at once, those that follow within this time become one. */
const TOGETHER_MILLISECONDS = 50;
/** `nft monitor` says nothing when it starts to listen, so its socket is looked for. */
const LISTEN_POLL_MILLISECONDS = 5;
const LISTEN_MILLISECONDS = 2_000;

export interface WatchOptions {
  readonly host: Host;
  readonly own: OwnProcesses;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onDrift: (event: DriftEvent) => void;
}

/**
 * Tells of every transaction on our tables that is not ours, and once, without a name, each time the monitor has begun
 * to listen: what happened before that is not known.
 * @throws {ToolMissingError} without nft
 */
export async function watchRules({ host, own, now, signal, onDrift }: WatchOptions): Promise<void> {
  let backoff = FIRST_BACKOFF_MILLISECONDS;
  while (!signal.aborted) {
    const began = now();
    const ended = new AbortController();
    const tell = together((generation) => onDrift({ by: nameOf(generation), at: now() }), ended.signal);
    try {
      const { pid, lines } = host.spawnLines("nft", ["monitor"], signal);
      const read = monitorEvents();
      void listening(host, pid, ended.signal).then(() => tell(undefined), ignoreEnd);
      for await (const line of lines) {
        const generation = read(line);
        if (generation !== undefined && !own.has(generation.pid, generation.command)) tell(generation);
      }
    } catch (error) {
      if (error instanceof ToolMissingError) throw error;
      // Whatever ended the monitor (out of memory, a full socket buffer): it is started again, and all is verified then.
    } finally {
      ended.abort();
    }
    if (now() - began > LAST_BACKOFF_MILLISECONDS) backoff = FIRST_BACKOFF_MILLISECONDS;
    await wait(backoff * (0.5 + Math.random() / 2), undefined, { signal }).catch(ignoreEnd);
    backoff = Math.min(backoff * 2, LAST_BACKOFF_MILLISECONDS);
  }
}

/** The first at once; what follows soon after as one, which keeps the name of one near our rules. */
function together(tell: (generation: Generation | undefined) => void, ended: AbortSignal) {
  let quiet = true;
  let waiting: { generation: Generation | undefined } | undefined;
  const next = () => {
    const told = waiting;
    waiting = undefined;
    quiet = told === undefined;
    if (told === undefined || ended.aborted) return;
    tell(told.generation);
    setTimeout(next, TOGETHER_MILLISECONDS);
  };
  return (generation: Generation | undefined) => {
    if (quiet) {
      quiet = false;
      tell(generation);
      setTimeout(next, TOGETHER_MILLISECONDS);
    } else if (waiting?.generation?.nearOurs !== true) {
      waiting = { generation: generation ?? waiting?.generation };
    }
  };
}

function nameOf(generation: Generation | undefined): string | undefined {
  return generation && `process ${generation.pid} (${generation.command})`;
}

/** Resolves when the process has a netfilter netlink socket (protocol 12) that listens to nf_tables (group 7). */
async function listening(host: Host, pid: number | undefined, ended: AbortSignal): Promise<void> {
  const row = new RegExp(`^\\S+ +12 +${pid} +[0-9a-f]*[4-7c-f][0-9a-f] `, "m");
  for (let waited = 0; waited < LISTEN_MILLISECONDS; waited += LISTEN_POLL_MILLISECONDS) {
    ended.throwIfAborted();
    if (row.test((await host.readFile(`/proc/${pid}/net/netlink`)) ?? "")) return;
    await wait(LISTEN_POLL_MILLISECONDS, undefined, { signal: ended });
  }
}

function ignoreEnd(): void {
  // Aborted: the loop or the monitor has ended, there is nothing to wait for.
}
