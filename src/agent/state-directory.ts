import { access, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatAssigned, parseAssigned } from "../plan/parse-plan.ts";
import type { AssignedPolicy, GroupAddresses } from "../plan/types.ts";
import type { Charges } from "./charges.ts";
import { formatChecked, parseChecked, readIfThere, writeDurably } from "./checked-file.ts";
import { withdrawArmed } from "./withdraw-armed.ts";

/** What was confirmed last: enough to enforce it again without an API server. */
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
  /** What was rolled back. A file that is damaged says nothing: what it named is tried, and rolled back, once more. */
  loadCharges(): Promise<readonly Charges[]>;
  saveCharges(charges: readonly Charges[]): Promise<void>;
  /** Nothing is enforced any more: an agent that starts next shall not enforce it again, nor a guard bring it back. */
  forget(): Promise<void>;
}

const LAST = "last.json";
const SET_ASIDE = "last.json.unusable";
const CHARGES = "rolled-back.json";

export interface StatePaths {
  /** The last confirmed state. */
  readonly last: string;
  /** What agent and guard share. */
  readonly guard: string;
  /** What was measured, as the status of a NodeState: of a host without a cluster. */
  readonly status: string;
}

export function statePaths(path: string): StatePaths {
  return { last: join(path, LAST), guard: join(path, "guard"), status: join(path, "status.json") };
}

export function stateDirectory(path: string): StateDirectory {
  const { last: file, guard, status } = statePaths(path);
  const setAside = join(path, SET_ASIDE);
  const charged = join(path, CHARGES);
  return {
    async load() {
      const found = await readLastApplied(path);
      if (found.kind === "Unusable" && (await exists(file))) await rename(file, setAside);
      return found;
    },
    save: (last) => writeDurably(file, formatLastApplied(last)),
    async loadCharges() {
      const text = await readIfThere(charged);
      try {
        return text === undefined ? [] : (parseChecked(text) as readonly Charges[]);
      } catch {
        return [];
      }
    },
    async saveCharges(charges) {
      if (charges.length === 0) await rm(charged, { force: true });
      else await writeDurably(charged, formatChecked(charges));
    },
    async forget() {
      await withdrawArmed(guard);
      for (const one of [file, setAside, charged, status]) await rm(one, { force: true });
    },
  };
}

/** The same as `load`, and changes nothing: for who only looks. */
export async function readLastApplied(path: string): Promise<LoadedState> {
  const text = await readIfThere(join(path, LAST));
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

/** Policies as they were assigned: an agent of another version, before or after, may read that and nothing else. */
export function formatLastApplied({ policies, groups }: LastApplied): string {
  return formatChecked({ policies: policies.map(formatAssigned), groups });
}

/** Throws where the text was cut or altered, and where this version does not know a plan in it (after a downgrade). */
function parseLastApplied(text: string): LastApplied {
  // The checksum says that we wrote it, so its shape is ours; plans may still come from a newer version.
  const last = parseChecked(text) as { policies: unknown[]; groups: GroupAddresses[] };
  return { policies: last.policies.map((policy) => parseAssigned(policy)), groups: last.groups };
}
