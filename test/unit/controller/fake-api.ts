import { ConflictError } from "../../../src/kube/errors.ts";
import type { KubeClient, KubeObject, Resource, WatchEvent } from "../../../src/kube/types.ts";

export interface FakeApi extends KubeClient {
  /** `PUT porthardeningnodestates/a`: what was written, in order. */
  readonly writes: readonly string[];
  put(plural: string, object: KubeObject): void;
  remove(plural: string, name: string): void;
  stored(plural: string, name: string): KubeObject | undefined;
  /** Lists of this kind are not answered from here on. */
  withhold(plural: string): void;
}

/** An API server in memory, as far as the controller needs one: no schema, no admission, one namespace. */
export function fakeApi(): FakeApi {
  const kinds = new Map<string, Map<string, KubeObject>>();
  const watchers = new Set<(plural: string, event: WatchEvent) => void>();
  const withheld = new Set<string>();
  const writes: string[] = [];
  let version = 0;
  const all = (plural: string) => {
    const objects = kinds.get(plural) ?? new Map<string, KubeObject>();
    kinds.set(plural, objects);
    return objects;
  };
  const publish = (plural: string, event: WatchEvent) => {
    for (const watcher of watchers) watcher(plural, event);
  };
  const put = (plural: string, object: KubeObject): KubeObject => {
    version += 1;
    const known = all(plural).get(object.metadata.name);
    const uid = object.metadata.uid ?? known?.metadata.uid ?? `uid-${version}`;
    const stored = { ...known, ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    all(plural).set(object.metadata.name, stored);
    publish(plural, { type: known === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  };
  const remove = (plural: string, name: string) => {
    const object = all(plural).get(name);
    all(plural).delete(name);
    if (object !== undefined) publish(plural, { type: "DELETED", object });
  };
  const record = (verb: string, { plural }: Resource, name: string) => writes.push(`${verb} ${plural}/${name}`);

  return {
    writes,
    put,
    remove,
    stored: (plural, name) => all(plural).get(name),
    withhold: (plural) => void withheld.add(plural),
    get: async ({ plural }, { name }) => all(plural).get(name),
    async list({ plural }, _options, signal) {
      if (withheld.has(plural)) await aborted(signal);
      return {
        items: [...all(plural).values()],
        resourceVersion: String(version),
        continue: undefined,
      };
    },
    async *watch({ plural }, _options, signal) {
      const queued: WatchEvent[] = [];
      let wake = () => {};
      const watcher = (of: string, event: WatchEvent) => {
        if (of !== plural) return;
        queued.push(event);
        wake();
      };
      watchers.add(watcher);
      signal?.addEventListener("abort", () => wake(), { once: true });
      while (signal?.aborted !== true) {
        for (let event = queued.shift(); event !== undefined; event = queued.shift()) yield event;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (queued.length > 0 || signal?.aborted === true) resolve();
        });
      }
      watchers.delete(watcher);
    },
    async apply(resource, object, { subresource }) {
      record(subresource === undefined ? "APPLY" : "STATUS", resource, object.metadata.name);
      return put(resource.plural, {
        ...all(resource.plural).get(object.metadata.name),
        ...object,
      });
    },
    async create(resource, object) {
      if (all(resource.plural).has(object.metadata.name)) {
        throw new ConflictError("the object exists already", { request: "POST" });
      }
      record("CREATE", resource, object.metadata.name);
      return put(resource.plural, object);
    },
    async replace(resource, object) {
      const stored = all(resource.plural).get(object.metadata.name);
      if (stored?.metadata.resourceVersion !== object.metadata.resourceVersion) {
        throw new ConflictError("the object has been modified", { request: "PUT" });
      }
      record("PUT", resource, object.metadata.name);
      return put(resource.plural, object);
    },
    async delete(resource, { name }) {
      record("DELETE", resource, name);
      remove(resource.plural, name);
    },
    close: async () => {},
  };
}

async function aborted(signal: AbortSignal | undefined): Promise<never> {
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
  throw new Error("aborted");
}

/** A Node that is Ready, with an agent that was just heard of. */
export function putNode(
  api: FakeApi,
  name: string,
  { metadata = {}, status = {} }: { metadata?: object; status?: object } = {},
) {
  const conditions = [{ type: "Ready", status: "True" }];
  const node = { metadata: { name, uid: `uid-${name}`, ...metadata }, status: { conditions, ...status } };
  api.put("nodes", { apiVersion: "v1", kind: "Node", ...node } as KubeObject);
  const spec = { renewTime: new Date().toISOString() };
  api.put("leases", {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "ns" },
    spec,
  } as KubeObject);
}
