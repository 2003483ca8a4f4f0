import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../docs/runbooks");

/** What a lab has nothing of: pods with logs, cert-manager, and this repository as the working directory. */
const ELSEWHERE = /^kubectl (?:logs|describe certificate|apply)/;

/** Commands with kubectl in the runbooks, each once, with `values` for the names that a reader puts in. */
export function runbookCommands(values: Readonly<Record<string, string>>): string[] {
  const commands = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const lines = text.match(/^kubectl .*$/gm) ?? [];
    const inline = [...text.matchAll(/`(kubectl [^`]+)`/g)].map(([, command = ""]) => command.replaceAll("\n", " "));
    return [...lines, ...inline];
  });
  const filled = commands.map((command) =>
    command.replaceAll(new RegExp(`\\b(?:${Object.keys(values).join("|")})\\b`, "g"), (name) => values[name] ?? name),
  );
  return [...new Set(filled)].filter((command) => !ELSEWHERE.test(command));
}
