/** Which sources get through to a place, exactly: the reading of `judge` for all of them at once. */
import { admitted, anybody } from "../plan/admitted.ts";
import { hasPort, onInterface } from "../plan/judge.ts";
import type { Family, NodeDirection, NodePlan, ResolvedPeers } from "../plan/node-plan.ts";
import type { Prefix } from "../plan/prefix.ts";
import { parseAddress } from "../plan/prefix-lookup.ts";
import { subtractPrefixes } from "../plan/prefix-sets.ts";
import { parsePrefix } from "../plan/prefix-text.ts";
import type { Protocol } from "../plan/types.ts";
import type { Reach } from "./types.ts";

/** A place as seen on one interface, in one family. No interface of pods. */
export interface Spot {
  readonly protocol: Protocol;
  readonly port: number;
  readonly device: string;
  readonly family: Family;
}

/** Above this a difference is not worked out: all addresses but a blocklist of 100,000 are a million blocks. */
const ENTRIES_MAX = 5_000;

const EVERYBODY = { 4: "0.0.0.0/0", 6: "::/0" } as const;

/**
 * Whether some source loses its way to a spot, and whether some gains one. Unknown: lists are too long to tell. Answers are
 * kept: few lists decide about many ports.
 */
export function admissionChanges(
  before: NodePlan,
  after: NodePlan,
): (spot: Spot) => { readonly loses: boolean; readonly gains: boolean } | "Unknown" {
  const answers = new Map<string, ReturnType<ReturnType<typeof admissionChanges>>>();
  const compare = (was: Judged | undefined, is: Judged | undefined, family: Family) => {
    const [had, has] = [passing(before, was, family), passing(after, is, family)];
    if (had === undefined || has === undefined) return "Unknown";
    return { loses: subtractPrefixes(had, has).length > 0, gains: subtractPrefixes(has, had).length > 0 };
  };
  return (spot) => {
    const [was, is] = [judgedAt(before, spot), judgedAt(after, spot)];
    const key = `${namesOf(was, spot.family)} > ${namesOf(is, spot.family)}`;
    const found = answers.get(key) ?? compare(was, is, spot.family);
    answers.set(key, found);
    return found;
  };
}

/** How it changes which addresses of `ranges` get through to a spot, and which did and do. */
export function changeWithin(
  before: NodePlan,
  after: NodePlan,
): (
  spot: Spot,
  ranges: readonly Prefix[],
) => { readonly loses: boolean; readonly gains: boolean; readonly before: Reach; readonly after: Reach } | "Unknown" {
  return (spot, ranges) => {
    const own = ranges.filter(({ family }) => family === spot.family);
    const within = (plan: NodePlan) => {
      const through = passing(plan, judgedAt(plan, spot), spot.family);
      return through && subtractPrefixes(own, subtractPrefixes(own, through));
    };
    const [had, has] = [within(before), within(after)];
    if (had === undefined || has === undefined) return "Unknown";
    const reach = (some: readonly Prefix[]): Reach => {
      if (some.length === 0) return "Nobody";
      return subtractPrefixes(own, some).length === 0 ? "Everybody" : "Some";
    };
    return {
      loses: subtractPrefixes(had, has).length > 0,
      gains: subtractPrefixes(has, had).length > 0,
      before: reach(had),
      after: reach(has),
    };
  };
}

function namesOf(judged: Judged | undefined, family: Family): string {
  if (judged === undefined || judged.open) return `${family} all`;
  const lists = [judged.trusted, judged.allowed, judged.denied].map((all) =>
    all.map((peers) => (peers === "Everybody" ? "*" : peers.sets[family])).join(" "),
  );
  return `${family} ${lists.join(" / ")}`;
}

/** Whether nodes get through as members of the cluster, whatever else is denied. */
export function passesNodes(plan: NodePlan, spot: Spot): boolean {
  const scopes = scopesAt(plan, spot);
  return scopes.length === 0 || scopes.some(({ trustCluster }) => trustCluster) || failsafesAt(plan, spot).length > 0;
}

/** Who gets through, and whether that is the cluster alone. Prepared once: a blocklist may have 100,000 entries. */
export function reachAt(plan: NodePlan): (spot: Spot) => Reach {
  const admits = admitted(plan.sets);
  return (spot) => {
    const at = judgedAt(plan, spot);
    if (at === undefined) return "Unjudged";
    const reach = at.open ? "All" : admits(at.allowed, at.denied, spot.family);
    if (reach !== "None") return reach === "All" ? "Everybody" : "Some";
    return at.trusted.some((peers) => anybody(plan.sets, peers, spot.family)) ? "Cluster" : "Nobody";
  };
}

interface Judged {
  /** A failsafe lets everybody in. */
  readonly open: boolean;
  /** Whom no deny stops. */
  readonly trusted: readonly ResolvedPeers[];
  readonly allowed: readonly ResolvedPeers[];
  readonly denied: readonly ResolvedPeers[];
}

/** undefined: no policy judges it. */
function judgedAt(plan: NodePlan, spot: Spot): Judged | undefined {
  const scopes = scopesAt(plan, spot);
  const [first] = scopes;
  if (first === undefined) return undefined;
  const failsafes = failsafesAt(plan, spot);
  const trusts = scopes.some(({ trustCluster }) => trustCluster);
  const peersOf = (list: "allow" | "deny") =>
    scopes.flatMap((scope) => scope[list].filter((entry) => isAt(entry, spot)).map(({ peers }) => peers));
  return {
    open: failsafes.some(({ peers }) => peers === "Everybody"),
    trusted: [
      ...(trusts || failsafes.length > 0 ? [plan.trust.nodes] : []),
      ...(trusts && plan.trust.podsOnUplink ? [plan.trust.pods] : []),
    ],
    allowed: first.defaultAction === "Allow" ? ["Everybody"] : peersOf("allow"),
    denied: peersOf("deny"),
  };
}

function passing(plan: NodePlan, at: Judged | undefined, family: Family): Prefix[] | undefined {
  if (at === undefined || at.open) return [parsePrefix(EVERYBODY[family])];
  const lists = [at.trusted, at.allowed, at.denied].map((all) => entriesOf(plan, all, family));
  if (lists.reduce((sum, list) => sum + list.length, 0) > ENTRIES_MAX) return undefined;
  const [always = [], allow = [], deny = []] = lists.map((list) => list.map(parseEntry));
  return [...always, ...subtractPrefixes(allow, deny)];
}

function scopesAt({ inbound }: NodePlan, spot: Spot): NodeDirection[] {
  return inbound.filter((scope) => isAt(scope, spot) && onInterface(scope.interfaces, spot.device));
}

function failsafesAt({ failsafes }: NodePlan, { protocol, port }: Spot) {
  return failsafes.inbound.filter((one) => one.protocol === protocol && hasPort(one.ports, port));
}

function isAt(
  { protocols, ports }: Pick<NodeDirection, "protocols" | "ports">,
  { protocol, port }: Pick<Spot, "protocol" | "port">,
): boolean {
  return protocols.includes(protocol) && hasPort(ports, port);
}

function entriesOf({ sets }: NodePlan, lists: readonly ResolvedPeers[], family: Family): string[] {
  return lists.flatMap((peers) => {
    if (peers === "Everybody") return [EVERYBODY[family]];
    return sets.find(({ name }) => name === peers.sets[family])?.entries ?? [];
  });
}

function parseEntry(entry: string): Prefix {
  return entry.includes("/") ? parsePrefix(entry) : parseAddress(entry);
}
