import type { HostView } from "../host-view.ts";

export interface SocketOwners {
  /** The process that holds each socket, by the socket's inode. */
  readonly pids: ReadonlyMap<number, number>;
  /** Processes whose files could not be looked at, for want of rights. */
  readonly unreadable: number;
}

/**
 * Finds who holds sockets, by the links in /proc/PID/fd. Where several do, the first that is not pid 1: the parent of a
 * family of workers, the service and not the systemd that opened its socket. Processes of this network namespace are
 * looked at first, as a socket rarely leaves its own; it ends when all are found.
 */
export async function findSocketOwners(host: HostView, inodes: Iterable<number>): Promise<SocketOwners> {
  const wanted = new Set(inodes);
  const pids = new Map<number, number>();
  let unreadable = 0;
  if (wanted.size === 0) return { pids, unreadable };
  for (const pid of await searchOrder(host)) {
    // A walk over ten thousand files must not hold everything else up.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      for (const file of (await host.readFolder(`/proc/${pid}/fd`)) ?? []) {
        const inode = socketInode(await host.readLink(`/proc/${pid}/fd/${file}`));
        if (inode === undefined || !wanted.delete(inode)) continue;
        pids.set(inode, pid);
        if (wanted.size === 0) return { pids, unreadable };
      }
    } catch {
      // EACCES without root: the caller says that it did not see everything.
      unreadable += 1;
    }
  }
  return { pids, unreadable };
}

function socketInode(target: string | undefined): number | undefined {
  return target?.startsWith("socket:[") ? Number(target.slice("socket:[".length, -1)) : undefined;
}

async function searchOrder(host: HostView): Promise<number[]> {
  const own = await namespaceOf(host, "self");
  const here: number[] = [];
  const elsewhere: number[] = [];
  const names = ((await host.readFolder("/proc")) ?? []).filter((name) => /^\d+$/.test(name));
  for (const pid of names.map(Number).toSorted(initLast)) {
    const namespace = await namespaceOf(host, pid);
    (namespace === own ? here : elsewhere).push(pid);
  }
  return [...here, ...elsewhere];
}

function initLast(a: number, b: number): number {
  return a === 1 || b === 1 ? b - a : a - b;
}

async function namespaceOf(host: HostView, pid: number | "self"): Promise<string | undefined> {
  try {
    return await host.readLink(`/proc/${pid}/ns/net`);
  } catch {
    // Another user's: whether it is here is unknown, so it is looked at later.
    return undefined;
  }
}
