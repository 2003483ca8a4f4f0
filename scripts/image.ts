/**
 * `npm run image -- [--tag NAME] [--base IMAGE] [--builder docker|podman|buildah] [--context FOLDER] [--context-only]
 * [--metafile FILE]`: makes the build context dist/image (the bundle, Node, the bill of materials, the Dockerfile) and builds the
 * image from it. Without --builder, the first of docker, podman and buildah that is installed. --metafile keeps esbuild's account
 * of what the bundle holds.
 */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { billOfMaterials } from "./bill-of-materials.ts";

const project = resolve(import.meta.dirname, "..");
const { version } = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as { version: string };
const { values } = parseArgs({
  options: {
    tag: { type: "string", default: `port-hardening/port-hardening:${version}` },
    base: { type: "string" },
    builder: { type: "string" },
    context: { type: "string", default: join(project, "dist/image") },
    metafile: { type: "string" },
    "context-only": { type: "boolean", default: false },
  },
});

const context = resolve(values.context);
await rm(context, { recursive: true, force: true });
await mkdir(context, { recursive: true });
const account = values.metafile === undefined ? [] : [resolve(values.metafile)];
await execa(process.execPath, [join(import.meta.dirname, "bundle.ts"), join(context, "porthardening"), ...account], {
  stdio: "inherit",
});
// The Node that runs this, which is the project's own.
await copyFile(process.execPath, join(context, "node"));
await chmod(join(context, "node"), 0o755);
await writeFile(join(context, "sbom.cdx.json"), `${JSON.stringify(await billOfMaterials(project), undefined, 2)}\n`);
await copyFile(join(project, "image/Dockerfile"), join(context, "Dockerfile"));

if (!values["context-only"]) {
  const builder = values.builder ?? (await installed(["docker", "podman", "buildah"]));
  if (builder === undefined) {
    throw new Error(
      `none of docker, podman and buildah is installed; the build context is ${context}: build it elsewhere`,
    );
  }
  const base = values.base === undefined ? [] : ["--build-arg", `BASE=${values.base}`];
  await execa(builder, ["build", ...base, "--tag", values.tag, context], { stdio: "inherit" });
  console.log(`built ${values.tag}`);
}

async function installed(programs: readonly string[]): Promise<string | undefined> {
  for (const program of programs) {
    if (!(await execa(program, ["--version"], { reject: false })).failed) return program;
  }
  return undefined;
}
