import { expect, it } from "vitest";
import { liveness } from "../../../src/controller/liveness.ts";

const noon = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number) => new Date(noon - seconds * 1_000).toISOString();

it("believes a Lease at first sight, as far as it does not lie in the future", () => {
  const lives = liveness(() => noon);
  lives.observe("late", ago(300));
  lives.observe("ahead", ago(-3_600));
  expect(lives.heardAt("late")).toBe(noon - 300_000);
  expect(lives.heardAt("ahead")).toBe(noon);
});

it("takes a renewal for heard now, however wrong the node's clock is", () => {
  let now = noon;
  const lives = liveness(() => now);
  lives.observe("behind", ago(7_200));
  now += 60_000;
  lives.observe("behind", ago(7_140));
  expect(lives.heardAt("behind")).toBe(now);
});

it("is not woken by a Lease that was not renewed", () => {
  let now = noon;
  const lives = liveness(() => now);
  lives.observe("dead", ago(10));
  now += 60_000;
  lives.observe("dead", ago(10));
  expect(lives.heardAt("dead")).toBe(noon - 10_000);
});

it("knows nothing of a node without a Lease, or with one that cannot be read", () => {
  const lives = liveness(() => noon);
  lives.observe("gone", ago(10));
  lives.observe("gone", undefined);
  lives.observe("odd", "yesterday");
  expect([lives.heardAt("gone"), lives.heardAt("odd"), lives.heardAt("new")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
