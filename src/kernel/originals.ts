import { join } from "node:path";
import type { Host } from "./host.ts";
import type { Original, Originals } from "./sysctl-plan.ts";

export interface OriginalsFile {
  /** The file, and its copy. */
  readonly paths: readonly string[];
  read(): Promise<Originals>;
  /** Nothing to remember: the file goes. Writes only where something differs from `known`. */
  write(originals: Originals, known: Originals): Promise<void>;
}

/**
 * The originals of the sysctls that we changed, in the state directory, so that clean-up knows them after a restart. Kept twice: nothing
 * is applied without them, and a file that the disk damaged must not take a person to the node.
 */
export function originalsFile(host: Host, stateDir: string): OriginalsFile {
  const path = join(stateDir, "originals.json");
  const copy = `${path}.copy`;
  return {
    paths: [path, copy],
    async read() {
      const text = await host.readFile(path);
      if (text === undefined) return {};
      try {
        return parseOriginals(path, text);
      } catch (error) {
        const second = await host.readFile(copy);
        if (second === undefined) throw error;
        return parseOriginals(copy, second);
      }
    },
    async write(originals, known) {
      const content = printOriginals(originals);
      if (content === printOriginals(known)) return;
      for (const file of [path, copy]) {
        if (content === undefined) await host.remove(file);
        else await host.writeFileAtomic(file, content);
      }
    },
  };
}

/** @returns the file's content; undefined: there is nothing to remember, and no file */
export function printOriginals(originals: Originals): string | undefined {
  if (Object.keys(originals).length === 0) return undefined;
  const sysctls = Object.fromEntries(Object.entries(originals).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ sysctls }, undefined, 2)}\n`;
}

/** That neither can be read is an error: to go on without it would forget the originals for good. */
function parseOriginals(path: string, text: string): Originals {
  const broken = (cause?: unknown) =>
    new Error(`${path} is damaged: mend it, or remove it to forget the originals`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(error);
  }
  if (typeof value !== "object" || value === null || !("sysctls" in value)) throw broken();
  const { sysctls } = value;
  if (typeof sysctls !== "object" || sysctls === null) throw broken();
  const entries = Object.entries(sysctls);
  if (!entries.every((entry): entry is [string, Original] => isOriginal(entry[1]))) throw broken();
  return Object.fromEntries(entries);
}

function isOriginal(value: unknown): value is Original {
  if (typeof value !== "object" || value === null || !("value" in value) || typeof value.value !== "string")
    return false;
  return !("added" in value) || typeof value.added === "string";
}
