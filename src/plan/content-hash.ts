import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";

/** The first `digits` hex digits of the sha256 over the canonical JSON of `content`. */
export function contentHash(content: unknown, digits: number): string {
  return createHash("sha256").update(canonicalJson(content)).digest("hex").slice(0, digits);
}
