import { RefusedLine } from "./memory-rules.ts";

interface MemorySet {
  readonly type: string;
  readonly family: string;
  readonly capacity: string;
  readonly entries: Set<string>;
}

export interface MemorySets {
  /** What `ipset restore` does with this text: line by line, stopping at the first error. @returns what it prints @throws {RefusedLine} */
  restore(text: string): string;
  listHeaders(): string;
  has(name: string): boolean;
}

/** ipset, as far as we use it. @param references how many rules name a set */
export function memorySets(references: (name: string) => number): MemorySets {
  const sets = new Map<string, MemorySet>();

  function list(name: string, set: MemorySet, withEntries: boolean): string {
    const header = [
      `Name: ${name}`,
      `Type: ${set.type}`,
      `Header: family ${set.family} maxelem ${set.capacity}`,
      `References: ${references(name)}`,
      `Number of entries: ${set.entries.size}`,
    ];
    return [...header, ...(withEntries ? ["Members:", ...set.entries] : []), ""].join("\n");
  }

  function edit(line: string): string {
    const [verb, name = "", ...words] = line.split(" ");
    const [argument = ""] = words;
    if (verb === "create") {
      if (sets.has(name)) throw new Error("Set cannot be created: set with the same name already exists");
      const family = / family (\S+)/.exec(line)?.[1] ?? "inet";
      sets.set(name, {
        type: argument,
        family,
        capacity: / maxelem (\d+)/.exec(line)?.[1] ?? "65536",
        entries: new Set(),
      });
      return "";
    }
    const set = sets.get(name);
    if (set === undefined) throw new Error("The set with the given name does not exist");
    if (verb === "list") return list(name, set, true);
    if (verb === "add") {
      if (argument.endsWith("/0")) throw new Error("The value of the CIDR parameter of the IP address is invalid");
      if (set.entries.has(argument)) throw new Error("Element cannot be added to the set: it's already added");
      // A list shows the counters as they are given: `192.0.2.7 packets 3 bytes 180`.
      set.entries.add(words.join(" "));
    } else if (verb === "del") {
      if (!set.entries.delete(argument)) throw new Error("Element cannot be deleted from the set: it's not added");
    } else if (verb === "flush") {
      set.entries.clear();
    } else if (verb === "swap") {
      const other = sets.get(argument);
      if (other === undefined) throw new Error("Sets cannot be swapped: the second set does not exist");
      sets.set(name, other).set(argument, set);
    } else if (verb === "destroy") {
      if (references(name) > 0) throw new Error("Set cannot be destroyed: it is in use by a kernel component");
      sets.delete(name);
    } else {
      throw new Error(`Unknown argument: \`${line}'`);
    }
    return "";
  }

  return {
    restore(text) {
      let printed = "";
      text.split("\n").forEach((line, index) => {
        if (line === "") return;
        try {
          printed += edit(line);
        } catch (error) {
          throw new RefusedLine(index + 1, error instanceof Error ? error.message : String(error));
        }
      });
      return printed;
    },
    listHeaders: () => [...sets].map(([name, set]) => list(name, set, false)).join("\n"),
    has: (name) => sets.has(name),
  };
}
