import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import {
  ConflictError,
  ConnectionError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  NotServedError,
  TimeoutError,
} from "../../../src/kube/errors.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject, WatchEvent } from "../../../src/kube/types.ts";
import { type ControlPlane, type ForwardedApi, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { configMap, configMaps } from "./config-maps.ts";

const inDefault = (name: string) => ({ namespace: "default", name });

let lab: Lab;
let controlPlane: ControlPlane;
let api: ForwardedApi;
let client: KubeClient;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  api = await controlPlane.forward();
});
afterAll(async () => {
  await api?.close();
  await lab?.close();
});
beforeEach(() => {
  api.proxy.setMode("pass");
  client = kubeClient(loadKubeConfig(api.kubeconfig));
});
afterEach(() => client.close());

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable("it succeeded"),
    (error: unknown) => error,
  );
}

async function read(events: AsyncIterable<WatchEvent>): Promise<WatchEvent[]> {
  const seen: WatchEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe("what is not there", () => {
  it("is undefined where the object is missing", async () => {
    expect(await client.get(configMaps, inDefault("missing"))).toBeUndefined();
  });

  it.each([
    ["group", { ...configMaps, group: "none.example.org" }],
    ["version", { ...configMaps, group: "apps", version: "v0" }],
    ["kind", { ...configMaps, plural: "nothings", kind: "Nothing" }],
  ])("is NotServedError where the %s is", async (_what, resource) => {
    for (const call of [
      () => client.get(resource, inDefault("a")),
      () => client.list(resource, {}),
      () => client.create(resource, configMap("default", "a", "1")),
      () => read(client.watch(resource, { resourceVersion: "1", timeoutSeconds: 1 })),
    ]) {
      expect(await rejection(call())).toBeInstanceOf(NotServedError);
    }
  });

  it("is NotFoundError for a write", async () => {
    expect(await rejection(client.replace(configMaps, configMap("default", "missing", "1")))).toBeInstanceOf(
      NotFoundError,
    );
    expect(await rejection(client.create(configMaps, configMap("missing", "a", "1")))).toBeInstanceOf(NotFoundError);
  });

  it("is deleted already, another of the same name is not touched", async () => {
    await client.delete(configMaps, inDefault("missing"));
    const other = await client.create(configMaps, configMap("default", "other", "1"));
    expect(
      await rejection(client.delete(configMaps, { ...inDefault("other"), uid: "of-an-older-one" })),
    ).toBeInstanceOf(ConflictError);
    await client.delete(configMaps, { ...inDefault("other"), ...(other.metadata.uid && { uid: other.metadata.uid }) });
    expect(await client.get(configMaps, inDefault("other"))).toBeUndefined();
  });
});

describe("a write", () => {
  it("conflicts where the object exists already or has moved on", async () => {
    const first = await client.create(configMaps, configMap("default", "moving", "1"));
    expect(first).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { value: "1" } });
    const again = configMap("default", "moving", "2");
    expect(await rejection(client.create(configMaps, again))).toMatchObject({
      name: "ConflictError",
      reason: "AlreadyExists",
    });

    const update = (value: string) => ({ ...first, data: { value } });
    expect(await client.replace(configMaps, update("2"))).toMatchObject({ data: { value: "2" } });
    expect(await rejection(client.replace(configMaps, update("3")))).toBeInstanceOf(ConflictError);

    const { resourceVersion } = first.metadata;
    const stale = configMap("default", "moving", "4");
    const applied = { ...stale, metadata: { ...stale.metadata, resourceVersion } };
    const conflict = await rejection(client.apply(configMaps, applied, { fieldManager: "test" }));
    expect(conflict).toBeInstanceOf(ConflictError);
    expect(conflict).toMatchObject({ status: 409, reason: "Conflict", message: expect.stringContaining("modified") });
    expect(await client.get(configMaps, inDefault("moving"))).toMatchObject({ data: { value: "2" } });
  });

  it("that is invalid says which fields, and why", async () => {
    const error = await rejection(client.create(configMaps, configMap("default", "Not_a_name", "1")));
    expect(error).toBeInstanceOf(InvalidError);
    expect(error).toMatchObject({
      status: 422,
      reason: "Invalid",
      message: expect.stringContaining('ConfigMap "Not_a_name" is invalid'),
      causes: [
        { field: "metadata.name", reason: "FieldValueInvalid", message: expect.stringContaining("lowercase RFC 1123") },
      ],
    });
  });

  it("by server-side apply removes the list elements that it owned and no longer names, and no others", async () => {
    const service = (...ports: number[]) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: inDefault("applied"),
      spec: { ports: ports.map((port) => ({ name: `p${port}`, port, protocol: "TCP" })) },
    });
    const apply = (fieldManager: string, ...ports: number[]) =>
      client.apply(resources.services, service(...ports), { fieldManager });
    await apply("one", 1001, 1002);
    await apply("other", 2001);
    const after = await apply("one", 1002);
    const ports = [expect.objectContaining({ port: 1002 }), expect.objectContaining({ port: 2001 })];
    expect(after).toMatchObject({ spec: { ports: expect.toSatisfy((list: unknown[]) => list.length === 2) } });
    expect(after).toMatchObject({ spec: { ports: expect.arrayContaining(ports) } });
  });
});

describe("credentials", () => {
  it("without the right are refused with ForbiddenError", async () => {
    await controlPlane.kubectl(["create", "serviceaccount", "nobody", "-n", "default"]);
    const file = await controlPlane.kubeconfigFor(inDefault("nobody"), api.server);
    const nobody = kubeClient(loadKubeConfig(file));
    const error = await rejection(nobody.list(resources.nodes, {}));
    await nobody.close();
    expect(error).toBeInstanceOf(ForbiddenError);
    expect(error).toMatchObject({ message: expect.stringContaining("system:serviceaccount:default:nobody") });
  });

  it("that change are used from the next request on", async () => {
    const config = loadKubeConfig(api.kubeconfig);
    const changing = kubeClient(config);
    await changing.list(resources.nodes, {});
    const user = config.getCurrentUser();
    if (user) Object.assign(user, { certFile: undefined, keyFile: undefined, certData: undefined, keyData: undefined });
    const error = await rejection(changing.list(resources.nodes, {}));
    await changing.close();
    expect(error).toMatchObject({ name: "ForbiddenError", message: expect.stringContaining("system:anonymous") });
  });

  it("are not given to a server with another certificate authority", async () => {
    const config = loadKubeConfig(api.kubeconfig);
    const cluster = config.getCurrentCluster();
    if (cluster) Object.assign(cluster, { caFile: undefined, caData: undefined });
    const distrustful = kubeClient(config);
    const error = await rejection(distrustful.list(resources.nodes, {}));
    await distrustful.close();
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ message: expect.stringContaining("certificate") });
  });
});

describe("connections", () => {
  it("are kept: requests one after another share them", async () => {
    await client.list(resources.nodes, {});
    const before = api.proxy.accepted;
    for (let count = 0; count < 10; count++) await client.get(configMaps, inDefault("missing"));
    // A second one: undici may still be done with the first when the next request comes.
    expect(api.proxy.accepted - before).toBeLessThanOrEqual(1);
  });

  it("that are refused are ConnectionError", async () => {
    api.proxy.setMode("refuse");
    api.proxy.cut();
    expect(await rejection(client.list(resources.nodes, {}))).toBeInstanceOf(ConnectionError);
  });

  it("that are cut within a watch are ConnectionError", async () => {
    const { resourceVersion } = await client.list(configMaps, {});
    const events = client.watch(configMaps, { resourceVersion, timeoutSeconds: 60 })[Symbol.asyncIterator]();
    await client.create(configMaps, configMap("default", "cut", "1"));
    expect((await events.next()).value).toMatchObject({ type: "ADDED", object: { metadata: { name: "cut" } } });
    const next = rejection(events.next());
    api.proxy.cut();
    expect(await next).toBeInstanceOf(ConnectionError);
  });

  const ofNodes = { resourceVersion: "0", timeoutSeconds: 60 };
  it.each<[string, (impatient: KubeClient) => Promise<unknown>]>([
    ["a request", (impatient) => impatient.list(resources.nodes, {})],
    ["a watch", (impatient) => read(impatient.watch(resources.nodes, ofNodes))],
  ])("that are stalled end %s in time, on a connection kept as on a new one", async (_what, call) => {
    const impatient = kubeClient(loadKubeConfig(api.kubeconfig), { requestTimeoutMilliseconds: 700 });
    await impatient.list(resources.nodes, {});
    api.proxy.setMode("stall");
    for (const _connection of ["kept", "new"]) {
      const since = performance.now();
      expect(await rejection(call(impatient))).toBeInstanceOf(TimeoutError);
      const milliseconds = performance.now() - since;
      expect(milliseconds).toBeGreaterThan(650);
      expect(milliseconds).toBeLessThan(2000);
    }
    await impatient.close();
  });

  it("end with the caller's signal, and with its reason", async () => {
    api.proxy.setMode("stall");
    const stop = new AbortController();
    const reason = new Error("stopping");
    const request = rejection(client.list(resources.nodes, {}, stop.signal));
    const watch = rejection(read(client.watch(resources.nodes, ofNodes, stop.signal)));
    stop.abort(reason);
    expect(await request).toBe(reason);
    expect(await watch).toBe(reason);
    expect(await rejection(client.list(resources.nodes, {}, stop.signal))).toBe(reason);
  });
});

describe("a watch", () => {
  it("ends when the server ends it, with all events before", async () => {
    const { resourceVersion } = await client.list(configMaps, { namespace: "default" });
    const options = {
      namespace: "default",
      fieldSelector: "metadata.name=watched",
      resourceVersion,
      timeoutSeconds: 2,
    };
    const watched = read(client.watch(configMaps, options));
    const created = await client.create(configMaps, configMap("default", "watched", "1"));
    await client.create(configMaps, configMap("default", "unwatched", "1"));
    await client.replace(configMaps, { ...created, metadata: { ...created.metadata, labels: { changed: "yes" } } });
    await client.delete(configMaps, inDefault("watched"));
    const events = (await watched).filter(({ type }) => type !== "BOOKMARK");
    expect(events.map(({ type }) => type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  it("passes an object of 1 MiB", async () => {
    const { resourceVersion } = await client.list(configMaps, {});
    const large: KubeObject = configMap("default", "large", "é🛡".repeat(150_000));
    const events = client.watch(configMaps, { resourceVersion, timeoutSeconds: 10 })[Symbol.asyncIterator]();
    const [{ value }] = await Promise.all([events.next(), client.create(configMaps, large)]);
    expect(value).toMatchObject({ type: "ADDED", object: { metadata: { name: "large" } } });
    expect(value).toHaveProperty("object.data", { value: "é🛡".repeat(150_000) });
    await events.return?.();
  });
});
