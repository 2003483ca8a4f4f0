import { describe, expect, it } from "vitest";
import {
  ConnectionError,
  ForbiddenError,
  GoneError,
  KubeError,
  NotServedError,
  TimeoutError,
  TooManyRequestsError,
} from "../../../src/kube/errors.ts";
import type { Entry } from "../../../src/kube/object-store.ts";
import { listAnew, type ReflectorInput, type ReflectorState, step } from "../../../src/kube/reflector-step.ts";

const request = "GET /api/v1/configmaps";
const [a, b] = [entry("a", "4"), entry("b", "5")];
const watching: ReflectorState<string> = { at: "Watching", resourceVersion: "7", heard: false, failures: 0 };

function entry(name: string, resourceVersion: string): Entry<string> {
  return { key: { name }, resourceVersion, value: name };
}

function page(entries: Entry<string>[], token?: string): ReflectorInput<string> {
  return { type: "Page", entries, resourceVersion: "7", continue: token };
}

function run(start: ReflectorState<string>, ...inputs: ReflectorInput<string>[]) {
  return inputs.reduce((at, input) => step(at.state, input), { state: start });
}

describe("listing", () => {
  it("touches the store only after the last page, with all of them", () => {
    const first = step(listAnew<string>(), page([a], "token"));
    expect(first).toEqual({ state: { at: "Listing", entries: [a], continue: "token", failures: 0 } });

    const last = step(first.state, page([b]));
    expect(last.update).toEqual({ type: "Replace", entries: [a, b] });
    expect(last.state).toMatchObject({ at: "Watching", resourceVersion: "7" });
  });

  it("starts from the first page again where the continue token is too old", () => {
    const gone = new GoneError("expired", { request, status: 410 });
    const { state } = run(listAnew(), page([a], "token"), { type: "Failed", error: gone }, { type: "Waited" });
    expect(state).toEqual({ at: "Listing", entries: [], continue: undefined, failures: 1 });
  });

  it("goes on with the same page after a broken connection", () => {
    const cut = new ConnectionError("reset", { request });
    const { state } = run(listAnew(), page([a], "token"), { type: "Failed", error: cut }, { type: "Waited" });
    expect(state).toEqual({ at: "Listing", entries: [a], continue: "token", failures: 1 });
  });
});

describe("watching", () => {
  it("moves its version with events, deletions and bookmarks", () => {
    const changed = step(watching, { type: "Changed", entry: entry("a", "8") });
    expect(changed).toMatchObject({ state: { resourceVersion: "8" }, update: { type: "Set" } });
    const deleted = step(changed.state, { type: "Deleted", key: { name: "a" }, resourceVersion: "9" });
    expect(deleted).toMatchObject({ state: { resourceVersion: "9" }, update: { type: "Remove", key: { name: "a" } } });
    const marked = step(deleted.state, { type: "Bookmark", resourceVersion: "12" });
    expect(marked).toEqual({ state: { at: "Watching", resourceVersion: "12", heard: true, failures: 0 } });
  });

  it("watches on at once, from the last version, when the server ends the watch", () => {
    const { state } = run(
      watching,
      { type: "Bookmark", resourceVersion: "12" },
      { type: "WatchEnded", lastedMilliseconds: 5 },
    );
    expect(state).toEqual({ at: "Watching", resourceVersion: "12", heard: false, failures: 0 });
    expect(run(watching, { type: "WatchEnded", lastedMilliseconds: 290_000 }).state).toEqual(watching);
  });

  it("backs off where the server ends watches at once without an event", () => {
    const { state } = run(watching, { type: "WatchEnded", lastedMilliseconds: 5 });
    expect(state).toMatchObject({ at: "BackingOff", failures: 1, next: { at: "Watching", resourceVersion: "7" } });
  });

  it.each([
    new ConnectionError("refused", { request }),
    new TimeoutError("silence", { request }),
    new ForbiddenError("not yet", { request, status: 403 }),
    new KubeError("unauthorized", { request, status: 401 }),
    new KubeError("overloaded", { request, status: 503 }),
    new TooManyRequestsError("slow down", { request, status: 429, retryAfterSeconds: 1 }),
    new Error("unknown"),
  ])("goes on from its version after: $name $message", (error) => {
    const { state } = run(watching, { type: "Failed", error });
    expect(state).toMatchObject({ at: "BackingOff", next: { at: "Watching", resourceVersion: "7", failures: 1 } });
  });

  it.each([
    new GoneError("too old resource version", { request, status: 410 }),
    new NotServedError("404 page not found", { request, status: 404 }),
    new KubeError("invalid resource version", { request, status: 400 }),
    new KubeError("Too large resource version", {
      request,
      status: 504,
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "" }],
    }),
  ])("lists anew, after a pause, after: $name $message", (error) => {
    const { state } = run(watching, { type: "Failed", error });
    expect(state).toMatchObject({ at: "BackingOff", failures: 1, next: { at: "Listing", entries: [], failures: 1 } });
  });
});

describe("failures", () => {
  const failed: ReflectorInput<string> = { type: "Failed", error: new GoneError("too old", { request, status: 410 }) };

  it("are counted over lists that succeed between watches that fail", () => {
    const { state } = run(
      watching,
      failed,
      { type: "Waited" },
      page([a]),
      failed,
      { type: "Waited" },
      page([a]),
      failed,
    );
    expect(state).toMatchObject({ at: "BackingOff", failures: 3 });
  });

  it.each<ReflectorInput<string>>([
    { type: "Bookmark", resourceVersion: "8" },
    { type: "WatchEnded", lastedMilliseconds: 1000 },
  ])("are forgotten after a healthy watch: $type", (healthy) => {
    const { state } = run(watching, failed, { type: "Waited" }, page([a]), healthy, failed);
    expect(state).toMatchObject({ at: "BackingOff", failures: 1 });
  });
});

it("refuses an input that cannot happen", () => {
  expect(() => step(watching, { type: "Waited" })).toThrow("Waited cannot happen while Watching");
  expect(() => step(listAnew(), { type: "Bookmark", resourceVersion: "1" })).toThrow(
    "Bookmark cannot happen while Listing",
  );
});
