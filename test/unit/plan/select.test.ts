import { describe, expect, it } from "vitest";
import { type LabelSelector, selects } from "../../../src/plan/select.ts";

const labels = { role: "worker", zone: "a", empty: "" };

const table: [string, LabelSelector | undefined, boolean][] = [
  ["an absent selector", undefined, true],
  ["an empty selector", {}, true],
  ["an equal label", { matchLabels: { role: "worker" } }, true],
  ["an equal label and another that differs", { matchLabels: { role: "worker", zone: "b" } }, false],
  ["a label that is not there", { matchLabels: { gpu: "" } }, false],
  ["a label that is empty", { matchLabels: { empty: "" } }, true],
  ["a key that only the prototype has", { matchExpressions: [{ key: "toString", operator: "Exists" }] }, false],
  ["In with the value", { matchExpressions: [{ key: "zone", operator: "In", values: ["a", "b"] }] }, true],
  ["In with other values", { matchExpressions: [{ key: "zone", operator: "In", values: ["b"] }] }, false],
  ["In on a key that is not there", { matchExpressions: [{ key: "gpu", operator: "In", values: [""] }] }, false],
  ["NotIn with the value", { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, false],
  ["NotIn with other values", { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["b"] }] }, true],
  ["NotIn on a key that is not there", { matchExpressions: [{ key: "gpu", operator: "NotIn", values: ["a"] }] }, true],
  ["Exists", { matchExpressions: [{ key: "empty", operator: "Exists" }] }, true],
  ["Exists on a key that is not there", { matchExpressions: [{ key: "gpu", operator: "Exists" }] }, false],
  ["DoesNotExist", { matchExpressions: [{ key: "gpu", operator: "DoesNotExist" }] }, true],
  ["DoesNotExist on a key that is there", { matchExpressions: [{ key: "empty", operator: "DoesNotExist" }] }, false],
  [
    "labels that hold and an expression that does not",
    { matchLabels: { zone: "a" }, matchExpressions: [{ key: "role", operator: "DoesNotExist" }] },
    false,
  ],
];

describe("selects", () => {
  it.each(table)("%s", (_name, selector, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });
});
