import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createHosts, type Hosts } from "./hosts.ts";
import { ipBatch } from "./ip-batch.ts";
import { type NetworkNamespace, networkNamespace } from "./network-namespace.ts";
import { releaseRun, sweepDeadRuns, temporaryFolderOf } from "./release-run.ts";
import { createRunName } from "./run-name.ts";

/** The lab's own address on its bridge: the default gateway of every host, and where the API server listens. */
export const labAddress = { ipv4: "198.18.0.1", ipv6: "2001:db8:18::1" } as const;

/**
 * A network of its own: one namespace holds the bridge `lab0` (and servers such as the API server); nodes,
 * clients and pods hang below it (`hosts.ts`). Nothing touches the machine's own network, so any number of labs run side by side.
 */
export interface Lab extends Hosts {
  readonly run: string;
  /** The temporary folder; gone with the lab. */
  readonly folder: string;
  /** The namespace that holds the bridge. */
  readonly root: NetworkNamespace;
  /** A further namespace, `<run>-<name>`, with lo up. */
  addNamespace(name: string): Promise<NetworkNamespace>;
  /** Ends the processes inside, then namespaces, then files. Idempotent; also happens at exit and on SIGINT, SIGTERM, SIGHUP. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a lab, after sweeping what killed runs left. Needs root. */
export async function createLab(): Promise<Lab> {
  if (process.getuid?.() !== 0) throw new Error("a lab needs root (network namespaces): run the command with sudo");
  sweepDeadRuns();
  const run = createRunName();
  const folder = temporaryFolderOf(run);
  mkdirSync(folder, { mode: 0o700 });
  const forget = releaseAtExit(run);

  const addNamespace = async (name?: string): Promise<NetworkNamespace> => {
    const namespace = name === undefined ? run : `${run}-${name}`;
    const own = join(folder, name ?? "lab");
    mkdirSync(own);
    // Synchronous: a signal that comes meanwhile is handled after it, and finds the namespace.
    execFileSync("ip", ["netns", "add", namespace]);
    await ipBatch(namespace, ["link set lo up"]);
    return networkNamespace(namespace, own);
  };
  const close = async () => {
    releaseRun(run);
    forget();
  };

  try {
    const root = await addNamespace();
    await ipBatch(run, [
      // Without snooping and forward delay a new port carries IPv6 neighbour discovery at once.
      "link add lab0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      "link set lab0 up",
      `addr add ${labAddress.ipv4}/16 dev lab0`,
      `addr add ${labAddress.ipv6}/64 dev lab0 nodad`,
    ]);
    const hosts = createHosts({ root, gateway: labAddress, addNamespace });
    return { ...hosts, run, folder, root, addNamespace, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Releases the run when the process ends before `close`; returns how to forget that. */
function releaseAtExit(run: string): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onExit = () => releaseRun(run);
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    releaseRun(run);
    // Nobody else handles it: die of it, as without a lab.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const forget = () => {
    process.off("exit", onExit);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on("exit", onExit);
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
