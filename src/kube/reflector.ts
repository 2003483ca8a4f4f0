import { type BackoffBounds, backoffMilliseconds } from "./backoff.ts";
import { KubeError, TooManyRequestsError } from "./errors.ts";
import { type Entry, objectStore } from "./object-store.ts";
import { listAnew, type ReflectorInput, type ReflectorState, step } from "./reflector-step.ts";
import { sleep } from "./sleep.ts";
import type { KubeObject, ObjectKey, Reflector, ReflectorOptions, WatchEvent } from "./types.ts";

const BACKOFF: BackoffBounds = { firstMilliseconds: 250, limitMilliseconds: 30_000 };
/** What the server is asked for; spread by a fifth, so that a fleet's watches do not end together. */
const WATCH_SECONDS = 290;

export interface ReflectorEffects {
  readonly random: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps `store` equal to what the API server has. The logic is `step`; here are its effects: a request for each state, and
 * the store and the callbacks after each step. A callback or `parse` that throws is reported to `onError` and costs no more
 * than that call.
 */
export function reflector<T>(
  options: ReflectorOptions<T>,
  effects: ReflectorEffects = { random: Math.random, now: () => performance.now(), sleep },
): Reflector<T> {
  const { client, resource, select = {}, pageSize = 500 } = options;
  const store = objectStore<T>();
  let state: ReflectorState<T> = listAnew();
  let refusal: string | undefined;

  function take(input: ReflectorInput<T>) {
    const { state: next, update } = step(state, input);
    state = next;
    refusal = refusalAfter(input, refusal);
    if (update === undefined) return;
    for (const change of store.update(update)) reported(() => options.onChange(change), undefined);
    if (update.type === "Replace") reported(() => options.onSync?.(), undefined);
  }

  function reported<R>(call: () => R, otherwise: R): R {
    try {
      return call();
    } catch (error) {
      options.onError?.(error, 0);
      return otherwise;
    }
  }

  function entryOf(object: KubeObject): Entry<T> {
    const key = keyOf(object);
    const { resourceVersion = "" } = object.metadata;
    const known = store.entry(key);
    if (known !== undefined && known.resourceVersion === resourceVersion) return known;
    return { key, resourceVersion, value: reported(() => options.parse(object), undefined) };
  }

  async function list(token: string | undefined, signal: AbortSignal) {
    const page = { limit: pageSize, ...(token === undefined ? {} : { continue: token }) };
    const { items, ...rest } = await client.list(resource, { ...select, ...page }, signal);
    take({ type: "Page", entries: items.map(entryOf), resourceVersion: rest.resourceVersion, continue: rest.continue });
  }

  async function watch(resourceVersion: string, signal: AbortSignal) {
    const since = effects.now();
    const timeoutSeconds = Math.round(WATCH_SECONDS * (0.8 + 0.2 * effects.random()));
    for await (const event of client.watch(resource, { ...select, resourceVersion, timeoutSeconds }, signal)) {
      take(inputOf(event));
    }
    take({ type: "WatchEnded", lastedMilliseconds: effects.now() - since });
  }

  function inputOf(event: WatchEvent): ReflectorInput<T> {
    if (event.type === "BOOKMARK") return { type: "Bookmark", resourceVersion: event.resourceVersion };
    if (event.type !== "DELETED") return { type: "Changed", entry: entryOf(event.object) };
    const { resourceVersion = "" } = event.object.metadata;
    return { type: "Deleted", key: keyOf(event.object), resourceVersion };
  }

  async function backOff(error: unknown, failures: number, signal: AbortSignal) {
    const asked = error instanceof TooManyRequestsError ? error.retryAfterSeconds * 1000 : 0;
    const pause = backoffMilliseconds(failures, BACKOFF, effects.random);
    const milliseconds = Math.max(pause, Math.min(asked, BACKOFF.limitMilliseconds));
    options.onError?.(error, milliseconds);
    await effects.sleep(milliseconds, signal);
    take({ type: "Waited" });
  }

  return {
    store,
    get refusal() {
      return refusal;
    },
    async run(signal) {
      while (!signal.aborted) {
        const current = state;
        if (current.at === "BackingOff") {
          await backOff(current.error, current.failures, signal);
          continue;
        }
        try {
          if (current.at === "Listing") await list(current.continue, signal);
          else await watch(current.resourceVersion, signal);
        } catch (error) {
          if (!signal.aborted) take({ type: "Failed", error });
        }
      }
    },
  };
}

/** Any other fault passes by itself, and says nothing of whether one is let in. */
function refusalAfter(input: ReflectorInput<unknown>, before: string | undefined): string | undefined {
  if (input.type === "Waited") return before;
  if (input.type !== "Failed") return undefined;
  const { error } = input;
  return error instanceof KubeError && (error.status === 401 || error.status === 403) ? error.message : before;
}

function keyOf({ metadata: { name, namespace } }: KubeObject): ObjectKey {
  return namespace === undefined ? { name } : { name, namespace };
}
