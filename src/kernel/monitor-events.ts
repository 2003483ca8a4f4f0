/** One committed transaction on our tables, as `nft monitor` tells it. */
export interface Generation {
  readonly pid: number;
  /** As the kernel knows the process: 15 characters. */
  readonly command: string;
  /** A chain of ours, a base chain that we hook or a whole table was touched, not only others' chains. */
  readonly nearOurs: boolean;
}

const CHANGE =
  /^\w+ (table|chain|rule|flowtable|set|element) (?:ip6? (?=(?:mangle|filter)\b)|inet (?=porthardening\b))(\w+) ?(\S*)/;

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
    const [, kind, table, chain = ""] = CHANGE.exec(line) ?? [];
    if (kind !== undefined) {
      // Tools announce the table and the base chain with every write, so an `add` of these says nothing.
      const announced = line.startsWith("add ") && kind !== "rule" && !chain.startsWith("PH-");
      const near = !announced && (kind === "table" || chain.startsWith("PH-") || baseChain(table, chain));
      nearOurs ||= near;
      // kube-proxy writes its own chains of filter with every change of a Service: they cannot concern us.
      touched ||= near || table !== "filter";
    }
    const [, pid, command] = /^# new generation \d+ by process (\d+) \((.*)\)$/.exec(line) ?? [];
    if (pid === undefined || command === undefined) return undefined;
    const generation = touched ? { pid: Number(pid), command, nearOurs } : undefined;
    touched = false;
    nearOurs = false;
    return generation;
  };
}

function baseChain(table: string | undefined, chain: string): boolean {
  if (table === "porthardening") return true;
  return table === "filter" ? chain === "OUTPUT" : /^[A-Z]+$/.test(chain);
}
