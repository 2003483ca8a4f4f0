import { describe, expect, it, vi } from "vitest";
import { probedWithPeers, type ReachIn, reachIn } from "../../../src/agent/reach-in.ts";
import { reachInPorts } from "../../../src/agent/reach-in-ports.ts";
import type { ProbeAnswer } from "../../../src/api/peer-probes.ts";
import { waitFor } from "../../lab/wait-for.ts";

/** Longer than a test may take: who waits for it waits for the wrong thing. */
const FOREVER = 3_600_000;

interface World {
  readonly reach: ReachIn;
  /** Gives each standing request the answer of the peer of the same place. */
  answer(...answers: readonly Partial<ProbeAnswer>[]): Promise<void>;
}

function world(patienceMilliseconds = FOREVER, ports: readonly number[] = [10250]): World {
  let ids = 0;
  const reach = reachIn({
    ports: async () => ports,
    now: () => 0,
    newId: () => `id-${(ids += 1)}`,
    onChange: () => undefined,
    patienceMilliseconds,
  });
  let answered = 0;
  return {
    reach,
    async answer(...answers) {
      await waitFor("a new question", () => (ids > answered ? true : undefined), { timeoutMilliseconds: 5_000 });
      answered = ids;
      reach.told(reach.requests.flatMap(({ id }, index) => (answers[index] ? [{ id, ...answers[index] }] : [])));
    },
  };
}

const path = { from: "10.0.0.2", to: "10.0.0.1", open: [], refused: [], silent: [] };
const opens = (peer: string) => ({ peer, paths: [{ ...path, open: [10250] }] });
const misses = (peer: string) => ({ peer, paths: [{ ...path, silent: [10250] }] });
const refused = (peer: string) => ({ peer, paths: [{ ...path, refused: [10250] }] });
const cannot = (peer: string) => ({ peer, paths: [{ ...path, problem: "its own rules are changing" }] });
const named = (peer: string) => `reach-in from ${peer} to 10.0.0.1:10250`;

/** What counts before the change, where both peers reach the node. */
async function reachedByBoth(one: World): Promise<readonly string[]> {
  const before = one.reach.before(true);
  await one.answer(opens("b"), opens("c"));
  return before;
}

describe("before a change", () => {
  it("two peers are asked, and what each reaches counts by its name", async () => {
    const one = world();
    expect(await reachedByBoth(one)).toEqual([named("b"), named("c")]);
    expect(one.reach.requests).toMatchObject([{ ports: [10250] }, { ports: [10250] }]);
  });

  it.each([
    ["does not answer", refused("c")],
    ["cannot say", cannot("c")],
    ["is not there", { problem: "no other node" }],
  ])("a peer that %s counts for nothing", async (_, other) => {
    const one = world();
    const before = one.reach.before(true);
    await one.answer(opens("b"), other);
    expect(await before).toEqual([named("b")]);
  });

  it("the second peer is waited for two seconds longer than the first, and no more", async () => {
    vi.useFakeTimers();
    try {
      const one = world();
      const before = one.reach.before(true);
      await vi.advanceTimersByTimeAsync(0);
      one.reach.told(one.reach.requests.slice(0, 1).map(({ id }) => ({ id, ...opens("b") })));
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await before).toEqual([named("b")]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("nobody is asked where nothing listens that must stay reachable", async () => {
    const { reach } = world(FOREVER, []);
    expect(await reach.before(true)).toEqual([]);
    expect(reach.requests).toEqual([]);
  });

  it("peers that were silent once are not waited for again, and count when they answer", async () => {
    vi.useFakeTimers();
    try {
      const one = world(10_000);
      const first = one.reach.before(true);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await first).toEqual([]);
      const second = one.reach.before(true);
      await vi.advanceTimersByTimeAsync(300);
      expect(await second).toEqual([]);
      // Too late for that change, but not for the next.
      one.reach.told(one.reach.requests.map(({ id }) => ({ id, ...opens("b") })));
      const third = one.reach.before(true);
      await vi.advanceTimersByTimeAsync(9_000);
      one.reach.told(one.reach.requests.map(({ id }, index) => ({ id, ...opens(index === 0 ? "b" : "c") })));
      expect(await third).toEqual([named("b"), named("c")]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("behind a change", () => {
  it("nothing is lost where the peers of before still reach the node, and one of them is enough to go on", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    const failing = one.reach.failing(names);
    await one.answer(opens("b"));
    expect(await failing).toEqual([]);
  });

  it("a place is lost where no peer reaches it", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    const failing = one.reach.failing(names);
    await one.answer(misses("b"), refused("c"));
    expect(await failing).toEqual([named("b"), named("c")]);
  });

  it("one peer that is broken loses nothing", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    const failing = one.reach.failing(names);
    await one.answer(misses("b"), opens("c"));
    expect(await failing).toEqual([]);
  });

  it("a peer that was not asked before has no say in what is lost", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    const failing = one.reach.failing(names);
    await one.answer(misses("b"), misses("d"));
    expect(await failing).toEqual([named("b")]);
  });

  it("a probe that is not available any more is no failure", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    expect(await one.reach.failing(names, 5)).toEqual([]);
    const failing = one.reach.failing(names);
    await one.answer(cannot("b"), { problem: "no other node" });
    expect(await failing).toEqual([]);
  });

  it("an answer to an earlier question counts for nothing", async () => {
    const one = world();
    const names = await reachedByBoth(one);
    const [{ id } = { id: "" }] = one.reach.requests;
    const failing = one.reach.failing(names);
    await one.answer();
    one.reach.told([{ id, ...opens("b") }]);
    const peers = ["b", "c"];
    one.reach.told(one.reach.requests.map((request, index) => ({ id: request.id, ...misses(peers[index] ?? "") })));
    expect(await failing).toEqual([named("b"), named("c")]);
  });

  it("a process that did not ask before can judge by the names alone", async () => {
    const one = world();
    const failing = one.reach.failing(["API server 10.0.0.9:6443", named("b"), named("c")]);
    await one.answer(misses("b"), misses("c"));
    expect(await failing).toEqual([named("b"), named("c")]);
  });

  it("each family counts for itself", async () => {
    const six = { ...path, from: "2001:db8::2", to: "2001:db8::1" };
    const one = world();
    const before = one.reach.before(true);
    const both = [path, six].map((way) => ({ ...way, open: [10250] }));
    await one.answer({ peer: "b", paths: both }, { problem: "no other node" });
    const names = await before;
    expect(names).toEqual([named("b"), "reach-in from b to [2001:db8::1]:10250"]);
    const failing = one.reach.failing(names);
    await one.answer(
      {
        peer: "b",
        paths: [
          { ...path, open: [10250] },
          { ...six, silent: [10250] },
        ],
      },
      { problem: "x" },
    );
    expect(await failing).toEqual(["reach-in from b to [2001:db8::1]:10250"]);
  });
});

describe("the questions", () => {
  it("stand until it is over, so that the node is asked by nobody meanwhile", async () => {
    const one = world();
    expect(one.reach.underWay).toBe(false);
    const names = await reachedByBoth(one);
    expect(one.reach.requests).toHaveLength(2);
    expect(one.reach.underWay).toBe(true);
    const failing = one.reach.failing(names);
    await one.answer(opens("b"), opens("c"));
    await failing;
    expect(one.reach.requests).toHaveLength(2);
    one.reach.over();
    expect(one.reach.requests).toEqual([]);
    expect(one.reach.underWay).toBe(false);
  });

  it("end with the change: nobody waits on", async () => {
    const one = world();
    const before = one.reach.before(true);
    await waitFor("the question", () => one.reach.requests[0], { timeoutMilliseconds: 5_000 });
    one.reach.over();
    expect(await before).toEqual([]);
  });
});

it("the word of peers is not waited for where the node itself does not reach what it needs", async () => {
  const never = new Promise<never>(() => undefined);
  const own = { before: async () => ["API server"], failing: async () => ["API server"] };
  const peers = { before: async () => ["reach-in"], failing: () => never };
  const both = probedWithPeers(own, peers);
  expect(await both.before(true)).toEqual(["API server", "reach-in"]);
  expect(await both.before(false)).toEqual(["API server"]);
  expect(await both.failing(["API server", "reach-in"])).toEqual(["API server"]);
});

it("is asked of TCP ports that failsafes keep open, on which something listens, and that may be probed: four at most", () => {
  const tcp = (from: number, to = from) => ({ protocol: "TCP" as const, ports: [{ from, to }] });
  const failsafes = [tcp(22), tcp(10250), tcp(2379, 2380), { protocol: "UDP" as const, ports: [{ from: 53, to: 53 }] }];
  const listening = [10250, 8080, 22].map((port) => ({ protocol: "TCP" as const, port }));
  expect(reachInPorts({ failsafes, skipped: [], listening: [...listening, { protocol: "UDP", port: 53 }] })).toEqual([
    22, 10250,
  ]);
  expect(reachInPorts({ failsafes, skipped: [{ from: 1, to: 1023 }], listening })).toEqual([10250]);
  expect(reachInPorts({ failsafes, skipped: [], listening: [] })).toEqual([]);
  const many = Array.from({ length: 10 }, (_, port) => ({ protocol: "TCP" as const, port: port + 1 }));
  expect(reachInPorts({ failsafes: [tcp(1, 100)], skipped: [], listening: many })).toEqual([1, 2, 3, 4]);
});
