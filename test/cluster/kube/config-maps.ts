import { type KubeClientOptions, kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { reflector } from "../../../src/kube/reflector.ts";
import type { KubeClient, KubeObject, Resource } from "../../../src/kube/types.ts";
import type { ControlPlane, ForwardedApi } from "../../lab/control-plane.ts";
import { waitFor } from "../../lab/wait-for.ts";

export const configMaps: Resource = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
};

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export function configMap(namespace: string, name: string, value: string): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { value } };
}

/** ConfigMaps of one namespace, written past the faults, and a reflector that follows them through the faults. */
export interface Followed extends AsyncDisposable {
  readonly errors: unknown[];
  /** Every value that was reported for this name, in order; "-" where it was gone. */
  seen(name: string): string[];
  /** Of lists asked for. */
  readonly pages: number;
  readonly watches: number;
  readonly syncs: number;
  write(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Resolves when the store holds what kubectl gets, directly from the API server. */
  caughtUp(): Promise<void>;
}

/** It takes milliseconds; longer where others use the processors. */
const CAUGHT_UP_MILLISECONDS = 60_000;

interface FollowOptions {
  readonly controlPlane: ControlPlane;
  /** Writes go this way. */
  readonly direct: KubeClient;
  /** The reflector's way. */
  readonly api: ForwardedApi;
  readonly namespace: string;
  readonly pageSize?: number;
  /** Instead of 290: how soon the server ends a watch. */
  readonly watchSeconds?: number;
  readonly patience?: KubeClientOptions;
}

export async function follow(options: FollowOptions): Promise<Followed> {
  const { controlPlane, direct, api, namespace, pageSize = 500, watchSeconds, patience } = options;
  const client = kubeClient(loadKubeConfig(api.kubeconfig), patience);
  const stop = new AbortController();
  const errors: unknown[] = [];
  const reported = new Map<string, string[]>();
  let pages = 0;
  let watches = 0;
  let syncs = 0;
  const { store, run } = reflector<string>({
    client: {
      ...client,
      list(...args) {
        pages += 1;
        return client.list(...args);
      },
      watch(resource, selection, signal) {
        watches += 1;
        const { timeoutSeconds } = selection;
        return client.watch(resource, { ...selection, timeoutSeconds: watchSeconds ?? timeoutSeconds }, signal);
      },
    },
    resource: configMaps,
    select: { namespace },
    pageSize,
    parse: (object: ConfigMap) => `${object.metadata.name}=${object.data?.["value"]}`,
    onChange({ key, after }) {
      reported.set(key.name, [...(reported.get(key.name) ?? []), after?.split("=")[1] ?? "-"]);
    },
    onSync: () => {
      syncs += 1;
    },
    onError: (error) => errors.push(error),
  });
  const running = run(stop.signal);

  async function served(): Promise<string> {
    const columns = 'jsonpath={range .items[*]}{.metadata.name}={.data.value}{"\\n"}{end}';
    const { stdout } = await controlPlane.kubectl(["get", "configmaps", "-n", namespace, "-o", columns]);
    return stdout.trim().split("\n").sort().join(" ");
  }

  return {
    errors,
    get pages() {
      return pages;
    },
    get watches() {
      return watches;
    },
    get syncs() {
      return syncs;
    },
    seen: (name) => reported.get(name) ?? [],
    async write(name, value) {
      const object = configMap(namespace, name, value);
      await direct.apply(configMaps, object, { fieldManager: "test" });
    },
    remove: (name) => direct.delete(configMaps, { namespace, name }),
    async caughtUp() {
      const wanted = await served();
      const stored = () => [...store.list()].sort().join(" ");
      await waitFor("the store to hold what kubectl gets", () => (stored() === wanted ? true : undefined), {
        timeoutMilliseconds: CAUGHT_UP_MILLISECONDS,
        intervalMilliseconds: 10,
        lastSeen: () => `${stored()} instead of ${wanted}; errors ${errors.join(", ")}`,
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await client.close();
    },
  };
}
