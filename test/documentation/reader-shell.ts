import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { ControlPlane } from "../lab/control-plane.ts";
import { controlPlanePrograms } from "../lab/control-plane-programs.ts";
import type { Lab } from "../lab/lab.ts";
import type { ExecResult, NetworkNamespace } from "../lab/network-namespace.ts";
import { operatorProgram } from "../lab/operator-program.ts";
import { commandsRunBy } from "./accounts.ts";
import { blocksOf } from "./blocks.ts";
import { documentAt, tree } from "./documents.ts";

/** Folders of the repository that documented commands name. */
const FOLDERS = ["charts", "crds", "deploy"];

export interface ReaderShellOptions {
  readonly programs?: Readonly<Record<string, string>>;
  readonly names?: Readonly<Record<string, string>>;
}

export interface ReaderShell {
  /** Where it runs: a folder with the repository's folders, and room for a reader's own files. */
  readonly folder: string;
  /** What a reader copies, to its end; in the lab's own namespace unless one is named. */
  try(commands: string, where?: NetworkNamespace): Promise<ExecResult>;
  /** The same; it must succeed. Returns what it printed. */
  run(commands: string, where?: NetworkNamespace): Promise<string>;
  /** The commands that this test file has to run and has not. */
  missing(testFile: string): readonly string[];
}

/**
 * A shell in the lab with the real kubectl, our program, and `programs` by name, on the lab's cluster. It puts in `names`
 * for what documents leave to the reader: NODE, FILE and the like.
 */
export async function readerShell(
  lab: Lab,
  controlPlane: ControlPlane,
  { programs = {}, names = {} }: ReaderShellOptions = {},
): Promise<ReaderShell> {
  const folder = join(lab.root.folder, "reader");
  const bin = join(lab.root.folder, "bin");
  await Promise.all([mkdir(folder), mkdir(bin)]);
  for (const [name, words] of Object.entries({
    kubectl: controlPlanePrograms().kubectl,
    porthardening: operatorProgram,
  })) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  for (const [name, file] of Object.entries(programs)) await symlink(file, join(bin, name));
  for (const name of FOLDERS) await symlink(join(tree, name), join(folder, name));
  const env = { PATH: `${bin}:${process.env["PATH"]}`, KUBECONFIG: controlPlane.kubeconfig, HOME: lab.root.folder };
  const tried: string[] = [];

  const attempt = (commands: string, where: NetworkNamespace = lab.root) => {
    tried.push(...commands.replaceAll(/\\\n\s*/g, "").split("\n"), commands);
    const filled = commands.replaceAll(/\b[A-Z]{4,}\b/g, (word) => names[word] ?? word);
    const script = `cd '${folder}'\n${filled}`;
    return where.tryExec("sh", ["-euc", script], { env, timeoutMilliseconds: 180_000 });
  };
  return {
    folder,
    try: attempt,
    async run(commands, where) {
      const { stdout, stderr, exitCode } = await attempt(commands, where);
      expect(exitCode, `${commands}\n${stdout}${stderr}`).toBe(0);
      return stdout;
    },
    missing: (testFile) =>
      commandsRunBy(testFile)
        .filter(({ text }) => !tried.some((one) => one.startsWith(text)))
        .map(({ file, line, text }) => `${file}:${line}: ${text}`),
  };
}

/** The block of a document under `heading` that holds `part`. Throws where there is none. */
export function blockOf(path: string, heading: string, part: string): string {
  const blocks = blocksOf(documentAt(path)).filter((block) => block.heading === heading);
  const found = blocks.find(({ text }) => text.includes(part));
  if (found === undefined) throw new Error(`${path} has no ${part} under ${heading}`);
  return found.text;
}
