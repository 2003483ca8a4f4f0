import type { ComingOnNode } from "../../../src/api/coming.ts";

/** What an agent says of a revision that is to come, which would cut so many connections. */
export function saidOf(
  { name, hash }: Pick<ComingOnNode, "name" | "hash">,
  cut: number,
  more: Partial<ComingOnNode> = {},
): ComingOnNode {
  const outcome = cut > 0 ? "Cuts" : "CutsNothing";
  const nothing = { refused: 0, overLimit: 0, sshSessions: 0, closedPorts: 0 };
  return { name, hash, at: "2026-01-01T00:00:00Z", outcome, cut, ...nothing, ...more };
}
