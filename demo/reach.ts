import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt } from "../test/lab/traffic/protocol.ts";
import type { Traffic } from "../test/lab/traffic/traffic.ts";
import { waitFor } from "../test/lab/wait-for.ts";

/** Somebody outside who opens a connection to one place over and over. */
export interface Reach {
  /** Seconds since the first attempt. */
  now(): number;
  /** Waits for an attempt, made at `since` seconds or later, that came to stand or did not; when it was made. */
  until(connects: boolean, since: number): Promise<number>;
  /** A row of signs, one for each fifth of a second: `+` came to stand, `x` did not, a blank where none was made. */
  row(): string;
  stop(): Promise<void>;
}

const EVERY_MILLISECONDS = 200;

export function startReach(traffic: Traffic, attempt: Attempt): Reach {
  const begun = performance.now();
  const made: { readonly at: number; readonly connects: boolean }[] = [];
  const stopped = new AbortController();
  const now = () => (performance.now() - begun) / 1_000;
  const tries: Promise<void>[] = [];

  async function once(): Promise<void> {
    const at = now();
    const { outcome } = await traffic.connect(attempt);
    made.push({ at, connects: outcome === "connected" });
  }

  const loop = (async () => {
    while (!stopped.signal.aborted) {
      // What is refused takes longer than the next one waits.
      tries.push(once());
      await sleep(EVERY_MILLISECONDS);
    }
    await Promise.all(tries);
  })();
  // `stop` throws it.
  loop.catch(() => undefined);

  return {
    now,
    until: (connects, since) =>
      waitFor(
        `${attempt.from} to ${connects ? "reach" : "lose"} ${attempt.to}`,
        () => made.filter((one) => one.connects === connects && one.at >= since).sort((a, b) => a.at - b.at)[0]?.at,
        { timeoutMilliseconds: 60_000, intervalMilliseconds: 20, lastSeen: () => JSON.stringify(made.at(-1)) },
      ),
    row() {
      const signs = Array.from({ length: Math.ceil((now() * 1_000) / EVERY_MILLISECONDS) }, () => " ");
      for (const { at, connects } of made) signs[Math.floor((at * 1_000) / EVERY_MILLISECONDS)] = connects ? "+" : "x";
      return signs.join("").trimEnd();
    },
    async stop() {
      stopped.abort();
      await loop;
    },
  };
}
