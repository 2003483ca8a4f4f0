import { describe, expect, it } from "vitest";
import { type DropLogPace, type Dropped, dropLogPace } from "../../../src/agent/drop-log-pace.ts";

const SECOND = 1_000;

function from(address: string, packets = 1, port = 8443): Dropped {
  return { policy: "firm", direction: "Inbound", entry: "default", address, protocol: "TCP", port, packets };
}
const many = (count: number, packets = 1) =>
  Array.from({ length: count }, (_, index) => from(`10.0.0.${index}`, packets));

/** Looks every three seconds, as an agent does. `found` by the second in which it is. */
function run(seconds: number, perMinute: number, found: (second: number) => readonly Dropped[], pace = dropLogPace()) {
  const lines: { readonly at: number; readonly text: string; readonly packets: number }[] = [];
  let counted = 0;
  for (let at = 0; at <= seconds; at += 3) {
    const dropped = found(at);
    counted += dropped.reduce((sum, { packets }) => sum + packets, 0);
    pace.add(dropped, at * SECOND);
    const { named, rest } = pace.next(at * SECOND, perMinute, counted);
    for (const { address, packets } of named) lines.push({ at, text: address, packets });
    if (rest !== undefined) lines.push({ at, text: `${rest.peers} more`, packets: rest.packets });
  }
  return { lines, counted };
}

describe("the pace of the drop log", () => {
  it("names who comes anew at once", () => {
    const { lines } = run(9, 10, (at) => (at === 3 ? [from("192.0.2.1", 5)] : at === 6 ? [from("192.0.2.2")] : []));
    expect(lines).toEqual([
      { at: 3, text: "192.0.2.1", packets: 5 },
      { at: 6, text: "192.0.2.2", packets: 1 },
    ]);
  });

  it("names one that goes on once a minute, with all that came meanwhile", () => {
    const { lines } = run(126, 10, () => [from("192.0.2.1", 2)]);
    expect(lines).toEqual([
      { at: 0, text: "192.0.2.1", packets: 2 },
      { at: 60, text: "192.0.2.1", packets: 40 },
      { at: 120, text: "192.0.2.1", packets: 40 },
    ]);
  });

  it("tells ports of one source apart", () => {
    const { lines } = run(0, 10, () => [from("192.0.2.1", 2), from("192.0.2.1", 1, 9000)]);
    expect(lines).toHaveLength(2);
  });

  it.each([1, 2, 3, 10, 60])("says at most %d lines in any minute, and no packet gets lost", (perMinute) => {
    const { lines, counted } = run(600, perMinute, (at) => (at <= 300 ? many(50, 1 + (at % 7)) : []));
    for (const { at } of lines)
      expect(lines.filter((other) => other.at > at - 60 && other.at <= at).length).toBeLessThanOrEqual(perMinute);
    expect(lines.reduce((sum, { packets }) => sum + packets, 0)).toBe(counted);
  });

  it("names those with most packets first, and keeps lines for who comes next", () => {
    const { lines } = run(6, 10, (at) =>
      at === 0 ? [...many(50), from("192.0.2.1", 9)] : at === 6 ? [from("192.0.2.2", 9)] : [],
    );
    expect(lines[0]).toEqual({ at: 0, text: "192.0.2.1", packets: 9 });
    expect(lines.filter(({ at }) => at === 0)).toHaveLength(5);
    expect(lines.find(({ text }) => text === "192.0.2.2")?.at).toBe(6);
  });

  it("sums who waited for a minute in one line", () => {
    const { lines } = run(60, 4, (at) => (at === 0 ? many(20, 2) : []));
    expect(lines.filter(({ text }) => !text.endsWith("more")).map(({ at }) => at)).toEqual([0, 0, 3, 60, 60]);
    expect(lines.at(-1)).toEqual({ at: 60, text: "15 more", packets: 30 });
  });

  it("says how many packets were counted and never named, once a minute", () => {
    const pace: DropLogPace = dropLogPace();
    // What was there before is not said.
    expect(pace.next(0, 10, 1000)).toEqual({ named: [] });
    pace.add([from("192.0.2.1", 2)], 3 * SECOND);
    expect(pace.next(3 * SECOND, 10, 1042)).toEqual({ named: [from("192.0.2.1", 2)], rest: { peers: 0, packets: 40 } });
    expect(pace.next(6 * SECOND, 10, 1050)).toEqual({ named: [] });
    expect(pace.next(63 * SECOND, 10, 1050)).toEqual({ named: [], rest: { peers: 0, packets: 8 } });
  });

  it("remembers only so many who wait, and counts the others among the rest", () => {
    const pace = dropLogPace();
    const crowd = Array.from({ length: 6_000 }, (_, index) => from(`10.0.${index >> 8}.${index & 255}`));
    expect(pace.next(0, 2, 0)).toEqual({ named: [] });
    pace.add(crowd, 3 * SECOND);
    const { named, rest } = pace.next(3 * SECOND, 2, 6_000);
    expect(named).toHaveLength(1);
    expect(rest).toEqual({ peers: 0, packets: 6_000 - 4_096 });
    expect(pace.next(63 * SECOND, 2, 6_000).rest).toEqual({ peers: 4_094, packets: 4_094 });
  });
});
