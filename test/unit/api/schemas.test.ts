import { describe, expect, it } from "vitest";
import { explainIssue, problemsOf } from "../../../src/api/issue.ts";
import { nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import { parseAddressGroup, parseNodeState, parsePodRange, parsePolicy } from "../../../src/api/parse.ts";
import { policyStatusSchema } from "../../../src/api/policy.ts";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { objects, statuses } from "./objects.ts";

const PARSERS: Readonly<Record<string, (object: unknown) => unknown>> = {
  PortHardeningPolicy: parsePolicy,
  PortHardeningNodeState: parseNodeState,
  PortHardeningAddressGroup: parseAddressGroup,
  PortHardeningPodRange: parsePodRange,
};

/** The object as it comes over the wire. */
function parse(object: unknown): unknown {
  const wire = JSON.parse(JSON.stringify(object));
  const parser = PARSERS[wire.kind];
  if (parser === undefined) throw new Error(`no parser for ${wire.kind}`);
  return parser(wire);
}

/** Only what stands under status: the parsers take one that does not fit for none. */
function parseStatus(object: unknown): void {
  const { kind, status } = JSON.parse(JSON.stringify(object));
  const schema = kind === "PortHardeningPolicy" ? policyStatusSchema : nodeStateStatusSchema;
  const result = schema.safeParse(status, { error: explainIssue, reportInput: true });
  if (result.success) return;
  const problems = result.error.issues.flatMap(problemsOf).map((one) => ({ ...one, path: `status.${one.path}` }));
  throw new SchemaError(kind, problems);
}

function refusalOf(read: (object: unknown) => unknown, object: unknown): SchemaError {
  try {
    read(object);
  } catch (error) {
    if (error instanceof SchemaError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe.each([
  ["the table of objects", objects, parse, 80],
  ["the table of statuses", statuses, parseStatus, 40],
] as const)("%s", (_title, samples, read, atLeast) => {
  it(`has at least ${atLeast}, each of its own name`, () => {
    expect(samples.length).toBeGreaterThanOrEqual(atLeast);
    expect(new Set(samples.map(({ name }) => name)).size).toBe(samples.length);
  });

  for (const { name, object, expected } of samples) {
    if (expected === "ok") {
      it(`accepts ${name}`, () => {
        expect(() => read(object)).not.toThrow();
      });
    } else {
      it(`refuses ${name} at ${expected.field || "the object itself"}`, () => {
        const { problems } = refusalOf(read, object);
        expect(problems).toContainEqual({ path: expected.field, message: expect.stringContaining(expected.says) });
        expect(new Set(problems.map(({ path }) => path)), "no other field is blamed").toEqual(
          new Set([expected.field]),
        );
      });
    }
  }
});
