import type { HostView } from "../../../src/audit/host-view.ts";

interface Answer {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A host as its files and tools show it: what checks may ask, written down. */
export interface RecordedHost {
  readonly files: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  /** By tool, or by tool and arguments where it is asked more than one thing. */
  readonly commands?: Readonly<Record<string, Answer>>;
  /** Where it matters when a file was written; all others are of `recordedAt`. */
  readonly modified?: Readonly<Record<string, number>>;
  /** Users whose files these are; all others are root's. */
  readonly owners?: Readonly<Record<string, number>>;
  /** Files, folders and links that exist and may not be read, with the error's code. */
  readonly refused?: Readonly<Record<string, "EACCES" | "EINVAL">>;
}

/** When these hosts were recorded: the clock of the tests. */
export const recordedAt = Date.parse("2026-11-23T12:00:00Z");
export const days = (count: number) => count * 86_400_000;

/** Later parts add to and replace what earlier ones say. */
export function changed(host: RecordedHost, change: Partial<RecordedHost>): RecordedHost {
  return {
    files: { ...host.files, ...change.files },
    links: { ...host.links, ...change.links },
    commands: { ...host.commands, ...change.commands },
    modified: { ...host.modified, ...change.modified },
    owners: { ...host.owners, ...change.owners },
    refused: { ...host.refused, ...change.refused },
  };
}

/** The same host without some of its files and links. */
export function without(host: RecordedHost, ...paths: readonly string[]): RecordedHost {
  const keep = <T>(from: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(from).filter(([path]) => !paths.includes(path)));
  return { ...host, files: keep(host.files), links: keep(host.links ?? {}) };
}

/** @param asked receives each path that was read, and each command line that was run. */
export function hostView(host: RecordedHost, asked: string[] = []): HostView {
  const { files, links = {}, commands = {}, modified = {}, refused = {}, owners = {} } = host;
  const paths = [...Object.keys(files), ...Object.keys(links), ...Object.keys(refused)];
  const ask = (path: string) => {
    asked.push(path);
    if (refused[path] !== undefined)
      throw Object.assign(new Error(`${refused[path]}: ${path}`), { code: refused[path] });
  };
  return {
    async readFile(path) {
      ask(path);
      return files[path];
    },
    async readFolder(path) {
      ask(path);
      const below = paths.filter((it) => it.startsWith(`${path}/`)).map((it) => it.slice(path.length + 1));
      return below.length === 0 ? undefined : [...new Set(below.map((it) => it.split("/", 1)[0] ?? it))];
    },
    async readLink(path) {
      ask(path);
      return links[path];
    },
    async modifiedAt(path) {
      if (modified[path] !== undefined) return modified[path];
      return paths.some((it) => it === path || it.startsWith(`${path}/`)) ? recordedAt : undefined;
    },
    async ownership(path) {
      const known = paths.includes(path) || owners[path] !== undefined;
      return known ? { uid: owners[path] ?? 0, writableByOthers: false } : undefined;
    },
    async run(tool, args) {
      const line = [tool, ...args].join(" ");
      asked.push(line);
      const answer = commands[line] ?? commands[tool];
      return answer === undefined ? undefined : { exitCode: 0, stdout: "", stderr: "", ...answer };
    },
  };
}
