import { readlink } from "node:fs/promises";

/** As in the kernel (path_resolution(7)): more links than this are a loop. */
const LINKS_MAXIMUM = 40;

/**
 * Where a path of a host lies whose root is mounted at `root`. Links are followed inside that root: an absolute one
 * (/var/run -> /run) would lead into our own root otherwise. The last part is followed too unless `keepLast` says not.
 * Below /proc and /sys nothing is resolved: the kernel's links are relative, or lead to where no text does.
 */
export async function pathInRoot(root: string, path: string, { keepLast = false } = {}): Promise<string> {
  if (root === "/" || /^\/(?:proc|sys)(?:\/|$)/.test(path)) return root === "/" ? path : root + path;
  const ahead = path.split("/");
  let resolved: string[] = [];
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = [...resolved, part];
    const target = keepLast && ahead.length === 0 ? undefined : await linkTarget(`${root}/${here.join("/")}`);
    if (target === undefined) {
      resolved = here;
      continue;
    }
    links += 1;
    if (links > LINKS_MAXIMUM) throw new Error(`${path}: more than ${LINKS_MAXIMUM} symbolic links`);
    if (target.startsWith("/")) resolved = [];
    ahead.unshift(...target.split("/"));
  }
  return `${root}/${resolved.join("/")}`;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    // No link, or nothing there: what the path is used for says which.
    return undefined;
  }
}
