import type { RuleSet } from "../render/types.ts";

/** What a node has on which nothing is enforced. */
export const NO_RULES: RuleSet = { tables: [], sets: [], sysctls: [] };
