import type { Reporter, TestCase, TestModule } from "vitest/node";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a test run came to. Whatever went wrong counts as failed, also what is no test. */
export interface Tally extends Counts {
  /** Each skipped test and why. */
  readonly skips: string[];
  /** Failures that belong to no test: a file that does not load, a hook, an unhandled error, a run that was cut short. */
  readonly otherFailures: string[];
}

/** A reporter that fills `tally`; vitest's own reporter shows the rest. */
export function tallyReporter(tally: Tally): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors, reason) {
      for (const module of modules) addModule(tally, module);
      for (const error of unhandledErrors) addFailure(tally, `unhandled error: ${error.message}`);
      if (reason === "interrupted") addFailure(tally, "the run was interrupted");
    },
  };
}

/** `N passed, N failed, N skipped`, the last line of `npm test`. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Reads what `closingLine` wrote; undefined for any other line. */
export function parseClosingLine(line: string): Counts | undefined {
  const match = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line);
  if (match === null) return undefined;
  const [passed = 0, failed = 0, skipped = 0] = match.slice(1).map(Number);
  return { passed, failed, skipped };
}

export function addFailure(tally: Tally, what: string): void {
  tally.failed += 1;
  tally.otherFailures.push(what);
}

function addModule(tally: Tally, module: TestModule): void {
  const tests = [...module.children.allTests()];
  for (const test of tests) addTest(tally, test);
  const suites = [module, ...module.children.allSuites()];
  for (const suite of suites) {
    const name = suite.type === "module" ? suite.relativeModuleId : `${module.relativeModuleId} > ${suite.fullName}`;
    for (const error of suite.errors()) addFailure(tally, `${name}: ${error.message}`);
  }
  if (tests.length === 0 && module.errors().length === 0)
    addFailure(tally, `${module.relativeModuleId}: holds no test`);
}

function addTest(tally: Tally, test: TestCase): void {
  const result = test.result();
  if (result.state === "passed") tally.passed += 1;
  else if (result.state === "failed") tally.failed += 1;
  else {
    tally.skipped += 1;
    const reason = result.state === "skipped" ? result.note : "it never ran";
    tally.skips.push(`${test.module.relativeModuleId} > ${test.fullName}: ${reason ?? "no reason given"}`);
  }
}
