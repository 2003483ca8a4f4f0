/** What policies in mode Observe would change on this node, as the kernel counted it. */
import { OBSERVED_MAX, type ObservedOnNode, TOP_PEERS_MAX } from "../api/observed.ts";
import type { AddressCount, Kernel } from "../kernel/kernel.ts";
import type { Would } from "../render/tally.ts";
import type { RuleSet } from "../render/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { CountedRule, EntryDrops } from "./drop-counts.ts";

export interface ObservedPackets extends EntryDrops {
  readonly would: Would;
}

const CHAINS: Readonly<Record<Would, string>> = { Drop: "PH-WDC-", Open: "PH-WOC-" };

/** Rules of the chains that count for entries. */
export function tallied(would: Would): CountedRule {
  return (chain) => chain.startsWith(CHAINS[would]);
}

/** Those that met packets, most of them first, as many as a status holds. */
export function topEntries(drops: readonly EntryDrops[], opens: readonly EntryDrops[]): ObservedPackets[] {
  const all = [
    ...drops.map((entry) => ({ ...entry, would: "Drop" as const })),
    ...opens.map((entry) => ({ ...entry, would: "Open" as const })),
  ];
  const name = ({ policy, direction, would, entry }: ObservedPackets) => `${policy} ${direction} ${would} ${entry}`;
  return all
    .filter(({ packets }) => packets > 0)
    .toSorted((a, b) => b.packets - a.packets || (name(a) < name(b) ? -1 : 1))
    .slice(0, OBSERVED_MAX);
}

/** The same with the addresses that had most of the packets. Never throws: without addresses where they cannot be read. */
export async function withTopPeers(
  entries: readonly ObservedPackets[],
  rules: RuleSet | undefined,
  kernel: Pick<Kernel, "topAddresses">,
  log: Logger,
): Promise<ObservedOnNode[]> {
  const setsOf = entries.map((entry) => (rules === undefined ? [] : talliesOf(entry, rules)));
  let found: ReadonlyMap<string, readonly AddressCount[]> = new Map();
  try {
    found = await kernel.topAddresses(setsOf.flat(), TOP_PEERS_MAX);
  } catch (err) {
    // Addresses inform; the next reading has them again.
    log.warn({ err }, "addresses that observers counted not read");
  }
  return entries.map((entry, index) => {
    const peers = (setsOf[index] ?? []).flatMap((set) => found.get(set) ?? []);
    const topPeers = peers.toSorted((a, b) => b.packets - a.packets).slice(0, TOP_PEERS_MAX);
    return { ...entry, topPeers };
  });
}

/** The sets that an entry's chains fill, one in each family. */
function talliesOf({ policy, direction, entry, would }: ObservedPackets, { tables }: RuleSet): string[] {
  return tables
    .filter(({ name }) => (name === "filter") === (direction === "Outbound"))
    .flatMap(({ chains }) => chains.filter(({ name }) => name.startsWith(CHAINS[would])))
    .flatMap(({ rules }) =>
      rules.flatMap((rule) => {
        const [, owner, set] = /--comment "([^"]+)" -j SET --add-set (\S+)/.exec(rule) ?? [];
        return set !== undefined && owner?.startsWith(`${policy}/${entry}/`) ? [set] : [];
      }),
    );
}
