import { expect, it } from "vitest";
import { summariseUnmatched, unmatchedNames, unmatchedOf } from "../../../src/controller/unmatched-outcome.ts";

const since = "2026-01-01T00:00:00Z";
const reported = (...entries: readonly string[]) => ({
  count: entries.length,
  of: 9,
  entries: entries.map((entry) => ({
    policy: entry.startsWith("x") ? "web-2" : "web",
    direction: "Inbound" as const,
    list: "Allow" as const,
    entry,
    since,
  })),
});
const of = (...entries: readonly string[]) => unmatchedOf("web", unmatchedNames(reported(...entries)));

it("names of a policy what no packet has matched on any node that enforces it", () => {
  expect(summariseUnmatched([of("office", "branch"), of("branch", "lab")])).toEqual({
    unmatched: { count: 1, entries: [{ direction: "Inbound", list: "Allow", entry: "branch" }] },
  });
});

it("leaves out what is another policy's, though its name begins alike", () => {
  expect(summariseUnmatched([of("xray", "branch")]).unmatched?.entries).toMatchObject([{ entry: "branch" }]);
});

it("says nothing where each entry was matched somewhere, where no node enforces it, or where one does not say", () => {
  expect(summariseUnmatched([of("office"), of("branch")])).toEqual({});
  expect(summariseUnmatched([])).toEqual({});
  expect(summariseUnmatched([of("office"), unmatchedOf("web", undefined)])).toEqual({});
});
