/** One committed transaction on our tables, as `nft monitor` tells it. */
export interface Generation {
  readonly pid: number;
  /** As the kernel knows the process: 15 characters. */
  readonly command: string;
  /** A chain of ours, a base chain or a whole table was touched, not only others' chains. */
  readonly nearOurs: boolean;
}

/**
 * Reads the lines of `nft monitor` (1.0.6), one transaction at a time:
 *   delete rule ip mangle PH-A handle 5
 *   # new generation 3 by process 19043 (iptables-nft)
 * @returns a function that takes a line and, where it ends a transaction on our tables, tells of it
 */
export function monitorEvents(): (line: string) => Generation | undefined {
  let touched = false;
  let nearOurs = false;
  return (line) => {
    const [, kind, chain] = /^\w+ (table|chain|rule|flowtable|set|element) ip6? mangle\b ?(\S*)/.exec(line) ?? [];
    if (kind !== undefined) {
      touched = true;
      // Tools announce the table and the base chain with every write, so an `add` of these says nothing.
      const announced = line.startsWith("add ") && kind !== "rule" && !chain?.startsWith("PH-");
      nearOurs ||= !announced && (kind === "table" || /^(?:PH-|[A-Z]+$)/.test(chain ?? ""));
    }
    const [, pid, command] = /^# new generation \d+ by process (\d+) \((.*)\)$/.exec(line) ?? [];
    if (pid === undefined || command === undefined) return undefined;
    const generation = touched ? { pid: Number(pid), command, nearOurs } : undefined;
    touched = false;
    nearOurs = false;
    return generation;
  };
}
