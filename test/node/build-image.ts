import { join } from "node:path";
import { releaseRun, sweepDeadRuns, temporaryFolderOf } from "../lab/release-run.ts";
import { createRunName } from "../lab/run-name.ts";
import { buildImage } from "./cluster/image.ts";

/** Where the tests of a run find the image that was built for it. */
export const IMAGE_VARIABLE = "PORT_HARDENING_IMAGE";

/** Once before the first test of the tier: what nodes run is built from the tree as it is. */
export async function setup(): Promise<() => void> {
  sweepDeadRuns();
  // Named as a lab's folder is, so that it is swept where this process is killed.
  const run = createRunName();
  const folder = join(temporaryFolderOf(run), "image");
  await buildImage(folder);
  process.env[IMAGE_VARIABLE] = folder;
  return () => releaseRun(run);
}
