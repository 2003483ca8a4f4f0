import type { Host } from "../../../src/kernel/host.ts";

/** "Crash": the step and all that would follow are not done. "Fail": only this step is not. "Late": it is done, but reported as failed. */
export type Interruption = "Crash" | "Fail" | "Late";

/** A node on which the `at`th write is interrupted (from 1). Reads are not counted. */
export function interruptedHost(
  host: Host,
  at: number,
  how: Interruption,
): Host & { readonly interrupted: () => boolean } {
  let writes = 0;
  const step = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    const hit = how === "Crash" ? writes >= at : writes === at;
    if (!hit) return write();
    if (how === "Late") await write();
    throw new Error(`interrupted at write ${writes}`);
  };
  return {
    ...host,
    run: (command, args, options) => {
      const reads = options.input === undefined || options.input.startsWith("list ");
      const run = () => host.run(command, args, options);
      return reads ? run() : step(run);
    },
    writeSysctl: (key, value) => step(() => host.writeSysctl(key, value)),
    writeFileAtomic: (path, content) => step(() => host.writeFileAtomic(path, content)),
    remove: (path) => step(() => host.remove(path)),
    interrupted: () => writes >= at,
  };
}
