import type { AddressSet } from "../plan/node-plan.ts";
import type { CountedSet } from "../render/types.ts";
import { isOurSet, SWAP_SET } from "./ownership.ts";
import type { SavedSet } from "./saved-sets.ts";

const CAPACITY = 1_048_576;

export interface SetsPlan {
  readonly differences: readonly string[];
  /** Input of `ipset restore` for before the rules are written; undefined: nothing to write. */
  readonly restore: string | undefined;
  /** Sets that are filled anew, not edited in place. */
  readonly rewritten: readonly string[];
  /** Sets to destroy once no rule of ours names them. */
  readonly obsolete: readonly string[];
}

/**
 * What makes the sets match. New ones are created whole. Where less than half of a set changes it is edited in place,
 * adding before deleting, so that no moment is narrower than both contents; else a new one takes its place at once (`swap`).
 * A set that only its header was listed of is judged by its size. Counted sets, whose entries are the kernel's, are only
 * made. A stale set that somebody else's rule uses is theirs now.
 */
export function planSets(
  desired: readonly AddressSet[],
  counted: readonly CountedSet[],
  saved: ReadonlyMap<string, SavedSet>,
): SetsPlan {
  const differences: string[] = [];
  const lines: string[] = [];
  const rewritten: string[] = [];
  let swaps = 0;
  for (const set of desired) {
    const now = saved.get(set.name);
    if (now === undefined) {
      differences.push(`set ${set.name} missing`);
      rewritten.push(set.name);
      lines.push(...createLines(set.name, set));
      continue;
    }
    if (now.type !== (set.type ?? "hash:net") || now.family !== set.family) {
      differences.push(`set ${set.name} is ${now.type} of IPv${now.family}`);
      rewritten.push(set.name);
      lines.push(`destroy ${set.name}`, ...createLines(set.name, set));
      continue;
    }
    const { add, remove } = edits(set, now);
    const changes = Math.max(add.length + remove.length, Math.abs(now.size - set.entries.length));
    if (changes === 0 && now.capacity === CAPACITY) continue;
    differences.push(
      changes === 0
        ? `set ${set.name} holds at most ${now.capacity}`
        : `set ${set.name} ${changes} of ${Math.max(now.size, set.entries.length)} entries`,
    );
    if (now.capacity === CAPACITY && changes < Math.max(now.size, set.entries.length) / 2) {
      lines.push(
        ...add.map((entry) => `add ${set.name} ${entry}`),
        ...remove.map((entry) => `del ${set.name} ${entry}`),
      );
      continue;
    }
    rewritten.push(set.name);
    const fresh = `${SWAP_SET}${swaps++}`;
    if (saved.has(fresh)) lines.push(`destroy ${fresh}`);
    lines.push(...createLines(fresh, set), `swap ${fresh} ${set.name}`, `destroy ${fresh}`);
  }
  for (const set of counted) {
    const now = saved.get(set.name);
    // The options are part of the name.
    if (now !== undefined && set.create.startsWith(`${now.type} `) && now.family === set.family) continue;
    differences.push(
      now === undefined ? `set ${set.name} missing` : `set ${set.name} is ${now.type} of IPv${now.family}`,
    );
    if (now !== undefined) lines.push(`destroy ${set.name}`);
    lines.push(`create ${set.name} ${set.create}`);
  }
  const wanted = new Set([...desired, ...counted].map(({ name }) => name));
  const stale = [...saved.values()].filter(({ name }) => isOurSet(name) && !wanted.has(name));
  // The ones that no rule uses are differences; the others can only be told once our rules are written.
  differences.push(...stale.filter(({ references }) => references === 0).map(({ name }) => `set ${name} left over`));
  return {
    differences,
    rewritten,
    restore: lines.length === 0 ? undefined : `${lines.join("\n")}\n`,
    obsolete: stale.map(({ name }) => name),
  };
}

function edits(set: AddressSet, now: SavedSet): { add: readonly string[]; remove: readonly string[] } {
  if (now.entries === undefined) return { add: [], remove: [] };
  const have = new Set(now.entries);
  const add = set.entries.filter((entry) => !have.has(entry));
  if (have.size + add.length === set.entries.length) return { add, remove: [] };
  const want = new Set(set.entries);
  return { add, remove: now.entries.filter((entry) => !want.has(entry)) };
}

function createLines(name: string, { family, type = "hash:net", entries }: AddressSet): string[] {
  return [
    `create ${name} ${type} family ${family === 4 ? "inet" : "inet6"} maxelem ${CAPACITY}`,
    ...entries.map((entry) => `add ${name} ${entry}`),
  ];
}
