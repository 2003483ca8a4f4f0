import { subtractCidrs } from "../plan/cidrs.ts";
import { interfacesMeet } from "../plan/interfaces.ts";
import type { NodeFailsafe } from "../plan/node-plan.ts";
import { subtractPorts } from "../plan/ports.ts";
import type { PortRange, Protocol } from "../plan/types.ts";
import type { JudgedScope, JudgedTraffic, TableName } from "../render/types.ts";
import { followRules, type RuleVisit } from "./follow-rules.ts";
import type { HookEvasion } from "./kernel.ts";
import type { Place, Traces } from "./narrow-connections.ts";
import { ALL_CONNECTIONS, asCidr, type NewConnections } from "./new-connections.ts";
import { isTagged } from "./ownership.ts";
import type { SavedTables } from "./saved-rules.ts";

type Evasion = Omit<HookEvasion, "place">;

export interface HookPlace {
  readonly table: TableName;
  readonly chain: string;
  readonly judges: JudgedTraffic | undefined;
  /** Addresses of a set of this family; undefined where there is none of this name. */
  readonly addresses: (set: string) => readonly string[] | undefined;
}

const EVERYTHING: JudgedTraffic = { scopes: [], failsafes: [], trusted: [], pods: [], vips: true };

/**
 * The first way past our hook, if there is one: a rule ahead of ours, or in a chain that it leads to, that ends the
 * journey of a new connection which we judge, anyhow but by dropping it. Marks count as far as a rule sets them, so a
 * firewall that accepts what it has judged before, and judges nothing here, is no way past.
 */
export function findEvasion(saved: SavedTables, hook: HookPlace): Evasion | undefined {
  const rules = saved[hook.table].get(hook.chain) ?? [];
  const ours = rules.findLastIndex(isTagged);
  const ahead = rules.slice(0, ours + 1).filter((rule) => !isTagged(rule));
  if (ahead.length === 0) return undefined;
  const judged = hook.judges ?? EVERYTHING;
  const place = placeOf(hook, judged);
  const traces = tracesBefore(saved, hook, place);
  let found: Evasion | undefined;
  followRules(saved[hook.table], hook.chain, ahead, { ...place, traces }, (visit) => {
    collect(visit, traces);
    if (visit.fate !== "Accepted") return false;
    const policies = evaded(visit.connections, judged, hook);
    if (policies === undefined) return false;
    found = { ahead: visit.from, rule: `${visit.chain} ${visit.rule}`, policies };
    return true;
  });
  return found;
}

function placeOf({ chain }: HookPlace, { vips }: JudgedTraffic): Omit<Place, "traces"> {
  return { direction: chain === "OUTPUT" ? "Outbound" : "Inbound", behindDnat: chain !== "PREROUTING", vips };
}

/** The same packet has been through these, in this order. */
const BEFORE: Readonly<Record<string, readonly (readonly ["raw" | "mangle", string])[]>> = {
  PREROUTING: [["raw", "PREROUTING"]],
  INPUT: [
    ["raw", "PREROUTING"],
    ["mangle", "PREROUTING"],
  ],
  OUTPUT: [
    ["raw", "OUTPUT"],
    ["mangle", "OUTPUT"],
  ],
};

type Collected = { readonly [Name in keyof Traces]: Traces[Name][number][] };

function tracesBefore(saved: SavedTables, { chain }: HookPlace, place: Omit<Place, "traces">): Collected {
  const traces: Collected = { marks: [], untracked: [] };
  if (place.behindDnat && saved.natMarks !== 0) traces.marks.push({ bits: saved.natMarks, on: ALL_CONNECTIONS });
  for (const [table, name] of BEFORE[chain] ?? []) {
    const rules = saved[table].get(name) ?? [];
    // Not behind the rewriting of destinations yet.
    const earlier = { ...place, behindDnat: false, traces };
    followRules(saved[table], name, rules, earlier, (visit) => {
      collect(visit, traces);
      return false;
    });
  }
  return traces;
}

function collect({ marks, untracked, connections }: RuleVisit, traces: Collected): void {
  if (marks !== 0) traces.marks.push(...connections.map((on) => ({ bits: marks, on })));
  if (untracked) traces.untracked.push(...connections);
}

/** The policies that would have judged some of these; undefined: none, and they are all known. */
function evaded(
  connections: readonly NewConnections[],
  judged: JudgedTraffic,
  hook: HookPlace,
): readonly string[] | undefined {
  if (hook.judges === undefined) return [];
  const policies = judged.scopes
    .filter((scope) => connections.some((one) => judges(scope, one, judged, hook)))
    .map(({ policy }) => policy);
  return policies.length === 0 ? undefined : [...new Set(policies)].sort();
}

function judges(scope: JudgedScope, one: NewConnections, judged: JudgedTraffic, hook: HookPlace): boolean {
  const outbound = hook.chain === "OUTPUT";
  const peer = outbound ? one.destination : one.source;
  const addresses = (sets: readonly string[]) => sets.flatMap((set) => hook.addresses(set) ?? []).map(asCidr);
  const within = (cidrs: readonly string[] | undefined, sets: readonly string[]) =>
    cidrs !== undefined && subtractCidrs(cidrs, addresses(sets)).length === 0;
  if (scope.trustsCluster && within(peer, judged.trusted)) return false;
  // A pod's own address, which ipvs forwards through OUTPUT, is not one of the node's.
  if (outbound && one.source?.every(isOneAddress) === true && within(one.source, judged.pods)) return false;
  // A server's replies; whoever may bind such a port may write rules too.
  if (outbound && one.sourcePorts.every(({ to }) => to < 1024)) return false;
  const include = one.interface === undefined ? [] : [one.interface];
  if (!interfacesMeet(scope.interfaces, { include, exclude: [] })) return false;
  const restricted = one.inSet || peer !== undefined;
  return one.protocols
    .filter((protocol) => scope.protocols.includes(protocol))
    .some((protocol) => {
      const passing = failsafePorts(judged.failsafes, protocol, restricted);
      const shared = subtractPorts(one.ports, subtractPorts(one.ports, scope.ports));
      return subtractPorts(shared, passing).length > 0;
    });
}

/** Failsafes for some only count where the rule names the other end: overlays accept their peers. */
function failsafePorts(failsafes: readonly NodeFailsafe[], protocol: Protocol, restricted: boolean): PortRange[] {
  return failsafes
    .filter((failsafe) => failsafe.protocol === protocol && (restricted || failsafe.peers === "Everybody"))
    .flatMap(({ ports }) => ports);
}

function isOneAddress(cidr: string): boolean {
  return /:.*\/128$|\.\d+\/32$/.test(cidr);
}
