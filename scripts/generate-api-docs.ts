/**
 * Writes docs/api.md from the CustomResourceDefinitions that src/api makes of the zod schemas. `--check` writes nothing and
 * fails where the file differs.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { customResourceDefinitions } from "../src/api/crd.ts";
import { apiReference } from "./api-docs/api-reference.ts";
import type { Definition } from "./api-docs/schema-node.ts";

const file = fileURLToPath(new URL("../docs/api.md", import.meta.url));
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const text = apiReference(Object.values(customResourceDefinitions()) as unknown as readonly Definition[]);
if (!values.check) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  console.error('docs/api.md differs from src/api: run "node scripts/generate-api-docs.ts"');
  process.exitCode = 1;
}
