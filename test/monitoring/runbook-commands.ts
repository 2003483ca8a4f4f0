import { commandsRunBy } from "../documentation/accounts.ts";

/** Commands with kubectl in the runbooks, each once, with `values` for the names that a reader puts in. */
export function runbookCommands(values: Readonly<Record<string, string>>): string[] {
  const commands = commandsRunBy("test/monitoring/scraped.test.ts").map(({ text }) =>
    text.replaceAll(new RegExp(`\\b(?:${Object.keys(values).join("|")})\\b`, "g"), (name) => values[name] ?? name),
  );
  return [...new Set(commands)];
}
