import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { HostPolicies } from "../agent/folder-inputs.ts";
import { RETRY_ANNOTATION } from "../api/rollout.ts";
import { annotated } from "../controller/audit-annotation.ts";
import type { InstallSettings } from "../plan/install-settings.ts";
import type { Labels } from "../plan/select.ts";
import { loadObjects } from "./load-objects.ts";
import { nodeIdentity } from "./node-labels.ts";
import { assignedTo } from "./node-rules.ts";

export interface PoliciesFolderOptions {
  readonly folder: string;
  readonly node: string;
  readonly labels: Labels;
  readonly install: InstallSettings;
}

const MANIFEST = /^[^.].*\.(?:ya?ml|json)$/;

/**
 * What the files of a folder have this host enforce. Throws where one of them is not valid, and where there is no policy at all: an
 * empty folder may be one that is not mounted.
 */
export async function readPoliciesFolder({
  folder,
  node,
  labels,
  install,
}: PoliciesFolderOptions): Promise<HostPolicies> {
  const names = (await readdir(folder)).filter((name) => MANIFEST.test(name)).toSorted();
  if (names.length === 0) {
    throw new Error(`there is no .yaml, .yml or .json file in ${folder}; \`porthardening disengage\` takes all away`);
  }
  const { policies, groups, nodes } = await loadObjects(names.map((name) => join(folder, name)));
  const { assigned, known, notes } = assignedTo(policies, groups, nodeIdentity(node, labels, nodes), nodes, install);
  const retries = new Map(
    policies.map(({ metadata }) => [metadata.name, annotated(metadata, RETRY_ANNOTATION)] as const),
  );
  return {
    policies: assigned.map((element) => {
      const retryAt = retries.get(element.name);
      return retryAt === undefined ? element : { ...element, retryAt };
    }),
    groups: known,
    notes: [...notes.unselected, ...notes.ofNodes],
  };
}
