import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type Manifests, parseManifests } from "./manifest.ts";

/** Reads files, and stdin for `-`. A file that cannot be read is a problem beside the others, not an end. */
export async function readManifests(files: readonly string[]): Promise<Manifests> {
  const read = await Promise.all([...new Set(files)].map(readOne));
  return { manifests: read.flatMap(({ manifests }) => manifests), problems: read.flatMap(({ problems }) => problems) };
}

async function readOne(file: string): Promise<Manifests> {
  try {
    if (file === "-") return parseManifests("stdin", await text(process.stdin));
    return parseManifests(file, await readFile(file, "utf8"));
  } catch (error) {
    return { manifests: [], problems: [{ file, message: `cannot be read: ${reason(error)}` }] };
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EISDIR: "it is a folder; name the files in it",
    EACCES: "no permission",
  };
  return reasons[code ?? ""] ?? message;
}
