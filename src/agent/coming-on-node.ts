import { COMING_TOP_MAX, type ComingOnNode } from "../api/coming.ts";
import { clipText } from "../api/condition.ts";
import type { Hits } from "../preview/judge-use.ts";
import type { Gap } from "../preview/types.ts";

export type Revision = Pick<ComingOnNode, "name" | "hash">;

const NOTHING = { cut: 0, refused: 0, overLimit: 0, sshSessions: 0, closedPorts: 0 };

/** What a status says of one revision that waits. Pure. */
export function comingOnNode(
  { name, hash }: Revision,
  { flows, limits, places, sessions, gaps: unjudged }: Hits,
  gaps: readonly Gap[],
  at: string,
): ComingOnNode {
  const total = (effect: "Cut" | "Refused") =>
    flows.reduce((sum, one) => sum + (one.effect === effect ? one.connections : 0), 0);
  const worst = flows.toSorted((a, b) => severity(b) - severity(a) || b.connections - a.connections);
  const closed = places.filter(({ change }) => change === "Closed").map(({ protocol, port }) => `${protocol} ${port}`);
  const message = [...gaps, ...unjudged].flatMap(({ reason }) => WORDS[reason] ?? []).join("; ");
  return {
    name,
    hash,
    at,
    outcome: flows.length + limits.length === 0 ? "CutsNothing" : "Cuts",
    cut: total("Cut"),
    refused: total("Refused"),
    overLimit: limits.reduce((sum, { over }) => sum + over, 0),
    sshSessions: sessions.reduce((sum, one) => sum + (one.fate === "Kept" ? 0 : one.sessions), 0),
    closedPorts: new Set(closed).size,
    ...(flows.some(({ atLeast }) => atLeast) ? { atLeast: true } : {}),
    ...(worst.length === 0 ? {} : { top: worst.slice(0, COMING_TOP_MAX).map(example) }),
    ...(message === "" ? {} : { message: clipText(message, 512) }),
  };
}

/** Where nobody could look: never "nothing". */
export function unknownOnNode({ name, hash }: Revision, why: string, at: string): ComingOnNode {
  return { name, hash, at, outcome: "Unknown", ...NOTHING, message: clipText(why, 512) };
}

function severity({ effect }: Hits["flows"][number]): number {
  return effect === "Cut" ? 1 : 0;
}

function example({ effect, direction, peer, protocol, port, names, connections }: Hits["flows"][number]) {
  const process = clipText(names.join(", "), 64);
  return { effect, direction, peer, protocol, port, ...(process === "" ? {} : { process }), connections };
}

/** Of what can be missing where an agent looks. */
const WORDS: Partial<Record<Gap["reason"], string>> = {
  UdpNotTracked: "conntrack follows nothing here, so flows of UDP and SCTP are not known",
  RatesNotJudged: "limits on new connections are not judged, as one look shows no rates",
};
