import type { DroppedPeer } from "../kernel/kernel.ts";
import { compareText } from "../plan/text-order.ts";
import type { DroppingEntry } from "../render/types.ts";

/** Packets of one peer that one entry dropped: a line of the log. */
export type Dropped = DroppingEntry & DroppedPeer;

/** What is not named: of how many peers that are known (there may be more), and all their packets. */
export interface DroppedRest {
  readonly peers: number;
  readonly packets: number;
}

export interface DropLogPace {
  /** Takes what a reading found. `now` in milliseconds, here and below. */
  add(found: readonly Dropped[], now: number): void;
  /**
   * What to say now, at most `perMinute` lines in any minute, the rest included. `counted` is what the policy's rules
   * have dropped so far, as read before what was added.
   */
  next(
    now: number,
    perMinute: number,
    counted: number,
  ): { readonly named: readonly Dropped[]; readonly rest?: DroppedRest };
}

const MINUTE = 60_000;
/** Peers that wait to be named. Who finds no room is part of the rest. */
const WAITING_MAX = 4096;

/**
 * Who comes anew is named at once, then once a minute with what came since: so one that knocks without end does not
 * hide the others. Most packets first, and at most half of the lines that are left at a time, so that there are some for who
 * comes next. Who had to wait for a minute is summed with all that nobody could name.
 */
export function dropLogPace(): DropLogPace {
  const waiting = new Map<string, { readonly dropped: Dropped; readonly since: number }>();
  let said: { readonly key: string; readonly at: number }[] = [];
  /** Packets that were given a name, or were there before. */
  let accounted: number | undefined;
  let taken = 0;
  let restSaidAt = Number.NEGATIVE_INFINITY;

  function add(dropped: Dropped, now: number): void {
    const key = keyOf(dropped);
    const known = waiting.get(key);
    if (known === undefined && waiting.size >= WAITING_MAX) return;
    taken += dropped.packets;
    const packets = dropped.packets + (known?.dropped.packets ?? 0);
    waiting.set(key, { dropped: { ...dropped, packets }, since: known?.since ?? now });
  }

  function restOf(now: number, unnamed: number): DroppedRest | undefined {
    const overdue = [...waiting].filter(([, { since }]) => since <= now - MINUTE);
    if (overdue.length === 0 && (unnamed === 0 || now < restSaidAt + MINUTE)) return undefined;
    for (const [key] of overdue) waiting.delete(key);
    const packets = overdue.reduce((sum, [, { dropped }]) => sum + dropped.packets, unnamed);
    return { peers: overdue.length, packets };
  }

  return {
    add(found, now) {
      for (const dropped of found) add(dropped, now);
    },
    next(now, perMinute, counted) {
      said = said.filter(({ at }) => at > now - MINUTE);
      const free = Math.max(0, perMinute - said.length);
      const recently = new Set(said.map(({ key }) => key));
      const news = [...waiting].filter(([key]) => !recently.has(key)).toSorted(byPackets);
      const half = Math.ceil(free / 2);
      // The last line of a minute is left for the rest.
      const most = news.length <= half ? half : Math.min(half, Math.max(0, free - 1));
      const named = news.slice(0, most).map(([key, { dropped }]) => {
        waiting.delete(key);
        said.push({ key, at: now });
        return dropped;
      });
      accounted ??= Math.max(0, counted - taken);
      accounted += taken;
      taken = 0;
      const unnamed = Math.max(0, counted - accounted);
      const rest = said.length < perMinute ? restOf(now, unnamed) : undefined;
      if (rest === undefined) return { named };
      accounted += unnamed;
      restSaidAt = now;
      said.push({ key: "", at: now });
      return { named, rest };
    },
  };
}

function keyOf({ direction, entry, address, protocol, port }: Dropped): string {
  return `${direction} ${entry} ${address} ${protocol} ${port}`;
}

type Waiting = readonly [string, { readonly dropped: Dropped }];

function byPackets([a, { dropped: m }]: Waiting, [b, { dropped: n }]: Waiting): number {
  return n.packets - m.packets || compareText(a, b);
}
