import { type Port, portBounds } from "../../api/ports.ts";
import type { Listener } from "./listener.ts";

/** A listener that is meant to be there. */
export interface ExpectedListener {
  readonly port: Port;
  /** Absent: whichever it is. */
  readonly process?: string;
}

/** The kernel cuts the names of processes to this (TASK_COMM_LEN less its end). */
const NAME_MAXIMUM = 15;

/** Whether one of `expected` means it, or it is the process that audits. */
export function isExpected(
  { port, process }: Listener,
  expected: readonly ExpectedListener[],
  auditor: number | undefined,
): boolean {
  if (process !== undefined && process.pid === auditor) return true;
  return expected.some(({ port: ports, process: name }) => {
    const { from, to } = portBounds(ports);
    if (port < from || port > to) return false;
    if (name === undefined) return true;
    if (process === undefined) return false;
    // A process may call itself otherwise (Node: MainThread), and a script is its interpreter's program: either will do.
    return process.name === name.slice(0, NAME_MAXIMUM) || process.executable?.split("/").at(-1) === name;
  });
}
