import { InvalidArgumentError } from "commander";
import { PORT_PATTERN, type Port, portBounds } from "../api/ports.ts";
import type { ExpectedListener } from "../audit/listeners/expected.ts";

/** Ports that are not connected to, or none is at all. */
export type SkippedProbes = readonly Port[] | "all";

/** `9100=node_exporter`, `30000-32767`; added to those before. */
export function expectedListener(text: string, before: readonly ExpectedListener[] = []): readonly ExpectedListener[] {
  const [port = "", process] = text.split("=", 2);
  if (!isPort(port) || process === "") {
    throw new InvalidArgumentError("Give a port or a range, and a process if it matters: 9100=node_exporter.");
  }
  return [...before, { port, ...(process !== undefined && { process }) }];
}

/** `5432`, `5432,6379`, `8000-8999`, `all`; added to those before. */
export function skippedProbes(text: string, before: SkippedProbes = []): SkippedProbes {
  if (text === "all" || before === "all") return "all";
  const ports = text.split(",");
  if (!ports.every(isPort)) throw new InvalidArgumentError("Give ports or ranges, 5432,8000-8999, or all.");
  return [...before, ...ports];
}

function isPort(text: string): boolean {
  const { from, to } = portBounds(text);
  return new RegExp(PORT_PATTERN).test(text) && from <= to;
}
