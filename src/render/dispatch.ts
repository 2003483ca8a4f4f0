import type { InterfaceClass } from "./interface-class.ts";
import { rule } from "./rule.ts";
import type { Chain } from "./types.ts";

/** What tells the two directions apart in rules: matches and the names of chains. */
export interface Way {
  readonly interface: "-i" | "-o";
  /** Which of a packet's addresses is the other end's. */
  readonly peer: "src" | "dst";
  /** Chains that send a packet to its class. */
  readonly judgeChain: string;
  readonly trustChain: string;
  /** Kinds of the chains of a class, as in `classChain`. */
  readonly judgeKind: string;
  readonly trustedKind: string;
}

export const INBOUND: Way = {
  interface: "-i",
  peer: "src",
  judgeChain: "PH-JUDGE",
  trustChain: "PH-TRUST",
  judgeKind: "J",
  trustedKind: "T",
};

export const OUTBOUND: Way = {
  interface: "-o",
  peer: "dst",
  judgeChain: "PH-OUT-JUDGE",
  trustChain: "PH-OUT-TRUST",
  judgeKind: "OJ",
  trustedKind: "OT",
};

/** Chains, and the rule that leads into them. */
export interface Dispatch {
  readonly chains: readonly Chain[];
  readonly entry: string;
}

/** Sends a packet to its class: the first pattern that matches is the most specific one. */
export function dispatch(
  name: string,
  way: Way,
  classes: readonly InterfaceClass[],
  entries: readonly string[],
): Dispatch {
  const rules = classes.map(({ pattern }, index) =>
    rule(pattern === undefined ? "" : `${way.interface} ${pattern}`, entries[index] ?? ""),
  );
  const [only] = rules;
  if (only !== undefined && rules.length === 1) return { chains: [], entry: only };
  return { chains: [{ name, rules }], entry: `-g ${name}` };
}
