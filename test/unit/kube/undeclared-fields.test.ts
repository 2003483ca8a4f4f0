import { expect, it } from "vitest";
import { undeclaredFields, withoutField } from "../../../src/kube/undeclared-fields.ts";

const one =
  "failed to create typed patch object (/workers; porthardening.io/v1alpha1, Kind=PortHardeningPolicy): .status.nodes.outdated: field not declared in schema";
const several = `failed to create typed patch object (/n; g/v1, Kind=K): errors:
  .status.planFormats: field not declared in schema
  .status.policies[name="p"].retried: field not declared in schema
  .status.policies[0].of.it: field not declared in schema`;

it("finds the fields that the API server does not know in its words", () => {
  expect(undeclaredFields(one)).toEqual([["status", "nodes", "outdated"]]);
  expect(undeclaredFields(several)).toEqual([
    ["status", "planFormats"],
    ["status", "policies", "retried"],
    ["status", "policies", "of", "it"],
  ]);
  expect(undeclaredFields('PortHardeningPolicy "p" is invalid: status.nodes: Required value')).toEqual([]);
});

it("takes a field away wherever it is, and leaves all else", () => {
  const object = { status: { policies: [{ name: "p", retried: 1 }, { name: "q" }], retried: 2 } };
  expect(withoutField(object, ["status", "policies", "retried"])).toEqual({
    status: { policies: [{ name: "p" }, { name: "q" }], retried: 2 },
  });
  expect(withoutField(object, ["status", "nowhere", "retried"])).toEqual(object);
  expect(withoutField(object, ["status", "retried"]).status).toEqual({ policies: object.status.policies });
});
