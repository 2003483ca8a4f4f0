import type { ListOptions, ObjectKey, Resource } from "./types.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

/** Path of all objects of a kind, in one namespace or in all. */
export function collectionPath({ group, version, plural }: Resource, namespace: string | undefined): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace === undefined
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** Path of one object. Throws TypeError where the key of a namespaced kind lacks its namespace. */
export function objectPath(resource: Resource, { name, namespace }: ObjectKey): string {
  if (resource.namespaced !== (namespace !== undefined) || name === "") {
    throw new TypeError(`not a key of a ${resource.kind}: ${JSON.stringify({ namespace, name })}`);
  }
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** `?a=b&c=d` without what is undefined; "" where nothing is left. */
export function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) given.set(key, `${value}`);
  return given.size === 0 ? "" : `?${given}`;
}

export function selectorQuery({ fieldSelector, labelSelector }: ListOptions): Query {
  return { fieldSelector, labelSelector };
}
