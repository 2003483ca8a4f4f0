import { describe, expect, it } from "vitest";
import { parseAddressGroup, parseNodeState, parsePolicy } from "../../../src/api/parse.ts";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { objects } from "./objects.ts";

const PARSERS: Readonly<Record<string, (object: unknown) => unknown>> = {
  PortHardeningPolicy: parsePolicy,
  PortHardeningNodeState: parseNodeState,
  PortHardeningAddressGroup: parseAddressGroup,
};

/** The object as it comes over the wire. */
function parse(object: unknown): unknown {
  const wire = JSON.parse(JSON.stringify(object));
  const parser = PARSERS[wire.kind];
  if (parser === undefined) throw new Error(`no parser for ${wire.kind}`);
  return parser(wire);
}

function refusalOf(object: unknown): SchemaError {
  try {
    parse(object);
  } catch (error) {
    if (error instanceof SchemaError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("the table of objects", () => {
  it("has at least 80, each of its own name", () => {
    expect(objects.length).toBeGreaterThanOrEqual(80);
    expect(new Set(objects.map(({ name }) => name)).size).toBe(objects.length);
  });

  for (const { name, object, expected } of objects) {
    if (expected === "ok") {
      it(`accepts ${name}`, () => {
        expect(() => parse(object)).not.toThrow();
      });
    } else {
      it(`refuses ${name} at ${expected.field || "the object itself"}`, () => {
        const { problems } = refusalOf(object);
        expect(problems).toContainEqual({ path: expected.field, message: expect.stringContaining(expected.says) });
        expect(new Set(problems.map(({ path }) => path)), "no other field is blamed").toEqual(
          new Set([expected.field]),
        );
      });
    }
  }
});
