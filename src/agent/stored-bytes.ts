/**
 * Bytes that a value takes where the API server keeps it. Go's encoding/json escapes what HTML would mind, and the two line
 * separators, in six bytes each.
 */
export function storedBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, "\\u0000"));
}
