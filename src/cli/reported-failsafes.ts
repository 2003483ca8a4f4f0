import type { FailsafeOnNode } from "../api/failsafes-on-node.ts";
import type { Failsafe, Failsafes } from "../plan/node-plan.ts";
import { parseReservedPorts } from "../plan/port-sysctls.ts";
import { parseAddress } from "../plan/prefix-lookup.ts";
import { formatPrefix, parsePrefix } from "../plan/prefix-text.ts";
import type { Protocol } from "../plan/types.ts";

/**
 * Failsafes that a node reports beyond those that every install has: what it showed itself, and what its install names. One that cannot be
 * read whole is left out: a preview that knows fewer sees more cut, not less.
 */
export function reportedFailsafes(reported: readonly FailsafeOnNode[], known: Failsafes): Failsafes {
  const beyond = reported.filter(({ origin }) => origin !== "Default");
  const of = (direction: "Inbound" | "Outbound", names: readonly Failsafe[]) =>
    beyond
      .filter((one) => one.direction === direction || one.direction === "Both")
      .filter(({ name }) => names.every((other) => other.name !== name))
      .flatMap((one) => readFailsafe(one) ?? []);
  return { inbound: of("Inbound", known.inbound), outbound: of("Outbound", known.outbound) };
}

function readFailsafe({ name, protocol: text, ports, peers, origin }: FailsafeOnNode): Failsafe | undefined {
  const protocol = (["TCP", "UDP", "SCTP"] as const satisfies readonly Protocol[]).find((one) => one === text);
  if (protocol === undefined || origin === "Default") return undefined;
  try {
    const others = peers === "Everybody" || peers === "Nodes" ? peers : peers.split(", ").map(cidrOf);
    return { name, protocol, ports: parseReservedPorts(ports), peers: others, origin };
  } catch {
    // Cut, to fit into the status.
    return undefined;
  }
}

/** Sets hold single addresses without a length. */
function cidrOf(entry: string): string {
  return formatPrefix(entry.includes("/") ? parsePrefix(entry) : parseAddress(entry));
}
