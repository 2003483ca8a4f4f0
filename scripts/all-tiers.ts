/** What `.ci/run` runs: the tiers of tests, each by its own command, and as last line the sum of theirs. */
import { closingLine } from "./closing-line.ts";
import { runTiers } from "./run-tiers.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());

const tiers = ["test", "test:node", "test:lifecycle", "test:audit", "test:monitoring"].map((name) => ({
  name,
  command: ["npm", "run", "--silent", name] as const,
}));
const sum = await runTiers(tiers, (line) => void process.stdout.write(`${line}\n`), stop.signal);
console.log(closingLine(sum));
process.exitCode = sum.failed > 0 ? 1 : 0;
