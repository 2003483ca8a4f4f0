import type { PortRange } from "../plan/types.ts";

const SLOTS = 15;

/** Port ranges as `multiport` arguments: at most 15 slots a rule, a range takes two (iptables-extensions(8)). */
export function renderMultiport(ranges: readonly PortRange[]): string[] {
  const rules: string[][] = [[]];
  let free = SLOTS;
  for (const { from, to } of ranges) {
    const slots = from === to ? 1 : 2;
    if (slots > free) {
      rules.push([]);
      free = SLOTS;
    }
    rules.at(-1)?.push(from === to ? `${from}` : `${from}:${to}`);
    free -= slots;
  }
  return rules.filter((ports) => ports.length > 0).map((ports) => ports.join(","));
}
