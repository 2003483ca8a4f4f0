import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import { ConnectionError, GoneError, NotServedError, TimeoutError } from "../../../src/kube/errors.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { reflector } from "../../../src/kube/reflector.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { type ControlPlane, type ForwardedApi, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type Followed, follow } from "./config-maps.ts";

let lab: Lab;
let controlPlane: ControlPlane;
let straight: ForwardedApi;
let api: ForwardedApi;
let direct: KubeClient;
let namespace: string;
let namespaces = 0;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  straight = await controlPlane.forward();
  api = await controlPlane.forward();
  direct = kubeClient(loadKubeConfig(straight.kubeconfig));
});
afterAll(async () => {
  await direct?.close();
  await api?.close();
  await straight?.close();
  await lab?.close();
});
beforeEach(async () => {
  namespaces += 1;
  namespace = `faults-${namespaces}`;
  await controlPlane.kubectl(["create", "namespace", namespace]);
  api.proxy.setMode("pass");
  api.proxy.setDelay(0);
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);

async function synced(options: Partial<Parameters<typeof follow>[0]> = {}): Promise<Followed> {
  const followed = await follow({ controlPlane, direct, api, namespace, ...options });
  await followed.caughtUp();
  await waitFor("the first sync", () => (followed.syncs > 0 ? true : undefined), { timeoutMilliseconds: 30_000 });
  return followed;
}

it("lists 55 objects by pages of 10", async () => {
  const manifest = numbers(55).map(
    (name) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: "c${name}"}, data: {value: "1"}}`,
  );
  await controlPlane.kubectl(["apply", "-n", namespace, "-f", "-"], { input: manifest.join("\n---\n") });
  await using followed = await synced({ pageSize: 10 });
  expect(followed.pages).toBe(6);
  expect(followed.syncs).toBe(1);
  expect(followed.seen("c55")).toEqual(["1"]);
  await followed.remove("c7");
  await followed.caughtUp();
  expect(followed.seen("c7")).toEqual(["1", "-"]);
});

it("sees each write once, in order, while the server ends its watches", async () => {
  await using followed = await synced({ watchSeconds: 1 });
  let written = 0;
  while (followed.watches < 4) await followed.write("counter", `${++written}`);
  await followed.caughtUp();
  expect(followed.seen("counter")).toEqual(numbers(written));
  expect(followed.syncs).toBe(1);
  expect(followed.errors).toEqual([]);
});

it("sees each write once, in order, while its connections are cut", async () => {
  await using followed = await synced();
  for (const value of numbers(20)) {
    if (Number(value) % 4 === 0) expect(api.proxy.cut()).toBeGreaterThan(0);
    await followed.write("counter", value);
    if (Number(value) % 4 === 0) await followed.caughtUp();
  }
  await followed.caughtUp();
  expect(followed.seen("counter")).toEqual(numbers(20));
  expect(followed.syncs).toBe(1);
  expect(followed.errors.length).toBeGreaterThanOrEqual(5);
  expect(followed.errors.every((error) => error instanceof ConnectionError)).toBe(true);
});

it("catches up, without a new list, after connections were refused for a while", async () => {
  await using followed = await synced();
  api.proxy.setMode("refuse");
  api.proxy.cut();
  for (const value of numbers(5)) await followed.write("counter", value);
  await waitFor("three failures", () => (followed.errors.length >= 3 ? true : undefined), {
    timeoutMilliseconds: 30_000,
  });
  expect(followed.seen("counter")).toEqual([]);
  api.proxy.setMode("pass");
  await followed.caughtUp();
  expect(followed.seen("counter")).toEqual(numbers(5));
  expect(followed.syncs).toBe(1);
});

it("takes a connection on which nothing arrives for dead and catches up when it passes again", async () => {
  await using followed = await synced({ patience: { requestTimeoutMilliseconds: 900, watchSilenceMilliseconds: 900 } });
  api.proxy.setMode("stall");
  for (const value of numbers(5)) await followed.write("counter", value);
  // The watch first, then the attempt to make a new one: each ends by its own time-out.
  await waitFor("two time-outs", () => (followed.errors.length >= 2 ? true : undefined), {
    timeoutMilliseconds: 30_000,
    lastSeen: () => followed.errors.join(", "),
  });
  expect(followed.errors.every((error) => error instanceof TimeoutError)).toBe(true);
  expect(followed.seen("counter")).toEqual([]);
  api.proxy.setMode("pass");
  await followed.caughtUp();
  expect(followed.seen("counter")).toEqual(numbers(5));
});

it("keeps up over a slow connection", async () => {
  await using followed = await synced();
  api.proxy.setDelay(250);
  for (const value of numbers(5)) await followed.write("counter", value);
  expect(followed.seen("counter"), "the proxy must be slower than the writes").not.toEqual(numbers(5));
  await followed.caughtUp();
  expect(followed.seen("counter")).toEqual(numbers(5));
  expect(followed.errors).toEqual([]);
});

it("lists anew after 410 Gone, which a restarted API server answers to versions it no longer remembers", async () => {
  await using followed = await synced();
  await followed.write("kept", "1");
  await followed.write("removed", "1");
  await followed.write("changed", "1");
  await followed.caughtUp();

  api.proxy.setMode("refuse");
  api.proxy.cut();
  await followed.remove("removed");
  await followed.write("changed", "2");
  await controlPlane.restart();
  await followed.write("changed", "3");
  await followed.write("added", "1");
  api.proxy.setMode("pass");

  await followed.caughtUp();
  expect(followed.errors.some((error) => error instanceof GoneError)).toBe(true);
  expect(followed.syncs).toBe(2);
  expect(["kept", "removed", "changed", "added"].map(followed.seen)).toEqual([["1"], ["1", "-"], ["1", "3"], ["1"]]);
});

it("is complete again soon after the API server was killed and started", async () => {
  await using followed = await synced();
  await followed.write("before", "1");
  await followed.caughtUp();
  await controlPlane.stop();
  await waitFor("the loss to be noticed", () => (followed.errors.length > 0 ? true : undefined), {
    timeoutMilliseconds: 30_000,
  });
  await controlPlane.start();
  await followed.write("after", "1");
  await followed.caughtUp();
  expect(followed.seen("before")).toEqual(["1"]);
  expect(followed.seen("after")).toEqual(["1"]);
});

it("follows a kind whose definition is deleted and made anew", async () => {
  const definition = JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.test.example.org" },
    spec: {
      group: "test.example.org",
      names: { kind: "Thing", plural: "things" },
      scope: "Cluster",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  });
  const things = { group: "test.example.org", version: "v1", plural: "things", kind: "Thing", namespaced: false };
  const errors: unknown[] = [];
  const { store, run } = reflector({
    client: direct,
    resource: things,
    parse: ({ metadata }) => `${metadata.name} ${metadata.uid}`,
    onChange: () => {},
    onError: (error) => errors.push(error),
  });
  const holds = (what: string, wanted: readonly string[]) =>
    waitFor(what, () => (`${store.list()}` === `${wanted}` ? true : undefined), {
      timeoutMilliseconds: 30_000,
      lastSeen: () => `${store.list()}; errors ${errors.join(", ")}`,
    });
  async function install(): Promise<string> {
    await controlPlane.kubectl(["apply", "-f", "-"], { input: definition });
    await controlPlane.kubectl(["wait", "--for=condition=Established", "crd/things.test.example.org"]);
    const { metadata } = await direct.create(things, {
      apiVersion: "test.example.org/v1",
      kind: "Thing",
      metadata: { name: "a" },
    });
    return `a ${metadata.uid}`;
  }

  const stop = new AbortController();
  const running = run(stop.signal);
  await waitFor("the kind to be missed", () => errors[0], { timeoutMilliseconds: 30_000 });
  expect(errors[0]).toBeInstanceOf(NotServedError);
  expect(store.synced).toBe(false);
  await holds("the first one", [await install()]);
  await controlPlane.kubectl(["delete", "crd", "things.test.example.org"]);
  await holds("nothing", []);
  await holds("the second one", [await install()]);
  stop.abort();
  await running;
});
