import { SchemaError } from "../api/schema-error.ts";
import { type NodeFacts, parseNodeFacts } from "../controller/node-facts.ts";
import type { KubeObject } from "../kube/types.ts";

/** A Node from a file, as `kubectl get nodes -o yaml` prints it. Throws SchemaError. */
export function parseNodeObject(object: unknown): NodeFacts {
  const { metadata } = object as { readonly metadata?: { readonly name?: unknown; readonly labels?: unknown } | null };
  const name = metadata?.name;
  if (typeof name !== "string") throw new SchemaError("Node", [{ path: "metadata.name", message: "is required" }]);
  const labels = metadata?.labels ?? {};
  const problem = (path: string, message: string) => new SchemaError(`Node ${name}`, [{ path, message }]);
  if (typeof labels !== "object" || Array.isArray(labels)) throw problem("metadata.labels", "must be an object");
  for (const [key, value] of Object.entries(labels)) {
    if (typeof value !== "string") throw problem(`metadata.labels.${key}`, "must be a string: put it in quotes");
  }
  return parseNodeFacts(object as KubeObject);
}
