import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * What an agent of the lab takes for its host's root: this machine's /proc and /sys, and a folder for everything else, so that a
 * policy that has something written to /etc never reaches the machine's own.
 */
export async function createHostRoot(root: string): Promise<string> {
  await mkdir(join(root, "etc"), { recursive: true });
  for (const name of ["proc", "sys"]) await symlink(`/${name}`, join(root, name));
  await copyFile("/etc/os-release", join(root, "etc/os-release"));
  return root;
}
