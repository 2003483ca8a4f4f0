/** What a person reads: steps, commands with their output, and checks that say what was expected and what happened. */
export interface Show {
  step(title: string): void;
  note(text: string): void;
  /** A command as a person would type it, and what it printed. */
  command(line: string, output: string): void;
  /** One claim: prints both sides, remembers a failure. */
  check(claim: string, expected: string, happened: string, holds: boolean): void;
  readonly failures: readonly string[];
}

const INDENT = "    ";

/** Colours only where a person watches: `colour` is false for a pipe or with NO_COLOR. */
export function createShow(write: (text: string) => void, colour: boolean): Show {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (text = ""): void => write(`${text}\n`);
  const failures: string[] = [];
  let steps = 0;
  return {
    failures,
    step(title) {
      steps += 1;
      line();
      line(paint(1, `${steps}. ${title}`));
    },
    note(text) {
      line(paint(2, `${INDENT}${text}`));
    },
    command(text, output) {
      line(`${INDENT}${paint(36, `$ ${text}`)}`);
      for (const row of output.trimEnd().split("\n")) line(`${INDENT}${row}`);
    },
    check(claim, expected, happened, holds) {
      if (!holds) failures.push(claim);
      const sign = holds ? paint(32, "ok  ") : paint(31, "FAIL");
      line(`${INDENT}${sign} ${claim}`);
      line(paint(2, `${INDENT}     expected: ${expected}`));
      line(`${INDENT}     happened: ${happened}`);
    },
  };
}
