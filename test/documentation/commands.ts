import { type Block, blocksOf } from "./blocks.ts";
import { type Document, documents } from "./documents.ts";

/** A command that a reader may copy. */
export interface DocumentedCommand {
  readonly file: string;
  readonly heading: string;
  readonly line: number;
  readonly text: string;
}

/** Programs whose name at the head of a code span makes it a command. */
const INLINE = /`((?:kubectl|helm|porthardening|npm|node scripts|sh scripts)\b[^`]*)`/g;
/** Programs of which a sub-command without anything more is only named: `helm uninstall` takes a release. */
const NAMED_ONLY = /^(?:kubectl|helm)(?: \S+)?$/;
/** What was once changed, in words of that time. */
const HISTORY = "CHANGELOG.md";

/** Every command of the documents: those in blocks, and those in running text. */
export function documentedCommands(of: readonly Document[] = documents()): readonly DocumentedCommand[] {
  return of
    .filter(({ path }) => path !== HISTORY)
    .flatMap((document) => [...blocksOf(document).flatMap(commandsOf), ...inlineCommands(document)]);
}

/** A block's commands, each on one line: continued lines joined, loops kept whole, comments and outputs left out. */
export function commandsOf({ file, heading, line, language, text }: Block): readonly DocumentedCommand[] {
  const lines = text.split("\n");
  const written =
    language === "sh" ? lines : language === "console" ? lines.flatMap((one) => /^\$ (.*)$/.exec(one)?.[1] ?? []) : [];
  const commands: string[] = [];
  let rest = "";
  for (const one of written) {
    rest += rest === "" ? one : `\n${one}`;
    if (one.endsWith("\\") || isInLoop(rest)) continue;
    commands.push(rest);
    rest = "";
  }
  const joined = commands.map((one) =>
    one
      .replaceAll(/\\\n\s*/g, "")
      .replace(/\s+#\s.*$/, "")
      .trim(),
  );
  return joined.filter((one) => one !== "" && !one.startsWith("#")).map((one) => ({ file, heading, line, text: one }));
}

function isInLoop(text: string): boolean {
  return (text.match(/\bdo$/gm) ?? []).length > (text.match(/^\s*done\b/gm) ?? []).length;
}

function inlineCommands({ path: file, text }: Document): readonly DocumentedCommand[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ""));
  return [...prose.matchAll(INLINE)].flatMap(({ 1: code = "", index }) => {
    const before = prose.slice(0, index);
    const command = code
      .replaceAll(/\s*\n\s*/g, " ")
      .replaceAll("\\|", "|")
      .trim();
    if (!command.includes(" ") || NAMED_ONLY.test(command)) return [];
    const heading = [...before.matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? "";
    return { file, heading, line: before.split("\n").length, text: command };
  });
}
