import { basename, dirname, join } from "node:path";
import type { SysctlSetting } from "../render/types.ts";
import type { Host } from "./host.ts";
import type { SysctlOverride } from "./kernel.ts";
import { parsePorts, without } from "./reserved-ports.ts";
import { SYSCTL_FILE } from "./sysctl-file.ts";
import { sameValue } from "./sysctl-plan.ts";

/** In order of precedence: of two files of one name the first is read (sysctl.d(5)). */
const FOLDERS = ["etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d"];

/**
 * Lines that are read after our file and give a persisted setting another value. Files of all folders are read by name,
 * so `/usr/lib/sysctl.d/99-z.conf` comes after ours; the last line wins. Globs do not count: systemd-sysctl leaves keys
 * alone that are named anywhere.
 */
export async function observeOverrides(
  host: Host,
  sysctlDir: string,
  settings: readonly SysctlSetting[],
): Promise<SysctlOverride[]> {
  const persisted = settings.filter(({ persist }) => persist);
  if (persisted.length === 0) return [];
  const last = new Map<string, SysctlOverride>();
  for (const file of await laterFiles(host, sysctlDir)) {
    const text = (await host.readFile(file)) ?? "";
    for (const [index, line] of text.split("\n").entries()) {
      const assigned = parseLine(line);
      if (assigned !== undefined) last.set(assigned.key, { ...assigned, file, line: index + 1 });
    }
  }
  return persisted.flatMap((setting) => {
    const found = last.get(setting.key);
    return found === undefined || agrees(setting, found.value) ? [] : [found];
  });
}

/** Those that come after ours, in the order in which they are read. */
async function laterFiles(host: Host, sysctlDir: string): Promise<string[]> {
  const root = sysctlDir.endsWith("/etc/sysctl.d") ? dirname(dirname(sysctlDir)) : undefined;
  const folders = root === undefined ? [sysctlDir] : FOLDERS.map((folder) => join(root, folder));
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await host.listFolder(folder)) if (!files.has(name)) files.set(name, join(folder, name));
  }
  const names = [...files.keys()].filter((name) => name.endsWith(".conf") && name > SYSCTL_FILE).toSorted();
  const later = names.map((name) => files.get(name) ?? name);
  // Read last by `sysctl --system` (procps); Debian leads systemd to it by a link of this name, which says it already.
  if (root === undefined || later.some((file) => basename(file) === "99-sysctl.conf")) return later;
  return [...later, join(root, "etc/sysctl.conf")];
}

function parseLine(text: string): Pick<SysctlOverride, "key" | "value"> | undefined {
  const [, path, value] = /^\s*-?\s*([^#;=\s][^=\s]*)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
  return path === undefined || value === undefined ? undefined : { key: dotted(path), value };
}

/** Names have dots or slashes; the first separator says which. */
function dotted(path: string): string {
  return /[./]/.exec(path)?.[0] === "/" ? path.replaceAll("/", ".") : path;
}

function agrees({ value, match }: SysctlSetting, other: string): boolean {
  if (match === "Equal") return sameValue(value, other);
  return without(parsePorts(value), parsePorts(other)).length === 0;
}
