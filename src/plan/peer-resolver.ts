/**
 * Peers -> named sets of addresses. A set's name is a hash of what the entry SAYS (blocks and group references), not of
 * the addresses found: so an edit of a group changes the entries of a set and not one rule. Equal peers share a set.
 */
import { setEntries } from "./cidrs.ts";
import { contentHash } from "./content-hash.ts";
import { groupReader } from "./group-prefixes.ts";
import { describeGroupRef, normaliseGroupRefs, referredGroups } from "./group-refs.ts";
import type { AddressSet, Family, PlanWarning, ResolvedList, ResolvedPeers } from "./node-plan.ts";
import type { Prefix } from "./prefix.ts";
import { formatPrefix, parsePrefix } from "./prefix-text.ts";
import { byName } from "./text-order.ts";
import type { GroupAddresses, GroupRef, PeerList, Peers } from "./types.ts";

const FAMILIES: readonly Family[] = [4, 6];

/**
 * Where peers stand; decides what of a group counts and who hears of trouble with it. An exemption from a limit is an
 * "allow": it opens, as an allow does.
 */
export interface PeerUse {
  readonly policy: string;
  readonly list: "allow" | "deny";
}

export interface PeerResolver {
  /**
   * With groups both families have a set, empty or not, so that a group's first address of a family needs no new rule;
   * without groups a family that has no address has no set. Throws RangeError on a text that is no CIDR.
   */
  resolve(peers: Peers, use: PeerUse): ResolvedPeers;
  resolveList(peers: PeerList, use: PeerUse): ResolvedList;
  /** A list of blocks and nothing else, which no policy answers for. */
  addresses(cidrs: readonly string[]): ResolvedList;
  /** `ph-4-<suffix>` and `ph-6-<suffix>`, empty or not. */
  define(suffix: string, prefixes: readonly Prefix[]): ResolvedList;
  /** Every set asked for so far, by name. */
  sets(): AddressSet[];
  /** Every warning so far, each once, in a fixed order. */
  warnings(): PlanWarning[];
}

export function peerResolver(groups: readonly GroupAddresses[]): PeerResolver {
  const read = groupReader();
  const sets = new Map<string, AddressSet>();
  const warnings = new Map<string, PlanWarning>();

  const warn = (warning: PlanWarning) => {
    warnings.set(`${warning.policy} ${warning.reason} ${warning.message}`, warning);
  };

  const referred = (ref: GroupRef, { policy, list }: PeerUse): readonly GroupAddresses[] => {
    const found = referredGroups(ref, groups);
    if (found.length === 0 && "nodes" in ref) {
      // Nodes that nobody matches have a group all the same, an empty one.
      const message = `${describeGroupRef(ref)}: their addresses are not known, so it matches nothing`;
      warn({ policy, reason: "NodeAddressesMissing", message });
    } else if (found.length === 0) {
      const message = `${describeGroupRef(ref)}: there is none, so it matches nothing`;
      warn({ policy, reason: "AddressGroupMissing", message });
    }
    for (const group of list === "deny" ? found : []) {
      const [first, ...others] = read(group).tooWide;
      if (first === undefined) continue;
      const left = `${formatPrefix(first)}${others.length === 0 ? "" : ` and ${others.length} more`}`;
      const rule = "a deny takes no prefix shorter than /8 (IPv4) or /16 (IPv6) from a group";
      warn({
        policy,
        reason: "DenyPrefixIgnored",
        message: `address group "${group.name}": ${left} left out: ${rule}`,
      });
    }
    return found;
  };

  const define = (family: Family, suffix: string, prefixes: () => readonly Prefix[]): string => {
    const name = `ph-${family}-${suffix}`;
    if (!sets.has(name)) {
      const entries = setEntries(prefixes().filter((prefix) => prefix.family === family));
      sets.set(name, { name, family, entries });
    }
    return name;
  };

  const resolveList: PeerResolver["resolveList"] = (peers, use) => {
    const refs = normaliseGroupRefs(peers.groups);
    const found = refs.flatMap((ref) => referred(ref, use));
    // The list is part of the identity only where it decides about the content.
    const said = refs.length === 0 ? {} : { groups: refs, list: use.list };
    const names = FAMILIES.flatMap((family) => {
      const cidrs = peers.cidrs.filter((cidr) => cidr.includes(":") === (family === 6));
      if (cidrs.length === 0 && refs.length === 0) return [];
      const prefixes = () => [
        ...cidrs.map(parsePrefix),
        ...found.flatMap((group) => (use.list === "deny" ? read(group).deniable : read(group).all)),
      ];
      return [[family, define(family, contentHash({ cidrs, ...said }, 12), prefixes)] as const];
    });
    return { sets: Object.fromEntries(names) };
  };

  return {
    resolve: (peers, use) => (peers === "Everybody" ? peers : resolveList(peers, use)),
    resolveList,
    addresses: (cidrs) => resolveList({ cidrs, groups: [] }, { policy: "", list: "allow" }),
    define(suffix, prefixes) {
      return { sets: { 4: define(4, suffix, () => prefixes), 6: define(6, suffix, () => prefixes) } };
    },
    sets: () => [...sets.values()].toSorted(byName),
    warnings: () => [...warnings].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, warning]) => warning),
  };
}
