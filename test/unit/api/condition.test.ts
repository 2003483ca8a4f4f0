import { describe, expect, it } from "vitest";
import { type Condition, clipText, MESSAGE_MAX, setCondition } from "../../../src/api/condition.ts";

const before = new Date("2030-01-01T00:00:00.000Z");
const later = new Date("2030-01-01T00:05:00.750Z");
const ready = {
  type: "Ready",
  status: "True",
  reason: "Enforced",
  message: "all nodes",
  observedGeneration: 1,
} as const;

describe("setCondition", () => {
  it("adds a condition of a new type, in whole seconds", () => {
    expect(setCondition([], ready, later)).toEqual([{ ...ready, lastTransitionTime: "2030-01-01T00:05:00Z" }]);
  });

  it("keeps lastTransitionTime while the status stays", () => {
    const conditions = setCondition([], ready, before);
    const changed = { ...ready, reason: "StillEnforced", message: "3 nodes", observedGeneration: 2 };
    expect(setCondition(conditions, changed, later)).toEqual([
      { ...changed, lastTransitionTime: "2030-01-01T00:00:00Z" },
    ]);
  });

  it("moves lastTransitionTime with the status", () => {
    const conditions = setCondition([], ready, before);
    expect(setCondition(conditions, { ...ready, status: "False" }, later)).toMatchObject([
      { status: "False", lastTransitionTime: "2030-01-01T00:05:00Z" },
    ]);
  });

  it("returns the same array where nothing changed", () => {
    const conditions = setCondition([], { ...ready, message: "x".repeat(2000) }, before);
    expect(setCondition(conditions, { ...ready, message: "x".repeat(2000) }, later)).toBe(conditions);
  });

  it("leaves the others and their order alone", () => {
    const stalled: Condition = { ...ready, type: "Stalled", lastTransitionTime: "2030-01-01T00:00:00Z" };
    const conditions = setCondition(
      [...setCondition([], ready, before), stalled],
      { ...ready, status: "Unknown" },
      later,
    );
    expect(conditions.map(({ type, status }) => [type, status])).toEqual([
      ["Ready", "Unknown"],
      ["Stalled", "True"],
    ]);
    expect(conditions[1]).toBe(stalled);
  });
});

describe("clipText", () => {
  it("cuts to what a status holds", () => {
    expect(clipText("x".repeat(MESSAGE_MAX))).toHaveLength(MESSAGE_MAX);
    expect(clipText("x".repeat(MESSAGE_MAX + 1))).toHaveLength(MESSAGE_MAX);
    expect(clipText("abcdef", 4)).toBe("abc…");
  });
});
