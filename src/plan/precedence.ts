import { compareText } from "./text-order.ts";

/** Which of two policies wins a value that both set, first: higher priority, then name (DESIGN 4). */
export function byPrecedence(
  a: { readonly priority: number; readonly name: string },
  b: { readonly priority: number; readonly name: string },
): number {
  return b.priority - a.priority || compareText(a.name, b.name);
}
