import { createHash } from "node:crypto";
import { access, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatAssigned, parseAssigned } from "../plan/parse-plan.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";

/** What was enforced last: enough to enforce it again without an API server. */
export interface LastApplied {
  readonly policies: readonly AssignedPolicy[];
  /** The groups that those policies and the trust of the cluster use. */
  readonly groups: readonly GroupAddresses[];
}

/** What `load` found; `Unusable` files are set aside, so that a person can look at them, until another one is saved. */
export type LoadedState =
  | { readonly kind: "Found"; readonly last: LastApplied }
  | { readonly kind: "None" }
  | { readonly kind: "Unusable"; readonly reason: string };

export interface StateDirectory {
  /** Never throws for what the file holds; throws where the directory itself cannot be read. */
  load(): Promise<LoadedState>;
  /** Atomic and durable: after a crash the old state or the new one is there, never a mixture. */
  save(last: LastApplied): Promise<void>;
  /** Nothing is enforced any more: an agent that starts next shall not enforce it again. */
  forget(): Promise<void>;
}

const FILE = "last.json";
const SET_ASIDE = "last.json.unusable";

/** The first line of the file is the checksum of the rest; a file cut anywhere does not have it. */
export function stateDirectory(path: string): StateDirectory {
  const file = join(path, FILE);
  const setAside = join(path, SET_ASIDE);
  return {
    async load() {
      const found = await readLastApplied(path);
      if (found.kind === "Unusable" && (await exists(file))) await rename(file, setAside);
      return found;
    },
    async save(last) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const next = `${file}.tmp`;
      const handle = await open(next, "w", 0o600);
      try {
        await handle.writeFile(formatLastApplied(last));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(next, file);
      // The rename itself is durable only once the directory is (fsync(2)).
      const directory = await open(path, "r");
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    },
    async forget() {
      for (const one of [file, setAside]) await rm(one, { force: true });
    },
  };
}

/** The same as `load`, and changes nothing: for who only looks. */
export async function readLastApplied(path: string): Promise<LoadedState> {
  const text = await readFile(join(path, FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    // Nothing was enforced since: the kernel may still hold what that file spoke of.
    const lost = await exists(join(path, SET_ASIDE));
    return lost ? { kind: "Unusable", reason: "it was set aside before" } : { kind: "None" };
  }
  try {
    return { kind: "Found", last: parseLastApplied(text) };
  } catch (error) {
    return { kind: "Unusable", reason: error instanceof Error ? error.message : String(error) };
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}

function formatLastApplied({ policies, groups }: LastApplied): string {
  // As they were assigned: an agent of another version, before or after, may read that and nothing else.
  const body = JSON.stringify({ policies: policies.map(formatAssigned), groups });
  return `${checksum(body)}\n${body}`;
}

/** Throws where the text was cut or altered, and where this version does not know a plan in it (after a downgrade). */
function parseLastApplied(text: string): LastApplied {
  const body = text.slice(text.indexOf("\n") + 1);
  if (text !== `${checksum(body)}\n${body}`) throw new Error("its checksum does not match its content");
  // The checksum says that we wrote it, so its shape is ours; plans may still come from a newer version.
  const last = JSON.parse(body) as { policies: unknown[]; groups: GroupAddresses[] };
  return { policies: last.policies.map((policy) => parseAssigned(policy)), groups: last.groups };
}

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}
