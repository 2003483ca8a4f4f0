import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { RUN_VARIABLE } from "../../lab/release-run.ts";

const project = resolve(import.meta.dirname, "../../..");
const cache = join(project, ".cache");

export const IMAGE_REPOSITORY = "localhost/port-hardening/port-hardening";
export const IMAGE_TAG = "test";
const reference = `${IMAGE_REPOSITORY}:${IMAGE_TAG}`;
const BASE = "localhost/port-hardening/base:test";

/** The image as a node gets it, and as it can be looked into. */
export interface BuiltImage {
  /** An OCI archive. */
  readonly archive: string;
  readonly packedBytes: number;
  /** A folder that holds the image's root file system. */
  readonly root: string;
  /** What esbuild says of the bundle in it. */
  readonly metafile: string;
  /** Runs a program in the image, as the image's own user unless `user` names another. */
  run(command: readonly [string, ...string[]], user?: string): Promise<string>;
}

/**
 * Builds image/Dockerfile from the tree as it is, without a registry: on the Debian that scripts/setup.sh made. All that comes of it is
 * in `folder`, which is in the temporary folder of a run and goes with that, as do the processes. Takes half a minute.
 */
export async function buildImage(folder: string): Promise<void> {
  const { buildah, context, archive, metafile, env } = placesIn(folder);
  await mkdir(folder, { recursive: true });
  const contextOnly = ["--context-only", "--context", context, "--metafile", metafile];
  await execa(process.execPath, [join(project, "scripts/image.ts"), ...contextOnly], { env });
  const scratch = await buildah(["from", "scratch"]);
  await buildah(["add", scratch, await realpath(join(cache, "bin/base.tar")), "/"]);
  await buildah(["commit", "--rm", scratch, BASE]);
  await buildah(["build", "--isolation", "chroot", "--build-arg", `BASE=${BASE}`, "--tag", reference, context]);
  await buildah(["push", reference, `oci-archive:${archive}:${reference}`]);
}

/** The image that `buildImage` made in this folder. */
export async function openImage(folder: string): Promise<BuiltImage> {
  const { buildah, archive, metafile } = placesIn(folder);
  const container = await buildah(["from", "--pull-never", reference]);
  return {
    archive,
    metafile,
    packedBytes: (await stat(archive)).size,
    root: await buildah(["mount", container]),
    run: (command, user) =>
      buildah([
        "run",
        "--isolation",
        "chroot",
        ...(user === undefined ? [] : ["--user", user]),
        container,
        "--",
        ...command,
      ]),
  };
}

/** Where `buildImage` put what a node imports. */
export function imageArchive(folder: string): string {
  return placesIn(folder).archive;
}

function placesIn(folder: string) {
  const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "storage-run")];
  // What is built runs in a process namespace that ends with buildah.
  const own = ["--pid", "--fork", "--kill-child", "--mount-proc"];
  const program = ["sh", join(import.meta.dirname, "with-tools.sh"), join(cache, "node-tools"), "buildah"];
  const env = { [RUN_VARIABLE]: basename(dirname(folder)) };
  return {
    env,
    context: join(folder, "context"),
    metafile: join(folder, "metafile.json"),
    archive: join(folder, "image.tar"),
    async buildah(args: readonly string[]): Promise<string> {
      // vfs copies each layer; overlay would need a file system beneath that takes it.
      const command = [...own, ...program, ...storage, "--storage-driver", "vfs", ...args];
      return (await execa("unshare", command, { env, timeout: 300_000, killSignal: "SIGKILL" })).stdout.trim();
    },
  };
}
