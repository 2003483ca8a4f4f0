import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { classifyAnswer, classifyFailure } from "./classify-error.ts";
import { type Deadline, deadline } from "./deadline.ts";
import { NotFoundError, TimeoutError } from "./errors.ts";
import { jsonLines } from "./json-lines.ts";
import { collectionPath, objectPath, queryText, selectorQuery } from "./resource-path.ts";
import { transport } from "./transport.ts";
import type { KubeClient, ListOptions, Resource, WatchEvent } from "./types.ts";
import { isRecord, parseObject, parsePage, parseWatchEvent } from "./wire.ts";

/** etcd takes 1.5 MiB an object (--max-request-bytes), the API server 3 MiB a request; JSON may escape some of it. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

export interface KubeClientOptions {
  /** For a whole request; for a watch until it begins. Default 10 s. */
  readonly requestTimeoutMilliseconds?: number;
  /** A watch on which nothing arrives for this long is dead; bookmarks come about every minute. Default 150 s. */
  readonly watchSilenceMilliseconds?: number;
  readonly userAgent?: string;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default: JSON of whole objects. */
  readonly accept?: string;
}

/** A client of the config's current cluster. Throws where the config names none. */
export function kubeClient(
  config: KubeConfig,
  {
    requestTimeoutMilliseconds = 10_000,
    watchSilenceMilliseconds = 150_000,
    userAgent = "port-hardening",
  }: KubeClientOptions = {},
): KubeClient {
  const { send, close } = transport(config, userAgent);

  /** The body of a success; all else is thrown as the error with its meaning. */
  async function open(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const answer = await send({ ...call, body, signal });
    const { statusCode: status = 0, headers } = answer;
    if (status >= 200 && status < 300) return answer;
    const retryAfter = headers["retry-after"];
    throw classifyAnswer({ request: nameOf(call), status, body: parseJson(await text(answer)), retryAfter });
  }

  async function request(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    using limit = deadline(requestTimeoutMilliseconds, signal);
    try {
      return JSON.parse(await text(await open(call, limit.signal)));
    } catch (error) {
      throw failure(call, error, limit, signal);
    }
  }

  async function write(call: Call, resource: Resource, signal: AbortSignal | undefined) {
    return parseObject(await request({ contentType: "application/json", ...call }, signal), resource, nameOf(call));
  }

  async function* watch(
    resource: Resource,
    options: ListOptions & { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const { namespace, resourceVersion, timeoutSeconds } = options;
    const query = {
      ...selectorQuery(options),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion,
      timeoutSeconds,
    };
    const call: Call = { method: "GET", path: collectionPath(resource, namespace) + queryText(query) };
    using limit = deadline(requestTimeoutMilliseconds, signal);
    try {
      const chunks = heard(await open(call, limit.signal), limit);
      for await (const line of jsonLines(chunks, MAX_EVENT_BYTES)) {
        const event = isRecord(line) ? line : {};
        if (event["type"] === "ERROR") throw watchError(call, event["object"]);
        yield parseWatchEvent(event, resource, nameOf(call));
      }
    } catch (error) {
      throw failure(call, error, limit, signal);
    }
  }

  /** The deadline starts again with each chunk: only silence ends a watch. */
  async function* heard(chunks: AsyncIterable<Uint8Array>, limit: Deadline): AsyncGenerator<Uint8Array> {
    limit.restart(watchSilenceMilliseconds);
    for await (const chunk of chunks) {
      limit.restart(watchSilenceMilliseconds);
      yield chunk;
    }
  }

  return {
    async get(resource, key, signal) {
      const call: Call = { method: "GET", path: objectPath(resource, key) };
      try {
        return parseObject(await request(call, signal), resource, nameOf(call));
      } catch (error) {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      }
    },
    async list(resource, options, signal) {
      const query = { ...selectorQuery(options), limit: options.limit, continue: options.continue };
      const path = collectionPath(resource, options.namespace) + queryText(query);
      const call: Call = { method: "GET", path, ...(options.metadataOnly ? { accept: METADATA_ONLY } : {}) };
      return parsePage(await request(call, signal), resource, nameOf(call));
    },
    watch,
    apply(resource, object, { fieldManager, subresource }, signal) {
      const tail = subresource === undefined ? "" : `/${subresource}`;
      const path = objectPath(resource, object.metadata) + tail + queryText({ fieldManager, force: "true" });
      // JSON is YAML; the API server takes it as it is.
      return write(
        { method: "PATCH", path, body: object, contentType: "application/apply-patch+yaml" },
        resource,
        signal,
      );
    },
    create(resource, object, signal) {
      const path = collectionPath(resource, object.metadata.namespace);
      return write({ method: "POST", path, body: object }, resource, signal);
    },
    replace(resource, object, signal) {
      return write({ method: "PUT", path: objectPath(resource, object.metadata), body: object }, resource, signal);
    },
    async delete(resource, { uid, ...key }, signal) {
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      };
      try {
        await request(
          { method: "DELETE", path: objectPath(resource, key), body, contentType: "application/json" },
          signal,
        );
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    },
    close: async () => close(),
  };
}

/** The caller's own abort as it is; all else with a meaning. */
function failure(call: Call, error: unknown, limit: Deadline, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (limit.lapse === undefined) return classifyFailure(nameOf(call), error);
  return new TimeoutError(limit.lapse, { request: nameOf(call), cause: error });
}

function watchError(call: Call, status: unknown) {
  const code = isRecord(status) && typeof status["code"] === "number" ? status["code"] : 500;
  return classifyAnswer({ request: nameOf(call), status: code, body: status });
}

function nameOf({ method, path }: Call): string {
  return `${method} ${path}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every refusal is JSON: "404 page not found".
    return text;
  }
}
