const NEWLINE = 0x0a;

/** A line longer than `maxLineBytes`, one that is no JSON, or a stream that ends within a line. */
export class JsonLinesError extends Error {
  override readonly name = "JsonLinesError";
}

/**
 * The JSON values of a stream with one a line. Chunks may be split anywhere, within a UTF-8 sequence too: lines are cut as
 * bytes (0x0a never occurs within one) and decoded whole. Throws JsonLinesError.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<unknown> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, newline === -1 ? chunk.length : newline);
      start += piece.length + 1;
      pendingBytes += piece.length;
      if (pendingBytes > maxLineBytes) throw new JsonLinesError(`a line is longer than ${maxLineBytes} bytes`);
      pending.push(piece);
      if (newline === -1) break;
      const line = Buffer.concat(pending, pendingBytes).toString("utf8");
      pending = [];
      pendingBytes = 0;
      if (line.trim() !== "") yield parseLine(line);
    }
  }
  if (pendingBytes > 0) throw new JsonLinesError("the stream ended within a line");
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new JsonLinesError(`a line is no JSON: ${line.slice(0, 80)}`, { cause });
  }
}
