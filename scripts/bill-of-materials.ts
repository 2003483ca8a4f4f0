import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/**
 * What the program is made of, as a CycloneDX 1.6 bill: the npm packages of the lock file that are not for development only,
 * and Node. Packages of the base image are its own matter: scanners read them from its dpkg database. Nothing in it depends on
 * when or where it is made.
 */
export async function billOfMaterials(project: string): Promise<object> {
  const lock = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8")) as {
    readonly version: string;
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const { node, ...packages } = Object.fromEntries(
    Object.entries(lock.packages).map(([path, entry]) => [path.replace(/^.*node_modules\//, ""), entry]),
  );
  const components = Object.entries(packages)
    .filter(([name, { dev, optional }]) => name !== "" && dev !== true && optional !== true)
    .map(([name, entry]) => npmComponent(name, entry));
  const runtime = {
    type: "platform",
    name: "node",
    version: node?.version ?? "",
    purl: `pkg:generic/node@${node?.version ?? ""}`,
  };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", name: "port-hardening", version: lock.version, "bom-ref": "port-hardening" },
    },
    components: [runtime, ...components],
  };
}

function npmComponent(path: string, { version = "", integrity, license }: LockedPackage) {
  const purl = `pkg:npm/${path.replace("@", "%40")}@${version}`;
  const [algorithm, hash] = (integrity ?? "").split("-", 2);
  return {
    type: "library",
    name: path,
    version,
    purl,
    "bom-ref": purl,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(algorithm === "sha512" && hash !== undefined
      ? { hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] }
      : {}),
  };
}
