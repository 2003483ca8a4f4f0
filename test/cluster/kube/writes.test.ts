import { afterAll, beforeAll, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { renewLease } from "../../../src/kube/lease.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { updateStatus } from "../../../src/kube/update-status.ts";
import { type ControlPlane, type ForwardedApi, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";

let lab: Lab;
let controlPlane: ControlPlane;
let api: ForwardedApi;
let client: KubeClient;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  api = await controlPlane.forward();
  client = kubeClient(loadKubeConfig(api.kubeconfig));
  await client.create(resources.nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } });
});
afterAll(async () => {
  await client?.close();
  await api?.close();
  await lab?.close();
});

const key = { name: "n1" };

function conditions(...types: string[]) {
  return { conditions: types.map((type) => ({ type, status: "True", reason: "Test", message: "" })) };
}

async function conditionTypes(): Promise<string[]> {
  const { stdout } = await controlPlane.kubectl(["get", "node", "n1", "-o", "jsonpath={.status.conditions[*].type}"]);
  return stdout.trim().split(" ").sort();
}

function write(fieldManager: string, ...types: string[]) {
  return updateStatus(client, { resource: resources.nodes, key, fieldManager, desired: () => conditions(...types) });
}

it("writes a status that holds what this manager wants beside what others wrote", async () => {
  await write("other", "Theirs");
  await write("test", "First", "Second");
  expect(await conditionTypes()).toEqual(["First", "Second", "Theirs"]);
  await write("test", "Second");
  expect(await conditionTypes()).toEqual(["Second", "Theirs"]);
});

it("decides anew where another writer came between, and never overwrites what it has not seen", async () => {
  const decidedOn: (string | undefined)[] = [];
  const overtaken: KubeClient = {
    ...client,
    async get(...args) {
      const read = await client.get(...args);
      if (decidedOn.length < 2)
        await controlPlane.kubectl(["label", "node", "n1", "--overwrite", `x=${decidedOn.length}`]);
      return read;
    },
  };
  const written = await updateStatus(overtaken, {
    resource: resources.nodes,
    key,
    fieldManager: "test",
    desired(current) {
      decidedOn.push(current.metadata.labels?.["x"]);
      return conditions(`Decision${decidedOn.length}`);
    },
  });
  expect(decidedOn).toEqual([undefined, "0", "1"]);
  expect(written?.metadata.labels).toEqual({ x: "1" });
  expect(await conditionTypes()).toEqual(["Decision3", "Theirs"]);
});

it("writes nothing where nothing is wanted, or there is no such object", async () => {
  const before = await client.get(resources.nodes, key);
  const request = { resource: resources.nodes, fieldManager: "test" };
  expect(await updateStatus(client, { ...request, key, desired: () => undefined })).toEqual(before);
  const missing = { name: "missing" };
  expect(await updateStatus(client, { ...request, key: missing, desired: () => conditions("A") })).toBeUndefined();
  expect(await client.get(resources.nodes, missing)).toBeUndefined();
});

const lease = { namespace: "default", name: "n1", holder: "n1", durationSeconds: 180 };

async function servedLease(): Promise<unknown> {
  const { stdout } = await controlPlane.kubectl(["get", "lease", "n1", "-n", "default", "-o", "json"]);
  return JSON.parse(stdout).spec;
}

it("creates a lease, then renews it", async () => {
  await renewLease(client, lease, new Date("2026-01-02T03:04:05.006Z"));
  const spec = { holderIdentity: "n1", leaseDurationSeconds: 180 };
  expect(await servedLease()).toEqual({ ...spec, renewTime: "2026-01-02T03:04:05.006000Z" });
  await renewLease(client, lease, new Date("2026-01-02T03:05:05.000Z"));
  expect(await servedLease()).toEqual({ ...spec, renewTime: "2026-01-02T03:05:05.000000Z" });
});

it("renews a lease also where others write it at the same moment", async () => {
  const now = new Date("2026-01-02T03:06:05.000Z");
  await Promise.all(["a", "b", "c"].map((holder) => renewLease(client, { ...lease, name: "shared", holder }, now)));
  const shared = await client.get(resources.leases, { namespace: "default", name: "shared" });
  expect(shared).toMatchObject({ spec: { renewTime: "2026-01-02T03:06:05.000000Z" } });
});
