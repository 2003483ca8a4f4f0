import { KubeError } from "./errors.ts";
import type { KubeObject, Resource, WatchEvent } from "./types.ts";

export interface Page {
  items: KubeObject[];
  resourceVersion: string;
  continue: string | undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Items of a list lack apiVersion and kind for built-in kinds: the resource supplies them. Throws KubeError. */
export function parseObject(value: unknown, resource: Resource, request: string): KubeObject {
  if (!isRecord(value) || !isRecord(value["metadata"]) || typeof value["metadata"]["name"] !== "string") {
    throw new KubeError(`the answer holds no ${resource.kind}`, { request });
  }
  const { group, version, kind } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return { apiVersion, kind, ...value, metadata: { ...value["metadata"], name: value["metadata"]["name"] } };
}

/** Throws KubeError. */
export function parsePage(value: unknown, resource: Resource, request: string): Page {
  const metadata = isRecord(value) ? value["metadata"] : undefined;
  if (!isRecord(value) || !isRecord(metadata) || typeof metadata["resourceVersion"] !== "string") {
    throw new KubeError(`the answer holds no list of ${resource.plural}`, { request });
  }
  const items = Array.isArray(value["items"]) ? value["items"] : [];
  return {
    items: items.map((item) => parseObject(item, resource, request)),
    resourceVersion: metadata["resourceVersion"],
    continue:
      typeof metadata["continue"] === "string" && metadata["continue"] !== "" ? metadata["continue"] : undefined,
  };
}

/** One line of a watch that is not an ERROR. Throws KubeError. */
export function parseWatchEvent(
  { type, object }: Readonly<Record<string, unknown>>,
  resource: Resource,
  request: string,
): WatchEvent {
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type, object: parseObject(object, resource, request) };
    case "BOOKMARK": {
      const metadata = isRecord(object) ? object["metadata"] : undefined;
      if (isRecord(metadata) && typeof metadata["resourceVersion"] === "string") {
        return { type, resourceVersion: metadata["resourceVersion"] };
      }
    }
  }
  throw new KubeError(`the watch of ${resource.plural} holds an event that is none`, { request });
}
