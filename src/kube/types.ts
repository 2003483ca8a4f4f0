/** The boundary to an API server: what controller and agent may ask of it. Implemented by `kubeClient`, in `client.ts`. */

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** A kind as the API server serves it. `group` is "" for core. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface ObjectKey {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface ApplyOptions {
  /** Owns the fields that the object holds (server-side apply); conflicts are forced. */
  readonly fieldManager: string;
  readonly subresource?: "status";
}

/** Every call has a time-out, honours `signal`, and throws KubeError subclasses (`errors.ts`): NotFound, Conflict, Gone, ... */
export interface KubeClient {
  /** undefined where there is no such object; throws NotServedError where the kind itself is not served. */
  get(resource: Resource, key: ObjectKey, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** One page. `metadataOnly` leaves spec and status out of the answer (PartialObjectMetadata). */
  list(
    resource: Resource,
    options: ListOptions & { readonly limit?: number; readonly continue?: string; readonly metadataOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<{ items: KubeObject[]; resourceVersion: string; continue: string | undefined }>;
  /** Events from `resourceVersion` on, until the server ends the watch (after `timeoutSeconds`), an error, or `signal`. */
  watch(
    resource: Resource,
    options: ListOptions & { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal?: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  /** Server-side apply. With metadata.resourceVersion set: ConflictError where the object has moved on. */
  apply(resource: Resource, object: KubeObject, options: ApplyOptions, signal?: AbortSignal): Promise<KubeObject>;
  create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** PUT; ConflictError where metadata.resourceVersion is no longer the newest. */
  replace(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** Resolves also where it is gone already. `uid` is a precondition. */
  delete(resource: Resource, key: ObjectKey & { readonly uid?: string }, signal?: AbortSignal): Promise<void>;
  /** Closes the pool. */
  close(): Promise<void>;
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** A cached, complete view of one kind; swapped as a whole after a relist, so a reader never sees half a list. */
export interface Store<T> {
  /** False until the first complete list. Nothing may be concluded from absence before. */
  readonly synced: boolean;
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
}

/** `reflector(options)` in `reflector.ts` returns this. */
export interface Reflector<T> {
  readonly store: Store<T>;
  /**
   * What the API server says where it refuses the list or the watch: nothing new comes into the store, and what is there
   * looks as good as ever. Undefined from the first page, event or bookmark on (these come about every minute).
   */
  readonly refusal: string | undefined;
  /** Runs until `signal` aborts; survives every fault with backoff; never throws but on abort (then resolves). */
  run(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly select?: ListOptions;
  /** Turns an object from the wire into what is kept; undefined keeps nothing (malformed objects hurt only themselves). */
  readonly parse: (object: KubeObject) => T | undefined;
  /** After each change of the store: key and the values around it. After a relist once for each difference. */
  readonly onChange: (change: { key: ObjectKey; before: T | undefined; after: T | undefined }) => void;
  /** After each complete list (also an unchanged one); `store.synced` is true from here on. */
  readonly onSync?: () => void;
  /** Called on each fault, with the delay before the next attempt. */
  readonly onError?: (error: unknown, retryInMilliseconds: number) => void;
  readonly pageSize?: number;
}
