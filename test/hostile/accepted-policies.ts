import fc from "fast-check";
import { parsePolicy } from "../../src/api/parse.ts";
import { SchemaError } from "../../src/api/schema-error.ts";
import { arbitraryPolicy } from "../unit/api/arbitrary-policy.ts";

/** A policy as users write it, which admission takes. */
interface PolicyObject {
  readonly spec: object;
}

function accepts(object: unknown): boolean {
  try {
    parsePolicy(object);
    return true;
  } catch (error) {
    if (error instanceof SchemaError) return false;
    throw error;
  }
}

/** So that every kind of drop is logged in some run: of what is arbitrary, few have it. */
const logsDrops = { monitoring: { dropLog: { perMinute: 60 } } };

/** The policies of one node, of the whole language, each with a name of its own, some as long as names can be. */
export const acceptedPolicies: fc.Arbitrary<PolicyObject[]> = fc
  .array(arbitraryPolicy.filter(accepts), { minLength: 1, maxLength: 5 })
  .map((policies) =>
    policies.map((policy, index) => ({
      ...policy,
      metadata: { name: `policy-${index}`.padEnd(index % 2 === 0 ? 8 : 63, "x") },
      spec: { ...policy.spec, nodeSelector: undefined, ...(index === 0 ? logsDrops : {}) },
    })),
  );
