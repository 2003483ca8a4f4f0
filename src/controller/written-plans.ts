import type { Assigned, WrittenPlan } from "../plan/types.ts";

/** A policy as it can be written for agents that read this format. */
export interface WrittenPolicy {
  readonly format: number;
  /** The same for every node that is selected. */
  readonly element: Assigned<WrittenPlan>;
  /** Of `element` as JSON. */
  readonly bytes: number;
}

/** What an agent says of itself. */
export interface AgentFacts {
  readonly version: string | undefined;
  /** Undefined: it does not say. */
  readonly planFormats: readonly number[] | undefined;
}

/** Why nothing can be written for an agent: it, or this controller, is too old for the other. */
export interface Skew {
  readonly reason: "AgentOutdated" | "ControllerOutdated";
  readonly message: string;
}

/**
 * The newest format that the node's agent reads, out of `formats` (those that this controller writes); `written` begins with
 * the newest. Where the agent has said nothing yet it starts now, from the newest template of the DaemonSet, which is upgraded
 * before the controller: it is taken to be as new. If it is not, it keeps what it has, and says what it reads in the same
 * status in which it says so. An empty NodeState would be the way to ask first, and that clears a node.
 */
export function writtenFor(
  written: readonly WrittenPolicy[],
  agent: AgentFacts | undefined,
  formats: readonly number[],
): WrittenPolicy | Skew {
  const reads = agent?.planFormats ?? formats;
  for (const one of written) if (reads.includes(one.format)) return one;
  const who = agent?.version === undefined ? "its agent" : `its agent (${agent.version})`;
  const says = `${who} reads plan format ${list(reads)}`;
  const shared = formats.filter((format) => reads.includes(format));
  if (shared.length > 0) {
    const message = `${says}, which has no words for what this policy asks: upgrade the agents`;
    return { reason: "AgentOutdated", message };
  }
  const older = Math.max(...reads) > Math.max(...formats) ? "ControllerOutdated" : "AgentOutdated";
  const wayOut = older === "AgentOutdated" ? "upgrade the agents" : "upgrade the controller";
  return { reason: older, message: `${says}, this controller writes ${list(formats)}: ${wayOut}` };
}

function list(formats: readonly number[]): string {
  return formats.length === 0 ? "none" : formats.toSorted((a, b) => a - b).join(" and ");
}
