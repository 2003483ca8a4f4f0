import { rm } from "node:fs/promises";
import { join } from "node:path";
import { releaseRun, sweepDeadRuns, temporaryFolderOf } from "../lab/release-run.ts";
import { createRunName } from "../lab/run-name.ts";
import { buildImage } from "./cluster/image.ts";

/** Where the tests of a run find the image that was built for it. */
export const IMAGE_VARIABLE = "PORT_HARDENING_IMAGE";

/** Once before the first test of the tier: what nodes run is built from the tree as it is. */
export async function setup(): Promise<() => Promise<void>> {
  sweepDeadRuns();
  // Named as a lab's folder is, so that the next run sweeps it where this process is killed.
  const run = createRunName();
  const folder = join(temporaryFolderOf(run), "image");
  const release = () => releaseRun(run);
  process.once("exit", release); // Idempotent: also where the run is interrupted.
  await buildImage(folder);
  process.env[IMAGE_VARIABLE] = folder;
  return async () => {
    // Hundreds of megabytes: vitest hears of its workers' ends meanwhile.
    await rm(folder, { recursive: true, force: true });
    release();
  };
}
