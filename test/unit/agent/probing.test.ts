import { describe, expect, it } from "vitest";
import { probing } from "../../../src/agent/probing.ts";
import { parseGateways, parseNameServers } from "../../../src/kernel/node-probes.ts";

/** A way that answers as `answers` says, one after the other, the last one for ever; each takes no time. */
function way(name: string, ...answers: (boolean | Promise<boolean>)[]) {
  let at = 0;
  return { name, attempts: () => at, passes: async () => (await answers[Math.min(at++, answers.length - 1)]) === true };
}

const quick = { timeoutMilliseconds: 50, attemptMilliseconds: 10, sleep: () => new Promise<void>(setImmediate) };
const of = (...ways: ReturnType<typeof way>[]) => probing({ ...quick, probes: async () => ways });

describe("before a change", () => {
  it("counts what answers now", async () => {
    expect(await of(way("a", true), way("b", false)).before(false)).toEqual(["a"]);
  });

  it("does not wait for what was silent the last time, and counts it again when it answers", async () => {
    let answer = (_: boolean) => {};
    const late = new Promise<boolean>((resolve) => {
      answer = resolve;
    });
    const ways = of(way("slow", false, late, true), way("fast", true));
    expect(await ways.before(false)).toEqual(["fast"]);
    expect(await ways.before(false)).toEqual(["fast"]);
    answer(true);
    await late;
    expect(await ways.before(false)).toEqual(["slow", "fast"]);
  });
});

describe("behind a change", () => {
  it("asks only what is to count, and more than once", async () => {
    const [lost, slow, other] = [way("lost", false), way("slow", false, false, true), way("other", false)];
    expect(await of(lost, slow, other).failing(["lost", "slow"])).toEqual(["lost"]);
    expect(other.attempts()).toBe(0);
    expect(lost.attempts()).toBeGreaterThan(1);
  });

  it("never goes by one attempt, however slow it was", async () => {
    const slow = { name: "slow", attempts: 0, passes: async () => (slow.attempts += 1) > 1 };
    const ways = probing({ ...quick, timeoutMilliseconds: 0, probes: async () => [slow] });
    expect(await ways.failing(["slow"])).toEqual([]);
  });

  it("holds nothing against a way that is not there any more", async () => {
    expect(await of().failing(["gateway 192.0.2.1"])).toEqual([]);
  });
});

it("reads the servers of resolv.conf, and default gateways", () => {
  const text =
    "# a\nsearch x\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n nameserver\t2001:db8::53\nnameserver x\n";
  expect(parseNameServers(text)).toEqual(["192.0.2.53", "2001:db8::53"]);
  expect(
    parseGateways('[{"dst":"default","gateway":"192.0.2.1","dev":"eth0"},{"dst":"default","dev":"ppp0"}]'),
  ).toEqual(["192.0.2.1"]);
  expect(parseGateways("")).toEqual([]);
});
