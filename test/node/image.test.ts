import { lstat, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { IMAGE_VARIABLE } from "./build-image.ts";
import { type BuiltImage, openImage } from "./cluster/image.ts";

const project = resolve(import.meta.dirname, "../..");

let image: BuiltImage;

beforeAll(async () => {
  image = await openImage(process.env[IMAGE_VARIABLE] ?? "");
});

interface Bill {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

async function billInImage(): Promise<Bill> {
  return JSON.parse(await readFile(join(image.root, "usr/share/sbom/porthardening.cdx.json"), "utf8")) as Bill;
}

describe("the image", () => {
  it("is at most 270 MiB unpacked, nearly half of which is Node, and 100 MiB packed", async () => {
    const sizes = await Promise.all((await filesIn(image.root)).map(async (file) => (await lstat(file)).size));
    const unpacked = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`image: ${mebibytes(unpacked)} MiB unpacked, ${mebibytes(image.packedBytes)} MiB packed`);
    expect(mebibytes(unpacked)).toBeLessThanOrEqual(270);
    expect(mebibytes(image.packedBytes)).toBeLessThanOrEqual(100);
    expect((await lstat(join(image.root, "usr/local/bin/node"))).size / unpacked).toBeGreaterThan(0.4);
  });

  it("runs as a user without rights unless told otherwise, and says its version", async () => {
    const { version } = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as { version: string };
    expect(await image.run(["id", "-u"])).toBe("65532");
    expect(await image.run(["porthardening", "--version"])).toBe(version);
  });

  it.each([
    ["iptables-nft", "--version", /nf_tables/],
    ["ip6tables-nft-restore", "--version", /nf_tables/],
    ["iptables-legacy", "--version", /legacy/],
    ["ip6tables-legacy-restore", "--version", /legacy/],
    ["ipset", "help", /^ipset v7/],
    ["nft", "--version", /^nftables v1/],
    ["ip", "-V", /^ip utility/],
    ["ss", "-V", /^ss utility/],
    ["conntrack", "--version", /^conntrack v1/],
    ["node", "--version", /^v24\./],
  ])("brings %s", async (program, flag, says) => {
    expect(await image.run([program, flag], "0:0")).toMatch(says);
  });

  it("has no compiler, no npm, and nothing that a package manager kept", async () => {
    const programs = (await Promise.all(["usr/bin", "usr/sbin", "usr/local/bin"].map(namesIn))).flat();
    expect(programs).toContain("node");
    const unwanted = /^(cc|c\+\+|gcc|g\+\+|clang|ld|as|make|tcc|go|rustc|npm|npx|corepack|curl|wget|.*-gcc(-\d+)?)$/;
    expect(programs.filter((name) => unwanted.test(name))).toEqual([]);
    expect(await namesIn("var/lib/apt/lists")).toEqual([]);
    const cached = (await filesIn(join(image.root, "var/cache"))).filter((file) => !file.includes("/ldconfig/"));
    expect(cached).toEqual([]);
  });

  it("holds no file that its user could write to, and none that gives it root's rights", async () => {
    const suid: string[] = [];
    const writable: string[] = [];
    for (const file of await filesIn(image.root)) {
      const { mode, uid } = await lstat(file);
      if ((mode & 0o6000) !== 0) suid.push(file);
      if (file.startsWith(join(image.root, "opt")) && (uid !== 0 || (mode & 0o022) !== 0)) writable.push(file);
    }
    expect(writable).toEqual([]);
    expect(suid.map((file) => file.slice(image.root.length))).toEqual([]);
  });

  it("lists in its CycloneDX bill every npm package that the bundle holds, and Node, by version", async () => {
    const bill = await billInImage();
    expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
    const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
    const bundled = await bundledPackages();
    expect(bundled.length).toBeGreaterThan(8);
    for (const one of bundled) expect(listed).toContain(one);
    expect(listed).toContain(`node@${(await image.run(["node", "--version"])).slice(1)}`);
  });
});

/** What esbuild says went into the bundle, with the versions that are installed. */
async function bundledPackages(): Promise<readonly string[]> {
  const { outputs } = JSON.parse(await readFile(image.metafile, "utf8")) as {
    readonly outputs: Readonly<
      Record<string, { readonly inputs: Readonly<Record<string, { bytesInOutput: number }>> }>
    >;
  };
  const inputs = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const packages = [...new Set(folders)].map(async (folder) => {
    const { name, version } = JSON.parse(await readFile(join(project, folder, "package.json"), "utf8")) as {
      readonly name: string;
      readonly version: string;
    };
    return `${name}@${version}`;
  });
  return Promise.all(packages);
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(join(image.root, folder));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
