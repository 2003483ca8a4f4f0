import type { SysctlSetting } from "../render/types.ts";
import { SysctlError } from "./errors.ts";
import { parsePorts, printPorts, without } from "./reserved-ports.ts";

/** What a sysctl was before us. `added` (only for `Contains`): what we added to a list and was not in it, as the kernel prints it. */
export interface Original {
  readonly value: string;
  readonly added?: string;
}
export type Originals = Readonly<Record<string, Original>>;

export interface SysctlPlan {
  readonly differences: readonly string[];
  readonly writes: readonly { readonly key: string; readonly value: string }[];
  /** The values of the desired keys that shall also be held from boot on. */
  readonly persisted: readonly { readonly key: string; readonly value: string }[];
  /** To be on disk before the first write. */
  readonly originalsBefore: Originals;
  /** To be on disk after the last. */
  readonly originalsAfter: Originals;
}

/**
 * What to write so that the desired settings hold and all others that we changed have their originals back. The
 * original of a key is taken when it is first desired, also where its value is right already: a later repair must not
 * mistake somebody else's value for the original. A `Contains` key is merged with what is there, and gives back only what we added.
 * @throws {SysctlError} where the kernel does not have a desired key
 */
export function planSysctls(
  desired: readonly SysctlSetting[],
  current: ReadonlyMap<string, string | undefined>,
  originals: Originals,
): SysctlPlan {
  const differences: string[] = [];
  const writes: { key: string; value: string }[] = [];
  const before: Record<string, Original> = { ...originals };
  const after: Record<string, Original> = {};
  const persisted: { key: string; value: string }[] = [];
  for (const { key, value, match, persist } of desired) {
    const now = current.get(key);
    if (now === undefined) throw new SysctlError(key, value, "the kernel has no such key");
    const original = originals[key] ?? { value: now };
    if (match === "Equal") {
      before[key] = after[key] = original;
      if (persist) persisted.push({ key, value });
      if (sameValue(now, value)) continue;
      differences.push(`${key} ${printed(now)}, not ${printed(value)}`);
      writes.push({ key, value });
      continue;
    }
    const [there, ours, added] = [parsePorts(now), parsePorts(value), parsePorts(original.added ?? "")];
    const missing = without(ours, there);
    const surplus = [...added].filter((port) => !ours.has(port) && there.has(port));
    const kept = [...added].filter((port) => ours.has(port));
    before[key] = { ...original, added: printPorts([...added, ...missing]) };
    after[key] = { ...original, added: printPorts([...kept, ...missing]) };
    const goal = printPorts([...without(there, new Set(surplus)), ...ours]);
    if (persist) persisted.push({ key, value: goal });
    if (missing.length > 0) differences.push(`${key} lacks ${printPorts(missing)}`);
    if (surplus.length > 0) differences.push(`${key} still has ${printPorts(surplus)}`);
    if (missing.length + surplus.length > 0) writes.push({ key, value: goal });
  }
  for (const [key, { value, added }] of Object.entries(originals)) {
    const now = current.get(key);
    // A key that is gone (a module unloaded) has nothing to be given back.
    if (key in after || now === undefined) continue;
    const goal = added === undefined ? value : printPorts(without(parsePorts(now), parsePorts(added)));
    if (sameValue(now, goal)) continue;
    differences.push(`${key} ${printed(now)}, not its original ${printed(goal)}`);
    writes.push({ key, value: goal });
  }
  return { differences, writes, persisted, originalsBefore: before, originalsAfter: after };
}

/** Kernel values are words apart by any white space (`ip_local_port_range` prints a tab). */
export function sameValue(a: string, b: string): boolean {
  return words(a) === words(b);
}

function words(value: string): string {
  return value.trim().split(/\s+/).join(" ");
}

function printed(value: string): string {
  return words(value) || "(empty)";
}
