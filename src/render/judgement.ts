import type { Family, NodeDirection, NodeEntry, NodeFailsafe, NodeTrust } from "../plan/node-plan.ts";
import type { Protocol } from "../plan/types.ts";
import type { Way } from "./dispatch.ts";
import type { DropBook } from "./drop-log.ts";
import { comment, peerMatch, portMatches, rule } from "./rule.ts";
import { type Tallied, talliedAs } from "./tally.ts";

/** Failsafes pass before any policy. */
export function failsafeRules(
  failsafes: readonly NodeFailsafe[],
  trust: NodeTrust,
  way: Way,
  family: Family,
): string[] {
  return failsafes.flatMap((failsafe) => {
    const peers = peerMatch(failsafe.peers === "Nodes" ? trust.nodes : failsafe.peers, family, way.peer);
    if (peers === undefined) return [];
    return portMatches([failsafe.protocol], failsafe.ports).map((match) => rule(match, peers, "-j RETURN"));
  });
}

function entryRules(
  policy: string,
  entries: readonly NodeEntry[],
  way: Way,
  family: Family,
  targetOf: (entry: Tallied) => string,
): string[] {
  return entries.flatMap((entry) => {
    const peers = peerMatch(entry.peers, family, way.peer);
    if (peers === undefined) return [];
    const target = targetOf({ policy, entry: entry.name, hash: entry.hash });
    return portMatches(entry.protocols, entry.ports).map((match) =>
      rule(match, peers, comment(policy, entry.name, entry.hash), target),
    );
  });
}

/** Where packets go. */
export interface Targets {
  /** What passes. */
  readonly passed: string;
  /** What is dropped or rejected goes by way of it. */
  readonly drops: DropBook;
  /** For TCP and for other protocols. */
  readonly reject: (protocol: Protocol) => string;
}

function defaultRules(scope: NodeDirection, { passed, drops, reject }: Targets): string[] {
  const { policy, hash, protocols, ports, defaultAction } = scope;
  return protocols.flatMap((protocol) => {
    const target =
      defaultAction === "Allow"
        ? passed
        : drops.by(talliedAs("default", scope), defaultAction === "Drop" ? "-j DROP" : reject(protocol));
    return portMatches([protocol], ports).map((match) => rule(match, comment(policy, "default", hash), target));
  });
}

/**
 * Every deny before every allow before every default: deny beats allow across policies, allows are a union, and the
 * first default by precedence decides.
 */
export function judgement(scopes: readonly NodeDirection[], way: Way, family: Family, targets: Targets): string[] {
  return [
    ...scopes.flatMap(({ policy, deny }) =>
      entryRules(policy, deny, way, family, (entry) => targets.drops.by(entry, "-j DROP")),
    ),
    ...scopes.flatMap(({ policy, allow }) => entryRules(policy, allow, way, family, () => targets.passed)),
    ...scopes.flatMap((scope) => defaultRules(scope, targets)),
  ];
}
