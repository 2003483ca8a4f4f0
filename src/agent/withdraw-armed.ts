import { rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Takes away what a guard of `folder` would put back, in one step: nobody rolls half of it back. Nothing is armed then. */
export async function withdrawArmed(folder: string): Promise<void> {
  const withdrawn = join(folder, "withdrawn");
  await rm(withdrawn, { recursive: true, force: true });
  await renameIfThere(join(folder, "armed"), withdrawn);
  await rm(withdrawn, { recursive: true, force: true });
}

/** False: it is not there. */
export async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
