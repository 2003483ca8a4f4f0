import type { Family } from "../plan/node-plan.ts";

/** Whether rules fill sets of this type; all others of ours are lists (hash:net, and hash:ip,port,ip of what is cut). */
export function isCountedType(type: string): boolean {
  return type === "hash:ip" || type === "hash:ip,port";
}

export interface SavedSet {
  readonly name: string;
  readonly type: string;
  readonly family: Family;
  readonly capacity: number;
  readonly references: number;
  readonly size: number;
  /** What `ipset create` takes behind the name to make one like it. */
  readonly create: string;
  /** Undefined where only the header was listed. In the kernel's order. */
  readonly entries: readonly string[] | undefined;
}

/** Reads what `ipset list` printed, with or without `-t`. Where a set is listed twice, the one with entries counts. */
export function parseSavedSets(text: string): Map<string, SavedSet> {
  const sets = new Map<string, SavedSet>();
  for (const block of text.split(/^(?=Name: )/m)) {
    const membersAt = block.indexOf("\nMembers:\n");
    const header = membersAt < 0 ? block : block.slice(0, membersAt);
    const name = /^Name: (\S+)/.exec(header)?.[1];
    if (name === undefined || (membersAt < 0 && sets.has(name))) continue;
    sets.set(name, {
      name,
      type: /^Type: (\S+)/m.exec(header)?.[1] ?? "",
      family: /\bfamily inet6\b/.test(header) ? 6 : 4,
      capacity: Number(/\bmaxelem (\d+)/.exec(header)?.[1] ?? 0),
      references: Number(/^References: (\d+)/m.exec(header)?.[1] ?? 0),
      size: Number(/^Number of entries: (\d+)/m.exec(header)?.[1] ?? 0),
      create: createOf(header),
      entries: membersAt < 0 ? undefined : membersOf(block.slice(membersAt + "\nMembers:\n".length)),
    });
  }
  return sets;
}

/** Without what a kernel fills in by itself. */
function createOf(header: string): string {
  const type = /^Type: (\S+)/m.exec(header)?.[1] ?? "";
  const options = /^Header: (.*)$/m.exec(header)?.[1] ?? "";
  return `${type} ${options.replaceAll(/ (?:bucketsize|initval) \S+/g, "")}`;
}

function membersOf(text: string): string[] {
  const lines = text.split("\n");
  while (lines.at(-1) === "") lines.pop();
  return lines;
}
