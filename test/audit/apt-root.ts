import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";

export interface AptRoot extends AsyncDisposable {
  readonly root: string;
}

/** A Debian in a folder: this machine's apt-config with the libraries that it loads, and files by path. */
export async function aptRoot(files: Readonly<Record<string, string>>): Promise<AptRoot> {
  const root = await mkdtemp(join(tmpdir(), "port-hardening-apt-"));
  const write = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  const program = "/usr/bin/apt-config";
  const { stdout } = await execa("ldd", [program]);
  const libraries = [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].flatMap(([, path]) => path ?? []);
  const tables = ["cputable", "tupletable"].map((name) => `/usr/share/dpkg/${name}`);
  for (const path of [program, ...libraries, ...tables]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(path, join(root, path));
    await chmod(join(root, path), 0o755);
  }
  for (const [path, content] of Object.entries({ "/var/lib/dpkg/status": "", ...files })) await write(path, content);
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
