import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { parseAddressGroup, parsePolicy } from "../../../src/api/parse.ts";
import { tree } from "../../documentation/documents.ts";
import { documentedObjects } from "../../documentation/policies.ts";

const documented = documentedObjects();

it("README and docs show policies", () => {
  expect(documented.length).toBeGreaterThan(2);
});

it.each(documented.map(({ where, object }) => [where, object] as const))(
  "%s shows an object that is valid",
  (_, object) => {
    expect(() =>
      object["kind"] === "PortHardeningAddressGroup" ? parseAddressGroup(object) : parsePolicy(object),
    ).not.toThrow();
  },
);

it("README shows the sample that it applies", () => {
  const sample: unknown = parse(readFileSync(join(tree, "deploy/samples/minimal.yaml"), "utf8"));
  const shown = documented.filter(({ where }) => where.startsWith("README.md:"));
  expect(shown.map(({ object }) => object)).toEqual([sample]);
  expect(readdirSync(join(tree, "deploy/samples"))).toContain("minimal.yaml");
});
