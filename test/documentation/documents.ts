import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const tree = join(import.meta.dirname, "../..");

/** A document for people, by its path in the tree. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** README and all of docs/, and what else stands beside them. */
export function documents(): readonly Document[] {
  const paths = globSync(["*.md", "docs/**/*.md"], { cwd: tree }).toSorted();
  return paths.map((path) => ({ path, text: readFileSync(join(tree, path), "utf8") }));
}

export function documentAt(path: string): Document {
  return { path, text: readFileSync(join(tree, path), "utf8") };
}
