import { join, resolve } from "node:path";
import type { LabProcess } from "./lab-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { operatorProgram } from "./operator-program.ts";

const script = resolve(import.meta.dirname, "../../src/guard/guard.sh");

/** The guard of a node: without it an agent applies nothing. */
export interface LabGuard {
  /** Where it is not running. Resolves when it watches. */
  ensure(): Promise<LabProcess>;
  /** The one that was started last. */
  readonly current: LabProcess | undefined;
}

export function labGuard(node: Pick<NetworkNamespace, "spawn">, stateDirectory: string): LabGuard {
  // As it is shipped where there is a bundle; from the sources a Node process would stand before it.
  const [bundled, ...more] = operatorProgram;
  const isBundle = more.length === 0;
  const file = isBundle ? bundled : "sh";
  const args = isBundle ? ["guard"] : [script, join(stateDirectory, "guard")];
  let current: LabProcess | undefined;
  let started = 0;
  return {
    get current() {
      return current;
    },
    async ensure() {
      if (current?.running === true) return current;
      started += 1;
      current = await node.spawn(`guard${started}`, file, args, { env: { STATE_DIR: stateDirectory } });
      await current.waitForLog(/watching/, 30_000);
      return current;
    },
  };
}
