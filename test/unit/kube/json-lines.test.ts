import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonLinesError, jsonLines } from "../../../src/kube/json-lines.ts";

async function* streamOf(chunks: readonly Uint8Array[]) {
  yield* chunks;
}

async function read(chunks: readonly Uint8Array[], maxLineBytes = 1000): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(streamOf(chunks), maxLineBytes)) values.push(value);
  return values;
}

it("gives every value whatever the chunks", async () => {
  const values = fc.array(fc.string({ unit: "grapheme" }));
  await fc.assert(
    fc.asyncProperty(values, fc.array(fc.nat(2000), { maxLength: 40 }), async (wanted, cuts) => {
      const bytes = Buffer.from(wanted.map((value) => `${JSON.stringify(value)}\n`).join(""));
      const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((x, y) => x - y);
      const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      expect(await read(chunks)).toEqual(wanted);
    }),
  );
});

it("copes with every character cut in two", async () => {
  const bytes = [...Buffer.from('{"a":"🛡é"}\n{}\n')].map((byte) => Uint8Array.of(byte));
  expect(await read(bytes)).toEqual([{ a: "🛡é" }, {}]);
});

it("skips empty lines", async () => {
  expect(await read([Buffer.from("\n{}\r\n\n")])).toEqual([{}]);
});

it.each([
  ["a line over the bound", [Buffer.from(`"${"x".repeat(20)}"\n`)], "a line is longer than 10 bytes"],
  ["a line over the bound in parts", [Buffer.from('"xxxxx'), Buffer.from("xxxxxx")], "a line is longer than 10 bytes"],
  ["a stream that ends within a line", [Buffer.from('{}\n{"a')], "the stream ended within a line"],
  ["a line that is no JSON", [Buffer.from("<html>\n")], "a line is no JSON: <html>"],
])("refuses %s", async (_case, chunks, message) => {
  await expect(read(chunks, 10)).rejects.toThrow(new JsonLinesError(message));
});
