import { expect, it } from "vitest";
import { parseNodeFacts } from "../../../src/controller/node-facts.ts";
import { parseNodeStateFacts } from "../../../src/controller/node-state-facts.ts";

const node = (annotations: Record<string, string>) =>
  parseNodeFacts({ apiVersion: "v1", kind: "Node", metadata: { name: "n", annotations } });

it("takes a node out by exactly one value: a slip opens no node", () => {
  expect(node({ "porthardening.io/skip": "true" }).skipped).toBe(true);
  for (const value of ["", "false", "True", "yes", "1"])
    expect(node({ "porthardening.io/skip": value }).skipped).toBeUndefined();
});

it("knows whether the NodeState says so", () => {
  const state = (spec: object) =>
    parseNodeStateFacts({ apiVersion: "v1", kind: "N", metadata: { name: "n" }, spec } as never);
  expect(state({ policies: [], skipped: true }).skipped).toBe(true);
  expect(state({ policies: [] }).skipped).toBeUndefined();
});
