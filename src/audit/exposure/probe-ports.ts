import type { ListeningSocket } from "../sockets.ts";

interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Enough for nearly every node; where there are more, each audit takes others. */
const LISTENING_MAX = 64;
const CLOSED_MAX = 16;
/** Of ports drawn for the sample; those that are taken or skipped are drawn in vain. */
const DRAWS_MAX = 256;

/**
 * The TCP ports that a peer is to try: those on which something listens, and a sample of the others, as a firewall is no
 * better than where nobody listens yet. Which ones depends on `seed` alone, so it is others in each audit.
 */
export function probePorts(
  listeners: readonly ListeningSocket[],
  ports: { readonly protectedPorts: readonly PortRange[]; readonly skipProbes: readonly PortRange[] },
  seed: string,
): number[] {
  const draw = drawer(seed);
  const skipped = (port: number): boolean => within(ports.skipProbes, port);
  const taken = new Set(listeners.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port));
  const outside = new Set(listeners.filter(canBeReached).map(({ port }) => port));
  const listening = [...outside]
    .filter((port) => within(ports.protectedPorts, port) && !skipped(port))
    .map((port) => ({ port, order: draw() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, LISTENING_MAX)
    .map(({ port }) => port);
  const closed = new Set<number>();
  const size = ports.protectedPorts.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  for (let draws = 0; draws < DRAWS_MAX && closed.size < CLOSED_MAX && size > 0; draws++) {
    const port = portAt(ports.protectedPorts, Math.floor(draw() * size));
    if (!taken.has(port) && !skipped(port)) closed.add(port);
  }
  return [...listening, ...closed].toSorted((a, b) => a - b);
}

function canBeReached({ protocol, address }: ListeningSocket): boolean {
  return protocol === "TCP" && address !== "::1" && !address.startsWith("127.");
}

function within(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ from, to }) => from <= port && port <= to);
}

/** `index` counts through all ranges, one behind the other. */
function portAt(ranges: readonly PortRange[], index: number): number {
  let rest = index;
  for (const { from, to } of ranges) {
    if (rest <= to - from) return from + rest;
    rest -= to - from + 1;
  }
  throw new RangeError(`there is no port ${index}`);
}

/** Numbers in [0, 1) from a text: FNV-1a, then splitmix32. Spread is all that is asked of them. */
function drawer(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
