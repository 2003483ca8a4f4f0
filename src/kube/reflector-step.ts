import { KubeError } from "./errors.ts";
import type { Entry, StoreUpdate } from "./object-store.ts";
import type { ObjectKey } from "./types.ts";

/** A watch that the server ends sooner than this, without any event, is no healthy one (client-go: "very short watch"). */
const SHORT_WATCH_MILLISECONDS = 1000;

interface Listing<T> {
  readonly at: "Listing";
  /** Of the pages so far. */
  readonly entries: readonly Entry<T>[];
  readonly continue: string | undefined;
  readonly failures: number;
}

interface Watching {
  readonly at: "Watching";
  readonly resourceVersion: string;
  /** True once this watch has brought an event, a bookmark too. */
  readonly heard: boolean;
  readonly failures: number;
}

interface BackingOff<T> {
  readonly at: "BackingOff";
  readonly error: unknown;
  /** In a row; a healthy watch ends the row. */
  readonly failures: number;
  readonly next: Listing<T> | Watching;
}

/**
 * ```
 * Listing --page, more to come--> Listing --last page--> Watching --event, bookmark, end--> Watching
 * Listing, Watching --failure--> BackingOff --waited--> Listing (where the version is lost), or where it was
 * ```
 */
export type ReflectorState<T> = Listing<T> | Watching | BackingOff<T>;

export type ReflectorInput<T> =
  | {
      readonly type: "Page";
      readonly entries: readonly Entry<T>[];
      readonly resourceVersion: string;
      readonly continue: string | undefined;
    }
  | { readonly type: "Changed"; readonly entry: Entry<T> }
  | { readonly type: "Deleted"; readonly key: ObjectKey; readonly resourceVersion: string }
  | { readonly type: "Bookmark"; readonly resourceVersion: string }
  | { readonly type: "WatchEnded"; readonly lastedMilliseconds: number }
  | { readonly type: "Failed"; readonly error: unknown }
  | { readonly type: "Waited" };

export interface ReflectorStep<T> {
  readonly state: ReflectorState<T>;
  readonly update?: StoreUpdate<T>;
}

export function listAnew<T>(failures = 0): Listing<T> {
  return { at: "Listing", entries: [], continue: undefined, failures };
}

/** The whole logic of the reflector. Throws where `input` cannot happen in `state`. */
export function step<T>(state: ReflectorState<T>, input: ReflectorInput<T>): ReflectorStep<T> {
  if (input.type === "Failed" && state.at !== "BackingOff") return { state: afterFailure(state, input.error) };
  switch (state.at) {
    case "Listing":
      if (input.type === "Page") return afterPage(state, input);
      break;
    case "Watching":
      return whileWatching(state, input);
    case "BackingOff":
      if (input.type === "Waited") return { state: state.next };
  }
  throw new Error(`${input.type} cannot happen while ${state.at}`);
}

function afterPage<T>(state: Listing<T>, page: ReflectorInput<T> & { type: "Page" }): ReflectorStep<T> {
  const entries = [...state.entries, ...page.entries];
  if (page.continue !== undefined) return { state: { ...state, entries, continue: page.continue } };
  return { state: watchFrom(page.resourceVersion, state.failures), update: { type: "Replace", entries } };
}

function whileWatching<T>(state: Watching, input: ReflectorInput<T>): ReflectorStep<T> {
  switch (input.type) {
    case "Changed":
      return { state: heard(input.entry.resourceVersion), update: { type: "Set", entry: input.entry } };
    case "Deleted":
      return { state: heard(input.resourceVersion), update: { type: "Remove", key: input.key } };
    case "Bookmark":
      return { state: heard(input.resourceVersion) };
    case "WatchEnded": {
      if (state.heard || input.lastedMilliseconds >= SHORT_WATCH_MILLISECONDS) {
        return { state: watchFrom(state.resourceVersion, 0) };
      }
      const message = `the server ended the watch after ${Math.round(input.lastedMilliseconds)} ms without an event`;
      return { state: afterFailure(state, new Error(message)) };
    }
    default:
      throw new Error(`${input.type} cannot happen while Watching`);
  }
}

function afterFailure<T>(state: Listing<T> | Watching, error: unknown): BackingOff<T> {
  const failures = state.failures + 1;
  const resumed = state.at === "Watching" ? watchFrom(state.resourceVersion, failures) : { ...state, failures };
  return { at: "BackingOff", error, failures, next: keepsVersion(error) ? resumed : listAnew(failures) };
}

/**
 * Whether one may go on from the same resourceVersion or continue token. Refusals of the request itself (410 above all; 404:
 * the CRD was deleted, and perhaps made anew) would repeat for ever, as would a version of the future, which the API server
 * refuses with 504 after etcd was restored from a backup.
 */
function keepsVersion(error: unknown): boolean {
  if (!(error instanceof KubeError) || error.status === undefined) return true;
  if (error.causes.some(({ reason }) => reason === "ResourceVersionTooLarge")) return false;
  return error.status >= 500 || [401, 403, 429].includes(error.status);
}

function watchFrom(resourceVersion: string, failures: number): Watching {
  return { at: "Watching", resourceVersion, heard: false, failures };
}

function heard(resourceVersion: string): Watching {
  return { at: "Watching", resourceVersion, heard: true, failures: 0 };
}
