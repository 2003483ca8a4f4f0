import { describe, expect, it } from "vitest";
import { ConnectionError, ForbiddenError, GoneError, TooManyRequestsError } from "../../../src/kube/errors.ts";
import { reflector } from "../../../src/kube/reflector.ts";
import { sleep } from "../../../src/kube/sleep.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { type Answer, configMap, scriptedClient } from "./scripted-client.ts";

const configMaps = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };
const request = "GET /api/v1/configmaps";
const cut = new ConnectionError("reset", { request });

function versionOf({ metadata: { name, resourceVersion } }: KubeObject): string | undefined {
  if (name === "poison") throw new Error("cannot be parsed");
  return name === "ignored" ? undefined : `${name}@${resourceVersion}`;
}

/** Runs the script to its end (the request after the last answer hangs) and says what was seen on the way. */
async function play(script: readonly Answer[]) {
  const client = scriptedClient(script);
  const stop = new AbortController();
  const changes: string[] = [];
  const syncs: string[][] = [];
  const pauses: number[] = [];
  const reflected = reflector(
    {
      client,
      resource: configMaps,
      pageSize: 2,
      parse: versionOf,
      onChange: ({ key, before, after }) =>
        changes.push(`${key.name}: ${before} -> ${after} (${store.list().length} there)`),
      onSync: () => syncs.push([...store.list()]),
      onError: (_error, milliseconds) => pauses.push(milliseconds),
    },
    {
      random: () => 1,
      now: () => 0,
      sleep: async () => {
        if (client.requests.length >= 30) stop.abort();
      },
    },
  );
  const { store, run } = reflected;
  const running = run(stop.signal);
  while (client.requests.length <= script.length && !stop.signal.aborted) await new Promise(setImmediate);
  stop.abort(new Error("the script is over"));
  await running;
  return {
    store,
    refusal: reflected.refusal,
    changes,
    syncs,
    pauses,
    requests: client.requests.slice(0, script.length + 1),
  };
}

it("lists by pages and watches from the version of the list", async () => {
  const seen = await play([
    { list: { items: [configMap("a", "1"), configMap("b", "2")], resourceVersion: "9", continue: "more" } },
    { list: { items: [configMap("c", "3")], resourceVersion: "9" } },
  ]);
  expect(seen.requests).toEqual(["list 2 start", "list 2 more", "watch 9"]);
  expect(seen.syncs).toEqual([["a@1", "b@2", "c@3"]]);
});

it("is not synced, and empty, until the list is complete", async () => {
  const seen = await play([
    { list: { items: [configMap("a", "1")], resourceVersion: "9", continue: "more" } },
    { fails: cut },
  ]);
  expect(seen.store.synced).toBe(false);
  expect(seen.store.list()).toEqual([]);
});

it("follows the events of the watch", async () => {
  const seen = await play([
    { list: { items: [configMap("a", "1")], resourceVersion: "1" } },
    {
      watch: [
        { type: "ADDED", object: configMap("b", "2") },
        { type: "MODIFIED", object: configMap("a", "3") },
        { type: "BOOKMARK", resourceVersion: "8" },
        { type: "DELETED", object: configMap("b", "9") },
      ],
    },
  ]);
  expect(seen.changes).toEqual([
    "a: undefined -> a@1 (1 there)",
    "b: undefined -> b@2 (2 there)",
    "a: a@1 -> a@3 (2 there)",
    "b: b@2 -> undefined (1 there)",
  ]);
  expect(seen.requests.at(-1)).toBe("watch 9");
  expect(seen.store.get({ name: "a", namespace: "default" })).toBe("a@3");
  expect(seen.store.get({ name: "a" })).toBeUndefined();
});

it("swaps the store as a whole after a relist and reports each difference once", async () => {
  const gone = new GoneError("too old", { request, status: 410 });
  const seen = await play([
    { list: { items: ["a", "b", "c"].map((name) => configMap(name, "1")), resourceVersion: "5" } },
    { fails: gone },
    { list: { items: [configMap("a", "1"), configMap("b", "7"), configMap("d", "8")], resourceVersion: "9" } },
  ]);
  expect(seen.changes.slice(3)).toEqual([
    "c: c@1 -> undefined (3 there)",
    "b: b@1 -> b@7 (3 there)",
    "d: undefined -> d@8 (3 there)",
  ]);
  expect(seen.syncs).toEqual([
    ["a@1", "b@1", "c@1"],
    ["a@1", "b@7", "d@8"],
  ]);
  expect(seen.requests).toEqual(["list 2 start", "watch 5", "list 2 start", "watch 9"]);
});

it("goes on from the last version after a broken watch", async () => {
  const seen = await play([
    { list: { items: [], resourceVersion: "5" } },
    { watch: [{ type: "BOOKMARK", resourceVersion: "6" }] },
    { fails: cut },
  ]);
  expect(seen.requests).toEqual(["list 2 start", "watch 5", "watch 6", "watch 6"]);
});

describe("a refusal", () => {
  const forbidden = (verb: string) => ({ fails: new ForbiddenError(`cannot ${verb}`, { request, status: 403 }) });
  const listed = { list: { items: [], resourceVersion: "5" } };
  const goesOn = { watch: [{ type: "BOOKMARK", resourceVersion: "6" }] } as const;

  it.each<[string, readonly Answer[], string | undefined]>([
    ["of the list is told", [forbidden("list")], "cannot list"],
    ["of the watch is told, though the list is complete", [listed, forbidden("watch")], "cannot watch"],
    ["is still told when something else fails", [listed, forbidden("watch"), { fails: cut }], "cannot watch"],
    ["is over with a list", [forbidden("list"), listed], undefined],
    ["is over with the first word of a watch", [listed, forbidden("watch"), goesOn], undefined],
    ["is no other fault", [listed, { fails: cut }], undefined],
  ])("%s", async (_, script, told) => {
    expect((await play(script)).refusal).toBe(told);
  });
});

it("keeps nothing of an object that parse does not want or throws at, and says so", async () => {
  const items = [configMap("poison", "1"), configMap("ignored", "2"), configMap("good", "3")];
  const seen = await play([
    { list: { items, resourceVersion: "5" } },
    { watch: [{ type: "MODIFIED", object: configMap("poison", "6") }] },
  ]);
  expect(seen.store.list()).toEqual(["good@3"]);
  expect(seen.changes).toEqual(["good: undefined -> good@3 (1 there)"]);
  expect(seen.pauses).toEqual([0, 0]);
});

it("waits twice as long after each failure, at most 30 s, and briefly again after a healthy watch", async () => {
  const seen = await play([
    ...Array.from({ length: 9 }, () => ({ fails: cut })),
    { list: { items: [], resourceVersion: "5" } },
    { watch: [{ type: "BOOKMARK", resourceVersion: "6" }] },
    { fails: cut },
  ]);
  expect(seen.pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 250]);
});

it("waits as long as the API server asks, within its own bound", async () => {
  const slowDown = (retryAfterSeconds: number) => ({
    fails: new TooManyRequestsError("slow down", { request, status: 429, retryAfterSeconds }),
  });
  expect((await play([slowDown(5), slowDown(3600)])).pauses).toEqual([5000, 30_000]);
});

it.each<[string, Answer[]]>([
  ["listing", []],
  ["watching", [{ list: { items: [], resourceVersion: "5" } }]],
])("ends when it is aborted while %s", async (_state, script) => {
  expect((await play(script)).pauses).toEqual([]);
});

it("ends when it is aborted while backing off", async () => {
  const stop = new AbortController();
  const { run } = reflector(
    {
      client: scriptedClient([{ fails: cut }]),
      resource: configMaps,
      parse: versionOf,
      onChange: () => {},
      onError: () => stop.abort(),
    },
    { random: () => 1, now: () => 0, sleep: (_milliseconds, signal) => sleep(3_600_000, signal) },
  );
  await expect(run(stop.signal)).resolves.toBeUndefined();
});
