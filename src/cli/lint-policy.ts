import type { PortHardeningPolicy } from "../api/policy.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import { subtractCidrs } from "../plan/cidrs.ts";
import { clusterAddresses } from "../plan/cluster-addresses.ts";
import { compile } from "../plan/compile.ts";
import { DEFAULT_FAILSAFES } from "../plan/failsafes.ts";
import { referredGroups } from "../plan/group-refs.ts";
import { coversInterface } from "../plan/interfaces.ts";
import { containsPorts, subtractPorts } from "../plan/ports.ts";
import { formatPrefix } from "../plan/prefix-text.ts";
import type { GroupAddresses, InterfaceMatch, Peers, Plan, PlanEntry, PortRange } from "../plan/types.ts";

/** Something that a policy may say but that has no effect. `path` as in schema problems. */
export interface Warning {
  readonly path: string;
  readonly message: string;
}

/** The policy's plan on a node that it selects, whatever this install's sysctls. */
export function planAnywhere({ spec: { nodeSelector: _, ...spec }, ...policy }: PortHardeningPolicy): Plan {
  const everywhere = { ...policy, spec };
  const plan = compile(everywhere, { name: "any", labels: {} }, { allowedSysctls: Object.keys(spec.sysctls ?? {}) });
  if (plan === undefined) throw new Error("a policy without nodeSelector selects every node");
  return plan;
}

/** What in one policy is without effect, whatever else is in force. */
export function lintPolicy(policy: PortHardeningPolicy, plan: Plan): Warning[] {
  const { inbound, rateLimits } = plan;
  const limits = rateLimits.flatMap(({ name, interfaces }) => {
    const path = `spec.rateLimits[${indexOf(policy.spec.rateLimits, name)}].interfaces`;
    return interfaceWarnings(path, interfaces);
  });
  if (inbound === undefined) return limits;
  const scope = "spec.firewall.inbound";
  const spec = policy.spec.firewall?.inbound;
  const at = (list: "allow" | "deny", name: string) => `${scope}.${list}[${indexOf(spec?.[list], name)}]`;
  return [
    ...interfaceWarnings(`${scope}.interfaces`, inbound.interfaces),
    ...[...inbound.deny, ...inbound.allow].flatMap((entry) => {
      const path = at(inbound.deny.includes(entry) ? "deny" : "allow", entry.name);
      return matchesNobody(entry.peers)
        ? [{ path: `${path}.from`, message: "no address is left, so it matches nothing" }]
        : [];
    }),
    ...inbound.deny.flatMap((entry) => failsafeWarnings(at("deny", entry.name), entry)),
    ...inbound.allow.flatMap((entry, index): Warning[] => {
      const path = at("allow", entry.name);
      const denied = inbound.deny.find((deny) => coversEntry(deny, entry));
      if (denied !== undefined) {
        return [{ path, message: `never matches: deny "${denied.name}" covers all of it, and deny beats allow` }];
      }
      // Of two that say the same only one is named.
      const covers = (other: PlanEntry, place: number) =>
        place !== index && coversEntry(other, entry) && (place < index || !coversEntry(entry, other));
      const wider = inbound.allow.find(covers);
      return wider === undefined ? [] : [{ path, message: `has no effect: allow "${wider.name}" covers all of it` }];
    }),
  ];
}

function failsafeWarnings(path: string, entry: PlanEntry): Warning[] {
  const open = DEFAULT_FAILSAFES.inbound.filter(
    ({ peers, protocol }) => peers === "Everybody" && entry.protocols.includes(protocol),
  );
  return open.flatMap(({ name, protocol, ports }) => {
    const shared = ports.filter((port) => !disjoint(port, entry.ports));
    if (shared.length === 0) return [];
    const shown = shared.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
    return [{ path, message: `has no effect on ${protocol} ${shown}: failsafe "${name}" passes before any policy` }];
  });
}

/** Denies of addresses of the trusted cluster, as far as `groups` tell them. Pods may come in where they are not trusted. */
export function trustWarnings(
  policy: PortHardeningPolicy,
  { inbound }: Plan,
  groups: readonly GroupAddresses[],
): Warning[] {
  if (inbound?.trustCluster !== true) return [];
  const { nodes } = clusterAddresses(groups);
  const trusted = nodes.map(formatPrefix);
  return inbound.deny.flatMap(({ name, peers }) => {
    if (peers === "Everybody") return [];
    const named = [...peers.cidrs, ...peers.groups.flatMap((ref) => referredGroups(ref, groups)).flatMap(addressesOf)];
    const spared = subtractCidrs(trusted, subtractCidrs(trusted, named));
    if (spared.length === 0) return [];
    const more = spared.length > 3 ? ` and ${spared.length - 3} more` : "";
    const path = `spec.firewall.inbound.deny[${indexOf(policy.spec.firewall?.inbound?.deny, name)}]`;
    const whom = `nodes or API endpoints of the cluster, which pass before any deny (trustCluster)`;
    return [{ path, message: `has no effect on ${spared.slice(0, 3).join(", ")}${more}: ${whom}` }];
  });
}

function addressesOf({ addresses }: GroupAddresses): readonly string[] {
  return addresses;
}

function interfaceWarnings(path: string, { include, exclude }: InterfaceMatch): Warning[] {
  const left = include.filter((pattern) => !exclude.some((other) => coversInterface(other, pattern)));
  if (include.length === 0 || left.length > 0) return [];
  return [{ path, message: "exclude takes out all that include names, so no interface is in scope" }];
}

function disjoint(port: PortRange, ports: readonly PortRange[]): boolean {
  const [rest] = subtractPorts([port], ports);
  return rest?.from === port.from && rest.to === port.to;
}

function matchesNobody(peers: Peers): boolean {
  return peers !== "Everybody" && peers.cidrs.length + peers.groups.length === 0;
}

/** Whether whatever `inner` matches `outer` matches too, also after groups change. */
function coversEntry(outer: PlanEntry, inner: PlanEntry): boolean {
  const protocols = inner.protocols.every((protocol) => outer.protocols.includes(protocol));
  return protocols && containsPorts(outer.ports, inner.ports) && coversPeers(outer.peers, inner.peers);
}

function coversPeers(outer: Peers, inner: Peers): boolean {
  if (outer === "Everybody") return true;
  if (inner === "Everybody" || matchesNobody(inner)) return false;
  const known = new Set(outer.groups.map(canonicalJson));
  return (
    subtractCidrs(inner.cidrs, outer.cidrs).length === 0 && inner.groups.every((ref) => known.has(canonicalJson(ref)))
  );
}

function indexOf(list: readonly { readonly name: string }[] | undefined, name: string): number {
  return list?.findIndex((item) => item.name === name) ?? -1;
}
