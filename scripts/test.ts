/**
 * `npm test`: runs the tiers unit, netns, cluster and closes with the line `N passed, N failed, N skipped`.
 * Arguments go to vitest: `npm test -- --project unit test/unit/plan`.
 */
import { parseCLI, startVitest } from "vitest/node";
import { sweepDeadRuns } from "../test/lab/release-run.ts";
import { addFailure, closingLine, type Tally, tallyReporter } from "./closing-line.ts";
import { endChildren } from "./end-children.ts";

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
/** All tiers but those with a command of their own (`npm run test:lifecycle`, `test:audit`, `test:monitoring`, `test:node`). */
const tiers = ["!lifecycle", "!audit", "!monitoring", "!node"];
const tally: Tally = { passed: 0, failed: 0, skipped: 0, skips: [], otherFailures: [] };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    // Once this process is gone, vitest kills its workers before they can release their labs: end and sweep them here.
    endChildren();
    sweepDeadRuns();
    addFailure(tally, `ended by ${signal}`);
    close();
  });
}

await attempt("vitest", async () => {
  const vitest = await startVitest("test", filter, {
    project: tiers,
    ...options,
    watch: false,
    // A forgotten `.only` would pass for the whole suite.
    allowOnly: false,
    reporters: ["default", tallyReporter(tally)],
  });
  await vitest.close();
});
// What a test process that was killed could not release itself.
await attempt("sweeping labs", async () => void sweepDeadRuns());

if (tally.passed + tally.failed === 0) addFailure(tally, "no test ran");
// Vitest says by its exit code what no report may have told, such as an error while closing.
if (process.exitCode !== undefined && process.exitCode !== 0 && tally.failed === 0) {
  addFailure(tally, `vitest ended with exit code ${process.exitCode}`);
}

close();

function close(): never {
  for (const skip of tally.skips) console.log(`skipped: ${skip}`);
  for (const failure of tally.otherFailures) console.log(`failed: ${failure}`);
  console.log(closingLine(tally));
  process.exit(tally.failed > 0 ? 1 : 0);
}

async function attempt(what: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    addFailure(tally, `${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
