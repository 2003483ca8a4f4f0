import type { HostView } from "../../../../src/audit/host-view.ts";

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
  };
}

/** The same host without some of its files and links. */
export function without(host: RecordedHost, ...paths: readonly string[]): RecordedHost {
  const keep = <T>(from: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(from).filter(([path]) => !paths.includes(path)));
  return { ...host, files: keep(host.files), links: keep(host.links ?? {}) };
}

/** @param calls receives each command line that was run. */
export function hostView(host: RecordedHost, calls: string[] = []): HostView {
  const { files, links = {}, commands = {}, modified = {} } = host;
  const paths = [...Object.keys(files), ...Object.keys(links)];
  return {
    readFile: async (path) => files[path],
    async readFolder(path) {
      const below = paths.filter((it) => it.startsWith(`${path}/`)).map((it) => it.slice(path.length + 1));
      return below.length === 0 ? undefined : [...new Set(below.map((it) => it.split("/", 1)[0] ?? it))];
    },
    readLink: async (path) => links[path],
    async modifiedAt(path) {
      if (modified[path] !== undefined) return modified[path];
      return paths.some((it) => it === path || it.startsWith(`${path}/`)) ? recordedAt : undefined;
    },
    async run(tool, args) {
      const line = [tool, ...args].join(" ");
      calls.push(line);
      const answer = commands[line] ?? commands[tool];
      return answer === undefined ? undefined : { exitCode: 0, stdout: "", stderr: "", ...answer };
    },
  };
}
