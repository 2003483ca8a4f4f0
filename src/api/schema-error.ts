/** One thing wrong with an object: where (`spec.firewall.inbound.allow[1].ports[0]`) and what to do about it. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** An object that does not follow its schema. The message lists every problem, one a line where there are several. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  /** `PortHardeningPolicy workers`: which object is meant. */
  readonly subject: string;
  readonly problems: readonly Problem[];

  constructor(subject: string, problems: readonly Problem[]) {
    const lines = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    super(
      lines.length === 1 ? `${subject}: ${lines[0]}` : `${subject}:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    );
    this.subject = subject;
    this.problems = problems;
  }
}
