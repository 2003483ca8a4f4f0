import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt, AttemptResult } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";

/** An attempt, and what must become of it whenever it is made. */
export interface Claim extends Attempt {
  readonly outcome: AttemptResult["outcome"];
}

export interface PacketStream {
  /** Ends it; how many attempts were made, and those that went otherwise than claimed. */
  stop(): Promise<{ readonly made: number; readonly broken: readonly string[] }>;
}

const EVERY_MILLISECONDS = 50;
/** Shorter than the first retransmission of a SYN (1 s, tcp(7)): each attempt is one packet. */
const TIMEOUT_MILLISECONDS = 950;

/** Makes all of these attempts over and over, without waiting for the ones before: a gap of a twentieth of a second shows. */
export function startPacketStream(traffic: Traffic, claims: readonly Claim[]): PacketStream {
  const stopped = new AbortController();
  const rounds: Promise<readonly AttemptResult[]>[] = [];
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      rounds.push(traffic.connectAll(claims, { timeoutMilliseconds: TIMEOUT_MILLISECONDS }));
      await sleep(EVERY_MILLISECONDS);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await loop;
      const results = await Promise.all(rounds);
      const broken = results.flatMap((round, index) =>
        round.flatMap(({ outcome, error }, at) => {
          const claim = claims[at];
          if (claim === undefined || outcome === claim.outcome) return [];
          return [`round ${index}: ${claim.from ?? ""} -> ${claim.to}:${claim.port} ${outcome} ${error ?? ""}`];
        }),
      );
      return { made: results.length * claims.length, broken };
    },
  };
}
