import { readFileSync } from "node:fs";

/** Filled in by the bundler (scripts/bundle.ts); absent where the sources run. */
declare const BUNDLED_VERSION: string | undefined;

/** The version in package.json. */
export function programVersion(): string {
  if (typeof BUNDLED_VERSION === "string") return BUNDLED_VERSION;
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
