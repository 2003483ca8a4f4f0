import type { Document } from "./documents.ts";

/** What stands between two fences. */
export interface Block {
  readonly file: string;
  /** The heading above it, without its signs. */
  readonly heading: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** `sh`: commands. `console`: commands after `$ `, with what they print. Empty where none is said. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a document, in order. Throws where a fence is not closed. */
export function blocksOf({ path, text }: Document): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open === undefined) {
      if (fence !== null) open = { line: index + 1, language: fence[1] ?? "", lines: [] };
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    } else if (fence === null) open.lines.push(line);
    else {
      const { lines, ...where } = open;
      blocks.push({ file: path, heading, ...where, text: lines.map((one) => `${one}\n`).join("") });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: this block has no end`);
  return blocks;
}
