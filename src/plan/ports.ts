/**
 * Arithmetic on sets of ports. Every function returns the normal form: sorted, disjoint, no two ranges touching, so
 * that equal sets are equal lists.
 */
import type { PortRange } from "./types.ts";

const HIGHEST = 65535;

/** One port item as policies write it: `8443`, `"8443"` or `"30000-32767"`. Throws RangeError naming the item. */
export function parsePortItem(item: number | string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(item));
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || from < 1 || to > HIGHEST || from > to) {
    throw new RangeError(`"${item}" is not a port or a range of ports (1-65535, first not above last)`);
  }
  return { from, to };
}

export function parsePorts(items: readonly (number | string)[]): PortRange[] {
  return normalisePorts(items.map(parsePortItem));
}

export function normalisePorts(ranges: readonly PortRange[]): PortRange[] {
  const normal: PortRange[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = normal.at(-1);
    if (last !== undefined && from <= last.to + 1) {
      normal[normal.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    } else {
      normal.push({ from, to });
    }
  }
  return normal;
}

export function unionPorts(...sets: readonly (readonly PortRange[])[]): PortRange[] {
  return normalisePorts(sets.flat());
}

/** The ports of `ranges` that are not in `taken`. */
export function subtractPorts(ranges: readonly PortRange[], taken: readonly PortRange[]): PortRange[] {
  let rest = normalisePorts(ranges);
  for (const hole of taken) {
    rest = rest.flatMap(({ from, to }) => {
      if (hole.to < from || hole.from > to) return [{ from, to }];
      const below = { from, to: hole.from - 1 };
      const above = { from: hole.to + 1, to };
      return [below, above].filter((part) => part.from <= part.to);
    });
  }
  return rest;
}

/** Whether every port of `inner` is in `outer`. */
export function containsPorts(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  return subtractPorts(inner, outer).length === 0;
}

export function countPorts(ranges: readonly PortRange[]): number {
  return normalisePorts(ranges).reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
