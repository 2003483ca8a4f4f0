import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ConflictError } from "../../../src/kube/errors.ts";
import { fencedClient, NotLeaderError } from "../../../src/kube/fenced-client.ts";
import { election } from "../../../src/kube/leader-election.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import { scriptedClient } from "./scripted-client.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Keeps one lease as an API server does; `hangs` answers nothing any more. */
function leaseServer() {
  let version = 0;
  let lease: (KubeObject & { readonly spec?: unknown }) | undefined;
  const server = { hangs: false, lease: () => lease, client: scriptedClient([]) as KubeClient };
  const answered = async <T>(signal: AbortSignal | undefined, answer: () => T): Promise<T> => {
    if (!server.hangs) return answer();
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
  };
  const store = (object: KubeObject) => {
    if (lease !== undefined && object.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      throw new ConflictError("the object has been modified", { request: "PUT" });
    }
    version += 1;
    lease = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
    return lease;
  };
  server.client = {
    ...server.client,
    get: (_resource, _key, signal) => answered(signal, () => lease),
    create: (_resource, object, signal) => answered(signal, () => store(object)),
    replace: (_resource, object, signal) => answered(signal, () => store(object)),
  };
  return server;
}

function candidate(server: ReturnType<typeof leaseServer>, identity: string, signal: AbortSignal) {
  const errors: unknown[] = [];
  const options = { client: server.client, namespace: "n", name: "l", identity, durationSeconds: 15 };
  return { errors, term: election({ ...options, onError: (error) => errors.push(error) }, signal) };
}

const never = new AbortController().signal;

it("of two that come together one is elected, and the other when the first has gone", async () => {
  const server = leaseServer();
  const one = candidate(server, "one", never);
  const other = candidate(server, "other", never);
  const first = await Promise.race([one.term, other.term]);
  const gone = new AbortController();
  const kept = first?.keep(gone.signal);
  let second: unknown;
  void Promise.all([one.term, other.term]).then((terms) => {
    second = terms.find((term) => term !== first);
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(second).toBeUndefined();
  gone.abort();
  await kept;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(second).toBeDefined();
});

it("who cannot renew for two thirds of the lease leads no more, a third before anybody else does", async () => {
  const server = leaseServer();
  const { term, errors } = candidate(server, "one", never);
  const held = await term;
  const kept = held?.keep(never);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(held?.holds()).toBe(true);
  server.hangs = true;
  await vi.advanceTimersByTimeAsync(7_500);
  expect(held?.lost.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(held?.holds()).toBe(false);
  expect(held?.lost.aborted).toBe(true);
  await kept;
  expect(errors).toEqual([]);
});

it("who stood still knows at once that it does not lead, before any timer has run, and writes nothing", async () => {
  const server = leaseServer();
  const held = await candidate(server, "one", never).term;
  const fenced = fencedClient(server.client, () => held?.holds() === true);
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } };
  const resource = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };
  const write = () => fenced.replace(resource, { ...object, metadata: server.lease()?.metadata ?? object.metadata });
  await write();
  // As after SIGSTOP and SIGCONT, or a sleep of the whole machine: time has passed, nothing has run.
  vi.setSystemTime(Date.now() + 11_000);
  expect(held?.holds()).toBe(false);
  await expect(write()).rejects.toThrow(NotLeaderError);
  for (const refused of [
    () => fenced.create(resource, object),
    () => fenced.apply(resource, object, { fieldManager: "m" }),
    () => fenced.delete(resource, { name: "c" }),
  ]) {
    await expect(refused()).rejects.toThrow(NotLeaderError);
  }
  expect(await fenced.get(resource, { name: "c" })).toBeDefined();
});

it("goes where somebody else has taken the lease, and does not give it back", async () => {
  const server = leaseServer();
  const held = await candidate(server, "one", never).term;
  const kept = held?.keep(never);
  const current = server.lease();
  const spec = { holderIdentity: "other", leaseDurationSeconds: 15 };
  const thief = { ...current, spec } as unknown as KubeObject;
  await server.client.replace({ group: "", version: "v1", plural: "", kind: "", namespaced: true }, thief);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(held?.lost.aborted).toBe(true);
  await kept;
  expect(server.lease()).toMatchObject({ spec: { holderIdentity: "other" } });
});
