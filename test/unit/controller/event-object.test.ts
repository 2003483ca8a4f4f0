import { describe, expect, it } from "vitest";
import { clipBytes, eventObject, type Happening } from "../../../src/controller/event-object.ts";

const happening: Happening = {
  regarding: {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningNodeState",
    name: "worker-1.example",
    uid: "u1",
  },
  type: "Warning",
  reason: "ProtocolsPlaintextRedis",
  action: "Audit",
  note: "tcp 0.0.0.0:6379 redis-server: speaks Redis without TLS.",
  identity: ["protocols.plaintext-redis", "tcp 0.0.0.0:6379 redis-server", "2026-01-01T11:00:00Z"],
};
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second));
const nameOf = (change: Partial<Happening>, second = 0) =>
  eventObject({ ...happening, ...change }, "controller-0", at(second)).metadata.name;

it("stands where kubectl describe looks for Events of a cluster-scoped object", () => {
  const event = eventObject(happening, "controller-0", at(0));
  expect(event.metadata.namespace).toBe("default");
  expect(event.regarding).toEqual(happening.regarding);
  expect(event.eventTime).toBe("2026-01-01T12:00:00.000000Z");
});

describe("its name", () => {
  it("is the same for the same happening, whenever, by whomever and in whatever words it is told", () => {
    expect(nameOf({ note: "other words" }, 30)).toBe(nameOf({}));
    expect(eventObject(happening, "controller-1", at(9)).metadata.name).toBe(nameOf({}));
  });

  it.each<[string, Partial<Happening>]>([
    ["another object", { regarding: { ...happening.regarding, uid: "u2" } }],
    ["another reason", { reason: "Other" }],
    ["another subject or time", { identity: ["x"] }],
  ])("differs for %s", (_what, change) => {
    expect(nameOf(change)).not.toBe(nameOf({}));
  });

  it.each(["a", "n".repeat(253), `${"n".repeat(179)}.${"m".repeat(60)}`])("is a DNS subdomain", (name) => {
    const made = nameOf({ regarding: { ...happening.regarding, name } });
    expect(made.length).toBeLessThanOrEqual(253);
    expect(made).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
    expect(made).not.toMatch(/[.-]\.|\.[.-]/);
  });
});

describe("its note", () => {
  it.each([
    ["ascii", "x".repeat(5_000)],
    ["two bytes", "ä".repeat(5_000)],
    ["four bytes", "𝒳".repeat(5_000)],
  ])("is at most 1,024 bytes, and whole characters: %s", (_what, text) => {
    const { note } = eventObject({ ...happening, note: text }, "c", at(0));
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(note)).toBeGreaterThan(1_015);
    expect(note).not.toContain("\ufffd");
  });

  it("is left alone where it fits to the byte", () => {
    expect(clipBytes("ää", 4)).toBe("ää");
    expect(clipBytes("äää", 5)).toBe("ä…");
  });

  it("cannot steer the terminal of who reads it", () => {
    expect(eventObject({ ...happening, note: "a\u001b[2Jb\nc\u2028d\u202ee" }, "c", at(0)).note).toBe("a?[2Jb?c?d?e");
  });
});
