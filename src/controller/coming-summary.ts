import { COMING_TOP_MAX, type ComingOnNode, type ComingSummary } from "../api/coming.ts";
import { clipText } from "../api/condition.ts";
import { compareText } from "../plan/text-order.ts";
import { cappedSum } from "./capped-sum.ts";
import type { RolloutNode } from "./rollout.ts";
import { needsNoTurn, standingOf } from "./rollout-standing.ts";
import { countNodes } from "./verdict.ts";

const NAMED = 3;

/** A node, and what it says of the revision that it shall get. */
export interface ComingTo {
  readonly node: RolloutNode;
  readonly said: ComingOnNode | undefined;
}

type Top = NonNullable<ComingSummary["top"]>[number];

/**
 * What a revision would cut where it has not come yet, added up; undefined where it waits for nobody. `over`: nodes that have not
 * answered will not be waited for any more.
 */
export function comingSummary(revision: string, all: readonly ComingTo[], over: boolean): ComingSummary | undefined {
  const waiting = all.filter(
    ({ node }) => node.desired !== undefined && standingOf(node) === "Pending" && !needsNoTurn(node),
  );
  if (waiting.length === 0) return undefined;
  const looked = waiting.flatMap(({ said }) => (said === undefined || said.outcome === "Unknown" ? [] : [said]));
  const awaited = over
    ? 0
    : waiting.filter(({ node, said }) => said === undefined && node.preview === "Awaited").length;
  const sum = (of: "cut" | "refused" | "overLimit" | "sshSessions" | "closedPorts") =>
    cappedSum(looked.map((one) => one[of]));
  const top = topOf(looked);
  const counted = {
    revision,
    waiting: waiting.length,
    looked: looked.length,
    awaited,
    unknown: waiting.length - looked.length - awaited,
    cutsOn: looked.filter(({ outcome }) => outcome === "Cuts").length,
    cut: sum("cut"),
    refused: sum("refused"),
    overLimit: sum("overLimit"),
    sshSessions: sum("sshSessions"),
    closedPorts: sum("closedPorts"),
    ...(top.length === 0 ? {} : { top: top.slice(0, COMING_TOP_MAX) }),
  };
  const atLeast = looked.some((one) => one.atLeast === true);
  const notes = [...new Set(looked.flatMap(({ message = [] }) => message))].slice(0, 2);
  return { ...counted, message: clipText(`${[words(counted, top, atLeast), ...notes].join("; ")}.`, 512) };
}

function topOf(looked: readonly ComingOnNode[]): Top[] {
  const examples = looked.flatMap(({ name: _, top = [] }, index) => top.map((one) => ({ ...one, index })));
  const alike = Map.groupBy(examples, ({ effect, direction, protocol, port, process = "" }) =>
    [effect, direction, protocol, port, process].join(" "),
  );
  return [...alike]
    .flatMap(([key, [first, ...others]]) => {
      if (first === undefined) return [];
      const { peer: _, index: __, ...example } = first;
      const connections = cappedSum([first, ...others].map((one) => one.connections));
      const nodes = new Set([first, ...others].map(({ index }) => index)).size;
      return [{ key, one: { ...example, connections, nodes } }];
    })
    .toSorted(
      (a, b) => severity(b.one) - severity(a.one) || b.one.connections - a.one.connections || compareText(a.key, b.key),
    )
    .map(({ one }) => one);
}

function severity({ effect }: Top): number {
  return effect === "Cut" ? 1 : 0;
}

type Counted = Omit<ComingSummary, "message">;

/** `Preview: would cut 14 connections to 9100/tcp (node_exporter) on 3 nodes`. */
function words(counted: Counted, top: readonly Top[], atLeast: boolean): string {
  const { waiting, looked, awaited, unknown, cut, refused, overLimit, sshSessions } = counted;
  const rest = [
    ...(awaited === 0 ? [] : [`waiting for what ${countNodes(awaited)} ${awaited === 1 ? "says" : "say"}`]),
    ...(unknown === 0 ? [] : [`${countNodes(unknown)} could not be asked or did not say`]),
  ];
  const where = `of ${countNodes(waiting)} to which it has not come`;
  if (looked === 0) return `Preview ${where}: ${rest.join("; ")}`;
  if (cut + refused + overLimit === 0) {
    const on = looked === waiting ? "" : ` on ${countNodes(looked)}`;
    return `Preview ${where}: ${[`nothing that is open is cut${on}`, ...rest].join("; ")}`;
  }
  const shown = top.slice(0, NAMED);
  const left = cut + refused - cappedSum(shown.map(({ connections }) => connections));
  const parts = [
    ...shown.map(exampleWords),
    ...(left > 0 ? [`${left} more`] : []),
    ...(overLimit > 0 ? [`let ${overLimit} not be opened anew, as a limit allows fewer at a time`] : []),
    ...(sshSessions > 0 ? [`${sshSessions} of all are SSH sessions`] : []),
    ...rest,
  ];
  return `Preview ${where}: would${atLeast ? ", as far as could be seen," : ""} ${parts.join("; ")}`;
}

function exampleWords({ effect, direction, protocol, port, process, connections, nodes }: Top): string {
  const many = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  const place = `${port}/${protocol.toLowerCase()}${process === undefined ? "" : ` (${process})`}`;
  const ends = direction === "Inbound" ? `to ${place}` : `of the nodes to ${place}`;
  return effect === "Cut"
    ? `cut ${many} ${ends} on ${countNodes(nodes)}`
    : `refuse ${many} ${ends} on ${countNodes(nodes)}, when opened anew`;
}
