export type { Mode } from "../api/mode.ts";

import type { NodeDirection, NodeLimit } from "./node-plan.ts";

/** A value that a policy in mode Observe would set. "Contains": ports that it would add to what is reserved. */
export interface WantedSetting {
  readonly policy: string;
  readonly key: string;
  readonly value: string;
  readonly match: "Equal" | "Contains";
}

/** What to count for policies in mode Observe; absent from a plan where there is none. Nothing of it is enforced. */
export interface ObservedPlan {
  /** Names of the policies that observe. */
  readonly policies: readonly string[];
  /** Of all policies, enforced and observing, by precedence; empty where none observes this direction. */
  readonly inbound: readonly NodeDirection[];
  readonly outbound: readonly NodeDirection[];
  /** Of those that observe. */
  readonly rateLimits: readonly NodeLimit[];
  readonly settings: readonly WantedSetting[];
}
