import type { HostView } from "../host-view.ts";
import type { SocketReader } from "../sockets.ts";
import type { Listener } from "./listener.ts";
import { observeProcess, type Process } from "./process.ts";
import { findSocketOwners } from "./socket-owners.ts";

/** The listeners of a moment. */
export interface Listeners {
  readonly all: readonly Listener[];
  /** Processes that could not be looked at, when this last had to search. */
  readonly unreadable: number;
}

/** Who listens, again and again. Not to be used by two at a time. */
export interface ListenerWatch {
  observe(): Promise<Listeners>;
}

/** A socket that nobody seemed to hold may have been between two processes: it is looked for once more. */
const SEARCHES_MAXIMUM = 2;

interface Known {
  readonly process: Process | undefined;
  /** -1: seen, but not looked for yet. */
  readonly searches: number;
}

/**
 * Finding the process of a socket costs a walk through the files of all processes, so it is made for new sockets alone:
 * the inode of one that still listens still stands for it. A worker that inherits a socket goes on under the name that
 * was found first; a caller for whom that matters (an audit) starts a new watch. A UDP socket that comes later is looked
 * for when it is seen again: most are a resolver's and gone by then.
 */
export function listenerWatch(host: HostView, sockets: SocketReader): ListenerWatch {
  let known: ReadonlyMap<number, Known> | undefined;
  let unreadable = 0;
  return {
    async observe() {
      const listening = await sockets.listening();
      const kept = new Map<number, Known>();
      const wanted = new Map<number, number>();
      for (const { inode, protocol } of listening) {
        const before = known?.get(inode) ?? { process: undefined, searches: 0 };
        const comesLater = protocol === "UDP" && known !== undefined && !known.has(inode);
        kept.set(inode, comesLater ? { process: undefined, searches: -1 } : before);
        if (before.process === undefined && before.searches < SEARCHES_MAXIMUM && !comesLater) {
          wanted.set(inode, Math.max(before.searches, 0) + 1);
        }
      }
      if (wanted.size > 0) {
        const owners = await findSocketOwners(host, wanted.keys());
        ({ unreadable } = owners);
        const processes = new Map<number, Process | undefined>();
        for (const pid of new Set(owners.pids.values())) processes.set(pid, await observeProcess(host, pid));
        for (const [inode, searches] of wanted) {
          kept.set(inode, { process: processes.get(owners.pids.get(inode) ?? 0), searches });
        }
      }
      known = kept;
      return { all: listening.map((socket) => withProcess(socket, kept.get(socket.inode)?.process)), unreadable };
    },
  };
}

function withProcess(socket: Listener, process: Process | undefined): Listener {
  return process === undefined ? socket : { ...socket, process };
}
