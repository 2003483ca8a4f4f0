/** Reading objects that others write: what has another shape is left out, so that it hurts only itself. */
import { isRecord } from "../kube/wire.ts";

export function fieldAt(parent: unknown, field: string): unknown {
  return isRecord(parent) ? parent[field] : undefined;
}

export function recordsAt(parent: unknown, field: string): readonly Readonly<Record<string, unknown>>[] {
  return listAt(parent, field).filter(isRecord);
}

export function stringsAt(parent: unknown, field: string): readonly string[] {
  return listAt(parent, field).filter((item) => typeof item === "string");
}

function listAt(parent: unknown, field: string): readonly unknown[] {
  const list = fieldAt(parent, field);
  return Array.isArray(list) ? list : [];
}
