import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import type { ChangedHost } from "../../../src/agent/automatic-updates.ts";
import { hostChanger } from "../../../src/kernel/host-changer.ts";
import { localHost } from "../../../src/kernel/local-host.ts";
import { localHostView } from "../../../src/kernel/local-host-view.ts";
import type { RecordedHost } from "../audit/recorded-host.ts";

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A recorded host's files and links in a temporary folder, which goes after the test. */
export async function hostTree(host: RecordedHost): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "port-hardening-host-"));
  folders.push(root);
  // Every systemd has it.
  await mkdir(join(root, "etc/systemd/system"), { recursive: true });
  await writeHost(root, host);
  return root;
}

/** Adds a recorded host's files and links to what `root` holds. */
export async function writeHost(root: string, { files, links = {} }: RecordedHost): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
}

/** Every file of the tree, with its content. */
export async function contentOf(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length), await readFile(file, "utf8")] as const)),
  );
}

/** Folders too: what nothing is left of. */
export async function namesOf(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).toSorted();
}

export interface TreeHost extends ChangedHost {
  /** What systemd runs. */
  readonly running: Set<string>;
  /** What it was told, but for questions. */
  readonly told: string[];
}

/** Real files; apt-config prints the files that apt reads one after the other, and systemctl keeps the state of timers. */
export function treeHost(root: string, running: readonly string[] = []): TreeHost {
  const state = new Set(running);
  const told: string[] = [];
  const view = localHostView({ root });
  return {
    running: state,
    told,
    host: {
      ...view,
      async run(tool, [verb, unit = ""]) {
        if (tool === "apt-config") return { exitCode: 0, stdout: await configuration(root), stderr: "" };
        if (tool !== "systemctl" || verb !== "is-active") return undefined;
        return state.has(unit)
          ? { exitCode: 0, stdout: "active\n", stderr: "" }
          : { exitCode: 3, stdout: "inactive\n", stderr: "" };
      },
    },
    changer: {
      ...hostChanger({ root, host: localHost() }),
      async systemctl(args) {
        told.push(args.join(" "));
        const [verb, unit = ""] = args;
        if (verb === "start") state.add(unit);
        if (verb === "stop") state.delete(unit);
      },
    },
  };
}

async function configuration(root: string): Promise<string> {
  const content = await contentOf(join(root, "etc/apt"));
  const parts = Object.keys(content).filter((path) => path.startsWith("/apt.conf.d/"));
  return [...parts.toSorted(), "/apt.conf"].map((path) => content[path] ?? "").join("");
}
