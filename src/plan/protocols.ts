import { PROTOCOLS } from "../api/ports.ts";
import type { Protocol } from "./types.ts";

/** The same protocols without repetition, in one order. */
export function inOrder(protocols: readonly Protocol[]): Protocol[] {
  return PROTOCOLS.filter((protocol) => protocols.includes(protocol));
}
