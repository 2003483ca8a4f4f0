import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** Where cgroups are made: one folder with cgroup v2, one for each controller with v1. */
function hierarchies(): string[] {
  if (!existsSync(ROOT)) return [];
  if (existsSync(join(ROOT, "cgroup.controllers"))) return [ROOT];
  return folders(ROOT).map((name) => join(ROOT, name));
}

/** A cgroup of one's own for a node; a kubelet refuses a cgroupRoot that is not there. `name` starts with the run's. */
export function createCgroup(name: string): void {
  // With v1, `unified` has no controllers; who needs a group there makes it.
  for (const hierarchy of hierarchies().filter((folder) => basename(folder) !== "unified")) {
    const folder = join(hierarchy, name);
    mkdirSync(folder);
    // Without processors and memory nodes no process may enter a cpuset of v1.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const parent = join(hierarchy, file);
      if (existsSync(parent)) writeFileSync(join(folder, file), readFileSync(parent));
    }
    const control = join(folder, "cgroup.subtree_control");
    if (existsSync(control)) writeFileSync(control, "+cpu +cpuset +memory +pids");
  }
}

/** The top-level cgroups, of whomsoever. */
export function cgroupNames(): string[] {
  return [...new Set(hierarchies().flatMap((hierarchy) => folders(hierarchy)))];
}

/** Removes the cgroups whose name starts with `prefix`, with all beneath them; false where a process is still in one. */
export function removeCgroups(prefix: string): boolean {
  const found = hierarchies().flatMap((hierarchy) =>
    folders(hierarchy)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(hierarchy, name)),
  );
  return found.filter((folder) => !removeTree(folder)).length === 0;
}

function removeTree(folder: string): boolean {
  const emptied = folders(folder).filter((name) => !removeTree(join(folder, name))).length === 0;
  if (!emptied) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EBUSY") return false;
    throw error;
  }
}

function folders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
