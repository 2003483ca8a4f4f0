import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import type { NodeFacts } from "../controller/node-facts.ts";
import { readManifests } from "./manifest-files.ts";
import { formatFinding, parseObjects } from "./objects.ts";

export interface LoadedObjects {
  readonly policies: readonly PortHardeningPolicy[];
  readonly groups: readonly PortHardeningAddressGroup[];
  readonly nodes: readonly NodeFacts[];
}

/** The same as `loadAnyObjects`; throws also where there is no policy among them. */
export async function loadObjects(files: readonly string[]): Promise<LoadedObjects> {
  const objects = await loadAnyObjects(files);
  if (objects.policies.length === 0) throw new Error(`there is no PortHardeningPolicy in ${files.join(", ")}`);
  return objects;
}

/** The policies, groups and nodes of files. Throws one error with a line for each thing that is wrong in any of them. */
export async function loadAnyObjects(files: readonly string[]): Promise<LoadedObjects> {
  const { manifests, problems } = await readManifests(files);
  const { policies, groups, nodes, findings } = parseObjects(manifests);
  const unreadable = problems.map((problem) => ({ severity: "error", subject: "", path: "", ...problem }) as const);
  const lines = [...unreadable, ...findings].map(formatFinding);
  if (lines.length > 0) throw new Error(`nothing was worked out, as not all objects are valid:\n${lines.join("\n")}`);
  return { policies: policies.map(({ object }) => object), groups: groups.map(({ object }) => object), nodes };
}
