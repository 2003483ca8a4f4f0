import type { HostView } from "../host-view.ts";
import { isYes, parseIniFile } from "./ini-file.ts";

/** What dnf has on disk of a repository that is enabled. */
export interface CachedRepository {
  readonly id: string;
  /** When its lists were fetched or found unchanged, ms since 1970; undefined where dnf has none. */
  readonly fetchedAt: number | undefined;
  /** Whether it says which updates are security updates (updateinfo): CentOS Stream and some mirrors do not. */
  readonly tellsSecurity: boolean;
}

/** Where repositories are declared (dnf.conf(5), reposdir); a later folder overrides (the last is of dnf5's config-manager). */
const declarations = [
  "/usr/share/dnf5/repos.d",
  "/etc/distro.repos.d",
  "/etc/yum/repos.d",
  "/etc/yum.repos.d",
  "/etc/dnf/repos.override.d",
];

/** @param cache dnf's: /var/cache/dnf, or /var/cache/libdnf5. Each repository has a folder `<id>-<16 hex digits>` there. */
export async function readRepositories(host: HostView, cache: string): Promise<CachedRepository[]> {
  const folders = (await host.readFolder(cache)) ?? [];
  const repositories: CachedRepository[] = [];
  for (const id of await enabledRepositories(host)) {
    let newest: CachedRepository = { id, fetchedAt: undefined, tellsSecurity: false };
    for (const folder of folders.filter((name) => name.replace(/-[0-9a-f]{16}$/, "") === id && name !== id)) {
      const index = `${cache}/${folder}/repodata/repomd.xml`;
      const fetchedAt = await host.modifiedAt(index);
      // A changed URL leaves the old folder behind.
      if (fetchedAt === undefined || fetchedAt <= (newest.fetchedAt ?? 0)) continue;
      const text = (await host.readFile(index)) ?? "";
      newest = { id, fetchedAt, tellsSecurity: /<data type="updateinfo(?:_zck)?"/.test(text) };
    }
    repositories.push(newest);
  }
  return repositories;
}

async function enabledRepositories(host: HostView): Promise<string[]> {
  const enabled = new Map<string, boolean>();
  for (const folder of declarations) {
    const names = ((await host.readFolder(folder)) ?? []).filter((name) => name.endsWith(".repo")).toSorted();
    for (const name of names) {
      for (const [id, keys] of parseIniFile((await host.readFile(`${folder}/${name}`)) ?? "")) {
        // Absent means enabled (dnf.conf(5)); in an override it means no change.
        const value = keys.get("enabled");
        if (id !== "main") enabled.set(id, value === undefined ? (enabled.get(id) ?? true) : isYes(value));
      }
    }
  }
  return [...enabled].filter(([, on]) => on).map(([id]) => id);
}
