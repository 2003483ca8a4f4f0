import { afterEach, expect, it } from "vitest";
import { folderInputs, type HostPolicies } from "../../../src/agent/folder-inputs.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

let stop = new AbortController();
afterEach(() => stop.abort());

const files = (...policies: string[]): HostPolicies => ({ policies, groups: [], notes: [] });

/** One look after the other, each as `looks` says; the last again and again. */
async function after(looks: readonly (HostPolicies | Error)[]) {
  stop = new AbortController();
  let count = 0;
  let changes = 0;
  const done = Promise.withResolvers<void>();
  const inputs = folderInputs({
    async read() {
      // The look before this one has come to its end.
      if (count === looks.length) done.resolve();
      const look = looks[Math.min(count, looks.length - 1)] ?? files();
      count += 1;
      if (look instanceof Error) throw look;
      return look;
    },
    log: createLogger({ name: "test", level: "fatal" }),
    onChange: () => (changes += 1),
    everyMilliseconds: 1,
  });
  const running = inputs.run(stop.signal);
  await done.promise;
  const { synced, missing, revision } = inputs;
  const seen = { synced, missing, revision, changes, policies: inputs.nodeState()?.policies };
  stop.abort();
  await running;
  return seen;
}

it("follows files that were the same twice, as one may be half written", async () => {
  expect(await after([files("a")])).toMatchObject({ synced: false, policies: undefined });
  expect(await after([files("a"), files("a")])).toEqual({
    synced: true,
    missing: [],
    revision: 1,
    changes: 1,
    policies: ["a"],
  });
  const half = await after([files("a", "b"), files("a", "b"), files("a"), files("a", "b"), files("a", "b")]);
  expect(half).toMatchObject({ changes: 1, policies: ["a", "b"] });
});

it("keeps what it knows where files cannot be understood, and says so until they can", async () => {
  const broken = new Error("no YAML");
  expect(await after([broken])).toMatchObject({ synced: false, missing: ["no YAML"], policies: undefined });
  expect(await after([files("a"), files("a"), broken])).toMatchObject({ missing: ["no YAML"], policies: ["a"] });
  const mended = await after([files("a"), files("a"), broken, files("b"), files("b")]);
  expect(mended).toMatchObject({ missing: [], policies: ["b"] });
});

it("follows files that say that no policy is for this host", async () => {
  const none = await after([files("a"), files("a"), files(), files()]);
  expect(none).toMatchObject({ synced: true, policies: [] });
});
