import type { AddressCount } from "./kernel.ts";
import type { NodeAccess } from "./node-access.ts";
import { parseSavedSets } from "./saved-sets.ts";

/** All by one process. Entries of a set with counters read `192.0.2.7 packets 3 bytes 180`. */
export async function observeTopAddresses(
  node: NodeAccess,
  sets: readonly string[],
  most: number,
): Promise<Map<string, AddressCount[]>> {
  if (sets.length === 0) return new Map();
  const lists = sets.map((name) => `list ${name}\n`).join("");
  const saved = parseSavedSets(await node.run("ipset", ["restore"], lists));
  return new Map(
    [...saved.values()].map(({ name, entries = [] }) => {
      const counts = entries.map(addressCount);
      return [
        name,
        counts.toSorted((a, b) => b.packets - a.packets || (a.address < b.address ? -1 : 1)).slice(0, most),
      ];
    }),
  );
}

function addressCount(entry: string): AddressCount {
  const [address = "", word, packets] = entry.split(" ");
  return { address, packets: word === "packets" ? Number(packets) : 0 };
}
