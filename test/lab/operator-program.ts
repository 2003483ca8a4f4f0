import { join, resolve } from "node:path";

/** How to start the operator: what comes before the sub-command. */
export type OperatorProgram = readonly [file: string, ...first: string[]];

/** Where the tests of a run find the bundle that was made for it (test/cluster/bundle.ts). */
export const BUNDLE_VARIABLE = "PORT_HARDENING_BUNDLE";

const project = resolve(import.meta.dirname, "../..");
const bundle = process.env[BUNDLE_VARIABLE];

/** The bundle, as it is shipped, where this run has made one; else the sources, which take three times as long to start. */
export const operatorProgram: OperatorProgram =
  bundle === undefined ? [process.execPath, join(project, "src/main.ts")] : [join(bundle, "porthardening")];
