import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { BUNDLE_VARIABLE } from "../lab/operator-program.ts";

const script = resolve(import.meta.dirname, "../../scripts/bundle.ts");

/** Once before the first test of the tier: the operator runs as it is shipped. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "port-hardening-bundle-"));
  await execa(process.execPath, [script, folder]);
  process.env[BUNDLE_VARIABLE] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
