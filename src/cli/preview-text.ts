import type { Preview } from "../preview/types.ts";
import { changeLines } from "./preview-changes-text.ts";
import { flowWords, gapWords, limitHitWords, placeWords, sessionWords } from "./preview-words.ts";

/** Of each list; the JSON has all. */
const SHOWN = 20;

/** A preview for people: what changes, whom it hits, what was not looked at. */
export function previewText(preview: Preview, options: { readonly rules: boolean; readonly notes: readonly string[] }) {
  const { outcome, nodes, changes, flows, limits, places, sessions, gaps } = preview;
  const changed = changes.reduce((sum, change) => sum + change.nodes.length, 0);
  const inUse = flows.reduce((sum, { connections }) => sum + connections, 0);
  const lines = [
    ...changes.flatMap((change) => [...changeLines(change, options), ""]),
    ...section("whom it hits", [
      ...first(flows.map(flowWords), "connections"),
      ...first(limits.map(limitHitWords), "sources"),
      ...first(places.map(placeWords), "ports"),
    ]),
    ...section("SSH sessions", first(sessions.map(sessionWords), "sessions")),
    ...section("not looked at", gaps.map(gapWords)),
    ...section("notes", options.notes),
    {
      NoChange: `no change on ${count(nodes, "node")}`,
      Changes: `changes on ${changed} of ${count(nodes, "node")}; nothing is known to be in use of what they close`,
      Cuts: `changes on ${changed} of ${count(nodes, "node")} that cut what is in use: ${count(inUse, "connection")}, ${limits.length === 0 ? "" : `${count(limits.length, "source")} above a limit, `}${count(
        places.filter(({ change, kind }) => change === "Closed" && kind !== "Listener").length,
        "port",
      )} of Services and pods`,
    }[outcome],
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`), ""];
}

function first(lines: readonly string[], what: string): string[] {
  if (lines.length <= SHOWN) return [...lines];
  return [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more groups of ${what} (--json has all)`];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
