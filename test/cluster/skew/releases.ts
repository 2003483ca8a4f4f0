import { join, resolve } from "node:path";
import { type OperatorProgram, operatorProgram } from "../../lab/operator-program.ts";

const main = resolve(import.meta.dirname, "../../../src/main.ts");

/** The operator's own sources with one module of them changed before they are loaded. */
function changed(by: string): OperatorProgram {
  return [process.execPath, "--import", join(import.meta.dirname, by), main];
}

/** The operator as it is, and as it may be some day. */
export const releases = {
  today: operatorProgram,
  /** Its compiler changes every hash and nothing else. */
  compiler: changed("as-compiler.ts"),
  /** Reads and writes plan formats 1 and 2. */
  next: changed("as-next.ts"),
  /** 2 and 3. */
  afterNext: changed("as-after-next.ts"),
} as const;
