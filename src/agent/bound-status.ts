import type { NodeStateStatus } from "../api/node-state.ts";
import { STATUS_CUTS } from "./status-cuts.ts";
import { PLACES } from "./status-places.ts";

/** Of JSON in UTF-8. The API server keeps, and the controller reads, one for each of 5,000 nodes. */
export const STATUS_MAX_BYTES = 32 * 1024;

/**
 * `status` shortened until it has at most 32 KiB, the least important first, and what was left out said in it. Counts and the
 * state of each policy stay. The very same object where it fits as it is, which is the rule. Pure.
 */
export function boundStatus(status: NodeStateStatus): NodeStateStatus {
  let short = status;
  let said = status;
  for (const [name, most] of STATUS_CUTS) {
    if (bytesOf(said) <= STATUS_MAX_BYTES) return said;
    const { size, cut } = PLACES[name];
    if (size(short) <= most) continue;
    short = cut(short, most);
    said = { ...short, leftOut: leftOut(status, short) };
  }
  return said;
}

function leftOut(whole: NodeStateStatus, short: NodeStateStatus): string[] {
  return Object.entries(PLACES).flatMap(([name, { size, unit = "" }]) => {
    const [was, is] = [size(whole), size(short)];
    return is < was ? [`${name}: ${is} of ${was}${unit}`] : [];
  });
}

function bytesOf(status: NodeStateStatus): number {
  return Buffer.byteLength(JSON.stringify(status));
}
