import type { Attempt, AttemptResult, Exchange } from "./protocol.ts";
import { sctpOpener } from "./sctp-connection.ts";
import { openTcp } from "./tcp-connection.ts";
import { openUdp } from "./udp-connection.ts";

/** A connection that stands, until it is released. */
export interface Connection {
  exchange(timeoutMilliseconds: number): Promise<Exchange>;
  release(): void;
}

export interface Opened {
  readonly result: AttemptResult;
  /** Only where the outcome is `connected`. */
  readonly connection?: Connection;
}

/** Tries one connection; never throws. */
export type OpenConnection = (attempt: Attempt, timeoutMilliseconds: number) => Promise<Opened>;

export function connectionOpener(): OpenConnection {
  const open = { tcp: openTcp, udp: openUdp, sctp: sctpOpener() };
  return (attempt, timeoutMilliseconds) => open[attempt.protocol ?? "tcp"](attempt, timeoutMilliseconds);
}
