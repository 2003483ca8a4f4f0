import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ControlPlane } from "../lab/control-plane.ts";

export interface Applied {
  /** What kubectl said on the objects that it could not apply, by index. */
  readonly refusals: ReadonlyMap<number, string>;
  /** How many it would have applied. */
  readonly accepted: number;
}

/** Runs `kubectl apply --dry-run=server --validate=strict` on all objects, one file each, in `processes` runs side by side. */
export async function applyAll(
  controlPlane: ControlPlane,
  objects: readonly unknown[],
  { folder, processes }: { readonly folder: string; readonly processes: number },
): Promise<Applied> {
  const folders = Array.from({ length: processes }, (_, number) => join(folder, `share-${number}`));
  await Promise.all(folders.map((share) => mkdir(share)));
  await Promise.all(
    objects.map((object, index) =>
      // JSON: what YAML makes of a scalar is no matter here.
      writeFile(join(folders[index % processes] ?? folder, `object-${index}.json`), JSON.stringify(object)),
    ),
  );
  const results = await Promise.all(
    folders.map((share) =>
      controlPlane.tryKubectl(["apply", "--dry-run=server", "--validate=strict", "-f", share], {
        timeoutMilliseconds: 60_000,
      }),
    ),
  );
  const errors = results.flatMap(({ stderr }) => stderr.split(/^(?=Error from server|error: |The )/m));
  const refusals = new Map<number, string>();
  for (const error of errors.filter((text) => text.trim() !== "")) {
    const [, index] = /object-(\d+)\.json/.exec(error) ?? [];
    if (index === undefined) throw new Error(`kubectl failed on no object in particular: ${error}`);
    refusals.set(Number(index), error);
  }
  const accepted = results.flatMap(({ stdout }) => stdout.match(/ created \(server dry run\)$/gm) ?? []).length;
  return { refusals, accepted };
}
