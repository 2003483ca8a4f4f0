import { type Listener, listenerName } from "../listeners/listener.ts";
import { reachOf } from "../listeners/reach.ts";
import { type AuditSettings, holdsPort, isProtected } from "../settings.ts";
import type { ProbedListener } from "./probe-plan.ts";

export interface ProbedListeners {
  readonly probed: readonly ProbedListener[];
  /** systemd holds them for services that do not run: a connection would start these. */
  readonly dormant: readonly Listener[];
}

/**
 * Which listeners are connected to: TCP, on protected ports, not in skipProbes. Not those that nobody outside reaches, as
 * what they say is never on a wire. One for each address and port: workers may share them (SO_REUSEPORT).
 */
export function probedListeners(all: readonly Listener[], settings: AuditSettings): ProbedListeners {
  const { skipProbes, probeUnreached = false, judge } = settings;
  const byPlace = new Map<string, Listener>();
  for (const listener of all) {
    const { protocol, address, port } = listener;
    if (protocol !== "TCP" || !isProtected(port, settings) || holdsPort(skipProbes, port)) continue;
    if (!probeUnreached && reachOf(listener, judge) === "Nobody") continue;
    const place = `${address} ${port}`;
    const before = byPlace.get(place);
    if (before === undefined || startedBefore(listener, before)) byPlace.set(place, listener);
  }
  const listeners = [...byPlace.values()];
  return {
    probed: listeners.filter((listener) => !isDormant(listener)).map(probedListener),
    dormant: listeners.filter(isDormant),
  };
}

function probedListener(listener: Listener): ProbedListener {
  const { address, port, process, inode } = listener;
  const name = listenerName(listener);
  // A socket whose process cannot be seen is itself all that is known of it.
  if (process === undefined) return { address, port, name, identity: `${name} ${inode}` };
  const identity = `${name} ${process.pid} ${process.startTicks}`;
  return { address, port, name, identity, process: process.name, processId: process.pid };
}

/** The oldest process stands for its children: it stays when they change. */
function startedBefore({ process: a }: Listener, { process: b }: Listener): boolean {
  return (a?.startTicks ?? Number.POSITIVE_INFINITY) < (b?.startTicks ?? Number.POSITIVE_INFINITY);
}

/** Where the service runs it holds the socket too, and is who was found. */
function isDormant({ process }: Listener): boolean {
  return process?.pid === 1 && process.name === "systemd";
}
