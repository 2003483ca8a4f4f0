import type { PortHardeningPolicy } from "../api/policy.ts";
import { subtractCidrs } from "../plan/cidrs.ts";
import { sharedPorts } from "../plan/failsafe-warnings.ts";
import { coversInterface } from "../plan/interfaces.ts";
import type { Failsafe, Failsafes } from "../plan/node-plan.ts";
import { containsPorts } from "../plan/ports.ts";
import type { InterfaceMatch, PlanDirection, PlanEntry } from "../plan/types.ts";
import { coveredBy, matchesEverybody, matchesNobody, redundantEntries } from "./entry-cover.ts";

/** Something that a policy may say but that has no effect, or more than meant. `path` as in schema problems. */
export interface Warning {
  readonly path: string;
  readonly message: string;
}

export type DirectionName = "inbound" | "outbound";
export type ListName = "allow" | "deny";

/** Path of an entry as the user wrote it: a plan's lists are in another order. */
export function entryPath(
  { spec }: PortHardeningPolicy,
  direction: DirectionName,
  list: ListName,
  name: string,
): string {
  const entries = spec.firewall?.[direction]?.[list] ?? [];
  return `spec.firewall.${direction}.${list}[${entries.findIndex((entry) => entry.name === name)}]`;
}

/** What in one direction of one policy is without effect, whatever else is in force. */
export function lintDirection(
  policy: PortHardeningPolicy,
  direction: DirectionName,
  scope: PlanDirection,
  failsafes: Failsafes,
): Warning[] {
  const { allow, deny, interfaces } = scope;
  const warn = (list: ListName, entry: PlanEntry, message: string, member = ""): Warning => ({
    path: `${entryPath(policy, direction, list, entry.name)}${member}`,
    message,
  });
  const field = direction === "inbound" ? ".from" : ".to";
  const each = (list: ListName) =>
    scope[list].flatMap((entry) => [
      ...(matchesNobody(entry.peers) ? [warn(list, entry, "no address is left, so it matches nothing", field)] : []),
      ...redundantPeers(policy, direction, list, entry.name),
    ]);
  const denied = allow.flatMap((entry) => {
    const by = coveredBy(entry, deny);
    return by === undefined ? [] : [{ entry, by }];
  });
  const never = new Set(denied.map(({ entry }) => entry));
  return [
    ...interfaceWarnings(`spec.firewall.${direction}.interfaces`, interfaces),
    ...each("deny"),
    ...each("allow"),
    ...deny.flatMap((entry) => {
      const shown = sparedPorts(entry, failsafes[direction]);
      return shown === "" ? [] : [warn("deny", entry, `has no effect on ${shown}: failsafes pass before any policy`)];
    }),
    ...redundantEntries(deny).map(({ entry, by }) =>
      warn("deny", entry, `has no effect: deny ${namesOf(by)} all of it`),
    ),
    ...denied.map(({ entry, by }) =>
      warn("allow", entry, `never matches: deny ${namesOf(by)} all of it, and deny beats allow`),
    ),
    ...redundantEntries(allow.filter((entry) => !never.has(entry))).map(({ entry, by }) =>
      warn("allow", entry, `has no effect: allow ${namesOf(by)} all of it`),
    ),
    ...allow.flatMap((entry) => {
      const message = wideWords(direction, scope, entry);
      return message === undefined ? [] : [warn("allow", entry, message)];
    }),
  ];
}

/** `"a" covers`, `"a", "b" cover`. */
function namesOf(entries: readonly PlanEntry[]): string {
  return `${entries.map(({ name }) => `"${name}"`).join(", ")} ${entries.length === 1 ? "covers" : "together cover"}`;
}

function wideWords(
  direction: DirectionName,
  { ports, protocols, defaultAction }: PlanDirection,
  entry: PlanEntry,
): string | undefined {
  if (defaultAction === "Allow") {
    return "has no effect by itself: defaultAction Allow lets pass what no deny names; it only opens what a policy of higher priority closes";
  }
  const whole = containsPorts(entry.ports, ports) && protocols.every((protocol) => entry.protocols.includes(protocol));
  if (!whole || !matchesEverybody(entry.peers)) return undefined;
  return `allows everybody all that ${direction} judges, so defaultAction ${defaultAction} never decides`;
}

/** Blocks that other peers of the same entry cover. */
function redundantPeers(
  policy: PortHardeningPolicy,
  direction: DirectionName,
  list: ListName,
  name: string,
): Warning[] {
  const entry = policy.spec.firewall?.[direction]?.[list]?.find((one) => one.name === name);
  const [field, peers = []] =
    entry !== undefined && "to" in entry
      ? ["to", entry.to]
      : ["from", entry !== undefined && "from" in entry ? entry.from : []];
  const blocks = peers.map(({ ipBlock }) =>
    ipBlock === undefined ? [] : subtractCidrs([ipBlock.cidr], ipBlock.except ?? []),
  );
  const dropped = new Set<number>();
  return blocks.toReversed().flatMap((block, turned) => {
    const index = blocks.length - 1 - turned;
    const others = blocks.filter((_, other) => other !== index && !dropped.has(other)).flat();
    if (block.length === 0 || subtractCidrs(block, others).length > 0) return [];
    dropped.add(index);
    const path = `${entryPath(policy, direction, list, name)}.${field}[${index}]`;
    return [{ path, message: `has no effect: other blocks of ${field} cover ${peers[index]?.ipBlock?.cidr}` }];
  });
}

/** Ports of an entry that failsafes open to everybody, in words. */
function sparedPorts(entry: PlanEntry, failsafes: readonly Failsafe[]): string {
  return failsafes
    .filter(({ peers }) => peers === "Everybody")
    .flatMap((failsafe) => {
      const shared = sharedWords(failsafe, entry);
      return shared === "" ? [] : [`${shared} (failsafe "${failsafe.name}")`];
    })
    .join(", ");
}

/** `TCP 22`, `UDP 67-68`; empty where the failsafe and the entry share nothing. */
export function sharedWords(failsafe: Failsafe, entry: Pick<PlanEntry, "ports" | "protocols">): string {
  const shown = sharedPorts(failsafe, entry).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return shown.length === 0 ? "" : `${failsafe.protocol} ${shown.join(", ")}`;
}

export function interfaceWarnings(path: string, { include, exclude }: InterfaceMatch): Warning[] {
  const left = include.filter((pattern) => !exclude.some((other) => coversInterface(other, pattern)));
  if (include.length === 0 || left.length > 0) return [];
  return [{ path, message: "exclude takes out all that include names, so no interface is in scope" }];
}
