import { expect, it } from "vitest";
import type { DriftEvent, Kernel } from "../../../src/kernel/kernel.ts";
import { sample } from "./samples.ts";
import { type Subject, tamper } from "./subject.ts";

/** Watches, once the monitor listens. */
async function watching(kernel: Kernel) {
  const ended = new AbortController();
  const events: DriftEvent[] = [];
  let told = (): void => {};
  const next = () =>
    new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("no drift event within 5 s")), 5_000);
      told = () => {
        clearTimeout(late);
        resolve();
      };
    });
  const listening = next();
  const done = kernel.watch(ended.signal, (event) => {
    events.push(event);
    told();
  });
  await listening;
  events.length = 0;
  return {
    events,
    next,
    async stop() {
      ended.abort();
      await done;
    },
  };
}

export function describeWatch(current: () => Subject): void {
  it("tells at once who touched our tables, and nothing of its own writes", async () => {
    const kernel = current().start();
    const watch = await watching(kernel);
    await kernel.apply(sample);
    const event = watch.next();
    const pid = await tamper(current(), 4, "-F PH-IN");
    const done = Date.now();
    await event;
    // Polling would take five seconds; a loaded machine takes some of the time.
    expect(Date.now() - done).toBeLessThan(1_000);
    // Had its own writes been told of, their process would be named first.
    expect(watch.events.map(({ by }) => by)).toEqual([`process ${pid} (iptables-nft-re)`]);
    await watch.stop();
  });

  it("tells of many changes in a row with few events, the last of them after the last change", async () => {
    const kernel = current().start();
    await kernel.apply(sample);
    const watch = await watching(kernel);
    let last = 0;
    for (let change = 0; change < 30; change++) {
      last = Date.now();
      await tamper(current(), 6, "-A PH-IN -j RETURN");
    }
    await expect.poll(() => watch.events.at(-1)?.at ?? 0, { timeout: 30_000 }).toBeGreaterThanOrEqual(last);
    expect(watch.events.length).toBeLessThan(20);
    await watch.stop();
  });
}
