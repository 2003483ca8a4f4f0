import type { KubeClient, KubeObject, WatchEvent } from "../../../src/kube/types.ts";

export type Answer =
  | { readonly list: { readonly items: KubeObject[]; readonly resourceVersion: string; readonly continue?: string } }
  /** Ends after the events; with `stays` only when it is aborted. */
  | { readonly watch: readonly WatchEvent[]; readonly stays?: true }
  | { readonly fails: unknown }
  | { readonly hangs: true };

/** Answers list and watch from a script, in order; `requests` says what was asked. Other calls and a script at its end reject. */
export function scriptedClient(script: readonly Answer[]): KubeClient & { readonly requests: string[] } {
  const answers = [...script];
  const requests: string[] = [];

  function next(request: string): Answer {
    requests.push(request);
    return answers.shift() ?? { hangs: true };
  }

  async function untilAborted(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  const unscripted = () => Promise.reject(new Error("not in the script"));
  return {
    requests,
    async list(_resource, options, signal) {
      const answer = next(`list ${options.limit} ${options.continue ?? "start"}`);
      if ("fails" in answer) throw answer.fails;
      if ("list" in answer) return { continue: undefined, ...answer.list };
      if ("hangs" in answer) return untilAborted(signal);
      throw new Error("the script has a watch here, a list was asked for");
    },
    async *watch(_resource, options, signal) {
      const answer = next(`watch ${options.resourceVersion}`);
      if ("fails" in answer) throw answer.fails;
      if ("list" in answer) throw new Error("the script has a list here, a watch was asked for");
      if ("watch" in answer) yield* answer.watch;
      if ("hangs" in answer || answer.stays) await untilAborted(signal);
    },
    get: unscripted,
    apply: unscripted,
    create: unscripted,
    replace: unscripted,
    delete: unscripted,
    close: unscripted,
  };
}

export function configMap(name: string, resourceVersion: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", resourceVersion } };
}
