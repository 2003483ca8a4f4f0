/** `npm run check`: all that can be told without running the code, in parallel; the output of what failed comes last. */

import { join } from "node:path";
import { execa } from "execa";

const tree = join(import.meta.dirname, "..");

const checks: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] = [
  { name: "types", command: ["tsc", "--noEmit", "-p", "."] },
  { name: "lint and import rules", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["biome", "format"] },
  { name: "dead code", command: ["knip", "--no-progress"] },
  { name: "generated files", command: ["node", "scripts/generate-crds.ts", "--check"] },
  { name: "generated chart", command: ["node", "scripts/generate-chart.ts", "--check"] },
  { name: "generated reference", command: ["node", "scripts/generate-api-docs.ts", "--check"] },
  { name: "generated monitoring", command: ["node", "scripts/generate-monitoring.ts", "--check"] },
];

const failures = await Promise.all(
  checks.map(async ({ name, command: [file, ...args] }) => {
    const started = performance.now();
    const result = await execa(file, args, {
      cwd: tree,
      preferLocal: true,
      localDir: tree,
      reject: false,
      all: true,
      timeout: 120_000,
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${result.failed ? "FAILED" : "ok    "} ${name} (${seconds} s)`);
    // A tool that cannot be started leaves no output, only a message.
    return result.failed ? [`\n${name}: ${[file, ...args].join(" ")}\n${result.all || result.message}`] : [];
  }),
);

for (const failure of failures.flat()) console.error(failure);
process.exit(failures.flat().length > 0 ? 1 : 0);
