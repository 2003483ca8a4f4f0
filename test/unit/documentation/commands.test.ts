import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { ACCOUNTS, accountOf } from "../../documentation/accounts.ts";
import { blocksOf } from "../../documentation/blocks.ts";
import { commandsOf, type DocumentedCommand, documentedCommands } from "../../documentation/commands.ts";
import { documents, tree } from "../../documentation/documents.ts";

const commands = documentedCommands();
const at = ({ file, line, text }: DocumentedCommand) => `${file}:${line}: ${text}`;
/** What a `sh` or `console` block may begin with; `text` is for what nobody runs. */
const LANGUAGES = new Set(["sh", "console", "text", "yaml", "json", "ts", "mermaid"]);

describe("blocks in README and docs", () => {
  it("say what language they are in, and commands stand in sh or console", () => {
    const blocks = documents().flatMap(blocksOf);
    const unknown = blocks.filter(({ language }) => !LANGUAGES.has(language));
    expect(unknown.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
    const empty = blocks.filter((block) => /^(?:sh|console)$/.test(block.language) && commandsOf(block).length === 0);
    expect(empty.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
    const hidden = blocks.filter(
      ({ language, text }) => language === "text" && /^(?:\$ )?(?:kubectl|helm|npm) /m.test(text),
    );
    expect(hidden.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
  });

  it("are read as a shell would: continued lines, loops, comments, prompts", () => {
    const block = { file: "a.md", heading: "A", line: 1 };
    const sh = "a \\\n  b\nfor x in 1; do\n  c $x\ndone\n# all\nd   # why\n";
    const of = (language: string, text: string) => commandsOf({ ...block, language, text }).map(({ text: one }) => one);
    expect(of("sh", sh)).toEqual(["a b", "for x in 1; do\n  c $x\ndone", "d"]);
    expect(of("console", "$ e f\nprinted\n$ g\n")).toEqual(["e f", "g"]);
    expect(of("text", "h\n")).toEqual([]);
  });
});

describe("commands in README and docs", () => {
  it("are each run by a test, or somebody says why not", () => {
    expect(commands.length).toBeGreaterThan(120);
    expect(commands.filter((command) => accountOf(command) === undefined).map(at)).toEqual([]);
  });

  it("are run by tests that exist; nothing is accounted for that is not there", () => {
    for (const { runBy, because, command } of ACCOUNTS) {
      expect(
        [runBy, because].filter((one) => one !== undefined),
        String(command),
      ).toHaveLength(1);
      if (runBy !== undefined) expect(existsSync(join(tree, runBy)), runBy).toBe(true);
    }
    const used = new Set(commands.map(accountOf));
    expect(ACCOUNTS.filter((account) => !used.has(account)).map(({ command }) => String(command))).toEqual([]);
  });

  it("name scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(join(tree, "package.json"), "utf8")) as { scripts: object };
    const npm = commands.flatMap(
      (command) => /^npm (?:run (\S+)|(test))/.exec(command.text)?.slice(1).find(Boolean) ?? [],
    );
    expect(npm.length).toBeGreaterThan(10);
    expect(npm.filter((script) => !(script in scripts))).toEqual([]);
    const files = commands.flatMap(({ text }) => /^(?:node|sh) (scripts\/\S+)/.exec(text)?.[1] ?? []);
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(join(tree, file)))).toEqual([]);
  });

  // The first of a command loads all that it is made of.
  it.each(
    [...new Set(commands.map(({ text }) => text).filter((text) => text.startsWith("porthardening ")))].map((text) => [
      text,
    ]),
  )(
    "are what the program takes: %s",
    async (text) => {
      const [, name = "", ...args] = words(text);
      const command = await subcommand(name);
      let taken = false;
      const leaves = command.commands.length === 0 ? [command] : command.commands;
      for (const leaf of leaves) {
        leaf.exitOverride().action(() => {
          taken = true;
        });
      }
      for (const one of [command, ...leaves]) one.configureOutput({ writeErr: () => undefined });
      // A word alone only names it.
      if (args.length === 0) return;
      await command.parseAsync(args, { from: "user" });
      expect(taken).toBe(true);
    },
    60_000,
  );
});

/** As a shell splits it; only quotes are known. */
function words(text: string): readonly string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match.slice(1).find((one) => one !== undefined) ?? "",
  );
}

async function subcommand(name: string): Promise<Command> {
  const main = readFileSync(join(tree, "src/main.ts"), "utf8");
  expect(main).toContain(`name: "${name}"`);
  const module = (await import(join(tree, `src/cli/${name}.ts`))) as Readonly<Record<string, () => Command>>;
  const make = module[`${name}Command`];
  if (make === undefined) throw new Error(`src/cli/${name}.ts exports no ${name}Command`);
  return make();
}
