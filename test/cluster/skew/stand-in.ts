import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const sources = resolve(import.meta.dirname, "../../../src");

/** From here on, whoever imports `module` of src/ gets the other file in its place; only that file itself gets the real one. */
export function standIn(module: string, by: string): void {
  const real = pathToFileURL(resolve(sources, module)).href;
  const other = pathToFileURL(by).href;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      return found.url === real && context.parentURL !== other ? { ...found, url: other } : found;
    },
  });
}
