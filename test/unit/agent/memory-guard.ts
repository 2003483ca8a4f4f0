import { NotArmedError } from "../../../src/agent/commit-errors.ts";
import { compileEnforcement } from "../../../src/agent/enforcement.ts";
import type { Guard } from "../../../src/agent/guard-folder.ts";
import type { LeftChange, PendingChange } from "../../../src/agent/pending-change.ts";
import type { Probing } from "../../../src/agent/probing.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { MemoryDirectory } from "./agent-node.ts";

/** A guard in memory: what it rolls back to is what the directory holds. The script itself is tested on a real kernel. */
export interface MemoryGuard extends Guard {
  /** Why it cannot take anything; undefined: it is there. */
  missing: NotArmedError["reason"] | undefined;
  /** What is armed or was rolled back, as on disk. */
  folder:
    | (Omit<LeftChange, "marks" | "change"> & { readonly marks: Set<string>; readonly change: PendingChange })
    | undefined;
  /** Time-outs of what was armed, the newest last. */
  readonly armed: number[];
  /** What a guard does at the deadline. */
  expire(mark?: "expired" | "stopped" | "rebooted" | "damaged"): Promise<void>;
}

export function memoryGuard({
  kernel,
  directory,
}: {
  readonly kernel: () => Kernel;
  readonly directory: MemoryDirectory;
}): MemoryGuard {
  async function toBefore(): Promise<void> {
    const { stored } = directory;
    if (stored.kind !== "Found") return kernel().clear();
    const { policies, groups } = stored.last;
    await kernel().apply(compileEnforcement(policies, { present: groups, before: [] }, DEFAULT_NODE_SETTINGS).rules);
  }
  const guard: MemoryGuard = {
    missing: undefined,
    folder: undefined,
    armed: [],
    async arm(change, _rollBack, timeoutSeconds) {
      if (guard.missing !== undefined) throw new NotArmedError(guard.missing, "nothing is applied");
      guard.armed.push(timeoutSeconds);
      guard.folder = { armed: true, marks: new Set(["seen"]), change, boot: "This" };
    },
    async applied() {
      guard.folder?.marks.add("applied");
      return guard.folder?.armed === true;
    },
    async confirm() {
      if (guard.folder?.armed !== true) return false;
      const { policies, groups } = JSON.parse(guard.folder.change.last.split("\n")[1] ?? "");
      directory.stored = { kind: "Found", last: { policies, groups } };
      guard.folder = undefined;
      return true;
    },
    async withdraw() {
      guard.folder = undefined;
    },
    async rollBack() {
      if (guard.folder === undefined) return;
      guard.folder.marks.add("asked");
      guard.folder = { ...guard.folder, armed: false };
      await toBefore();
    },
    left: async () => guard.folder,
    async forget() {
      guard.folder = undefined;
    },
    async expire(mark = "expired") {
      if (guard.folder === undefined) throw new Error("nothing is armed");
      guard.folder.marks.add(mark);
      guard.folder = { ...guard.folder, armed: false };
      await toBefore();
    },
  };
  return guard;
}

/** What the node reaches, by name; a test says what it does not reach behind a change. */
export interface MemoryProbing extends Probing {
  reached: string[];
  /** Whether it might ask other nodes, at each change. */
  readonly askedPeers: boolean[];
  /** Asked each time behind a change, and after a roll-back. */
  lost: () => readonly string[] | Promise<readonly string[]>;
}

export function memoryProbing(): MemoryProbing {
  const probing: MemoryProbing = {
    reached: ["API server"],
    askedPeers: [],
    lost: () => [],
    async before(askPeers) {
      probing.askedPeers.push(askPeers);
      return probing.reached;
    },
    failing: async (names) => (await probing.lost()).filter((name) => names.includes(name)),
  };
  return probing;
}
