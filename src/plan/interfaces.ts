import { compareText } from "./text-order.ts";
import type { InterfaceMatch } from "./types.ts";

/**
 * Whether every interface that `inner` matches is matched by `outer` too. A `+` at the end stands for any ending, also
 * the empty one (iptables(8), --in-interface).
 */
export function coversInterface(outer: string, inner: string): boolean {
  return outer.endsWith("+") ? inner.startsWith(outer.slice(0, -1)) : outer === inner;
}

/** The same interfaces in the fewest patterns: disjoint (two patterns overlap only where one covers the other), sorted. */
export function normaliseInterfacePatterns(patterns: readonly string[]): string[] {
  const distinct = [...new Set(patterns)];
  return distinct
    .filter((pattern) => !distinct.some((other) => other !== pattern && coversInterface(other, pattern)))
    .toSorted(compareText);
}

interface LooseInterfaceMatch {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Both lists normalised. An include of `+` says the same as none: every interface. */
export function normaliseInterfaces(match: LooseInterfaceMatch = {}): InterfaceMatch {
  const include = normaliseInterfacePatterns(match.include ?? []);
  return { include: include[0] === "+" ? [] : include, exclude: normaliseInterfacePatterns(match.exclude ?? []) };
}

/** Whether some interface is matched by both. Every interface stands for endlessly many, so no exclude takes them all. */
export function interfacesMeet(a: InterfaceMatch, b: InterfaceMatch): boolean {
  const patterns = (match: InterfaceMatch): readonly string[] => (match.include.length === 0 ? ["+"] : match.include);
  const excluded = [...a.exclude, ...b.exclude];
  return patterns(a).some((one) =>
    patterns(b).some((other) => {
      if (!coversInterface(one, other) && !coversInterface(other, one)) return false;
      const narrower = coversInterface(one, other) ? other : one;
      return !excluded.some((pattern) => coversInterface(pattern, narrower));
    }),
  );
}
