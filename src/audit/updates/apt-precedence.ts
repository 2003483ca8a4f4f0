import type { HostView } from "../host-view.ts";

const SETS_UPDATES = /\b(?:periodic|unattended-upgrade)\b/i;

/**
 * Files that apt reads after `file` of apt.conf.d and that speak of automatic updates: those behind it in the folder, by name,
 * then the main configuration file (apt.conf(5)).
 */
export async function filesReadAfter(host: HostView, file: string): Promise<string[]> {
  const folder = file.slice(0, file.lastIndexOf("/"));
  const names = (await host.readFolder(folder)) ?? [];
  const read = names.filter((name) => /^[\w.-]+$/.test(name) && (!name.includes(".") || name.endsWith(".conf")));
  const paths = read.map((name) => `${folder}/${name}`).filter((path) => path > file);
  const speaking: string[] = [];
  for (const path of [...paths.toSorted(), "/etc/apt/apt.conf"]) {
    if (SETS_UPDATES.test((await host.readFile(path)) ?? "")) speaking.push(path);
  }
  return speaking;
}
