import { coversInterface } from "../plan/interfaces.ts";
import type { NodeDirection, NodeLimit } from "../plan/node-plan.ts";
import type { InterfaceMatch } from "../plan/types.ts";

/**
 * The interfaces on which the same policies and limits are in scope. Judging by class keeps every rule free of interface
 * matches (iptables has one `-i` or `-o` a rule, so include and exclude lists cannot stand in one) and the chains flat: nf_tables
 * follows at most 16 chains deep, gotos included (NFT_JUMP_STACK_SIZE).
 */
export interface InterfaceClass {
  /** An iptables pattern; undefined is every interface that no other class matches. */
  readonly pattern: string | undefined;
  readonly scopes: readonly NodeDirection[];
  readonly limits: readonly NodeLimit[];
}

function inScope(match: InterfaceMatch, pattern: string | undefined): boolean {
  const matches = (outer: string): boolean => pattern !== undefined && coversInterface(outer, pattern);
  return (match.include.length === 0 || match.include.some(matches)) && !match.exclude.some(matches);
}

/** Longest first, a name before a prefix: the first pattern that matches an interface is the most specific one. */
function bySpecificity(a: string, b: string): number {
  const stem = (pattern: string): number => pattern.replace(/\+$/, "").length;
  return stem(b) - stem(a) || Number(a.endsWith("+")) - Number(b.endsWith("+")) || (a < b ? -1 : 1);
}

/** The classes of one direction, the most specific first and the rest last; a class that decides like its surroundings falls out. */
export function interfaceClasses(scopes: readonly NodeDirection[], limits: readonly NodeLimit[]): InterfaceClass[] {
  const matches = [...scopes, ...limits].map(({ interfaces }) => interfaces);
  const patterns = [...new Set(matches.flatMap(({ include, exclude }) => [...include, ...exclude]))].sort(
    bySpecificity,
  );
  const classOf = (pattern: string | undefined): InterfaceClass => ({
    pattern,
    scopes: scopes.filter(({ interfaces }) => inScope(interfaces, pattern)),
    limits: limits.filter(({ interfaces }) => inScope(interfaces, pattern)),
  });
  const kept = [classOf(undefined)];
  for (const pattern of patterns.toReversed()) {
    const one = classOf(pattern);
    const around = kept.find((other) => other.pattern === undefined || coversInterface(other.pattern, pattern));
    if (around && sameDecision(one, around)) continue;
    kept.unshift(one);
  }
  return kept;
}

function sameDecision(a: InterfaceClass, b: InterfaceClass): boolean {
  const same = (left: readonly unknown[], right: readonly unknown[]): boolean =>
    left.length === right.length && left.every((item, index) => item === right[index]);
  return same(a.scopes, b.scopes) && same(a.limits, b.limits);
}

/** The class's own chain of a kind: `PH-J-eth+`; `PH-J` for the rest. 28 characters are iptables' limit. */
export function classChain(kind: string, { pattern }: InterfaceClass): string {
  return pattern === undefined ? `PH-${kind}` : `PH-${kind}-${pattern}`;
}
