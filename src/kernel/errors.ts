/** What can go wrong on a node, one class per kind that a caller treats differently. Messages hold the tool's own words. */

/** The tool is not installed. */
export class ToolMissingError extends Error {
  override readonly name = "ToolMissingError";
  readonly tool: string;
  /** The package that holds it, by its name in Debian and Fedora. */
  readonly packageName: string;
  constructor(tool: string, packageName: string, options?: ErrorOptions) {
    super(`${tool} is not installed: install the package ${packageName}`, options);
    this.tool = tool;
    this.packageName = packageName;
  }
}

/** A tool failed, or ran into its time-out, without pointing at a line of its input. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly tool: string;
  /** What the tool said. */
  readonly words: string;
  constructor(tool: string, words: string, options?: ErrorOptions) {
    super(`${tool}: ${words}`, options);
    this.tool = tool;
    this.words = words;
  }
}

/** A restore was refused at one line of its input. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
  readonly tool: string;
  readonly words: string;
  /** Line of the input, from 1. */
  readonly line: number;
  /** That line. */
  readonly rule: string;
  constructor(tool: string, words: string, line: number, rule: string, options?: ErrorOptions) {
    super(`${tool}: ${words} (line ${line}: ${rule})`, options);
    this.tool = tool;
    this.words = words;
    this.line = line;
    this.rule = rule;
  }
}

/** A rule names a chain or a set that the rule set does not hold. Found before anything is written. */
export class MissingTargetError extends Error {
  override readonly name = "MissingTargetError";
  constructor(target: string, where: string, rule: string) {
    super(`${target} is not in the rule set, but ${where} needs it: ${rule}`);
  }
}

/** The rule set reaches beyond what is ours (chains `PH-*`, sets `ph-*`, nft table `inet porthardening`, tagged hooks). Found before anything is written. */
export class NotOursError extends Error {
  override readonly name = "NotOursError";
}

/** The kernel refused a sysctl, does not know it, or reads back another value. */
export class SysctlError extends Error {
  override readonly name = "SysctlError";
  readonly key: string;
  readonly value: string;
  readonly words: string;
  constructor(key: string, value: string, words: string, options?: ErrorOptions) {
    super(`sysctl ${key}=${value}: ${words}`, options);
    this.key = key;
    this.value = value;
    this.words = words;
  }
}

/** Everything was written, but what was read back is something else. */
export class ReadBackError extends Error {
  override readonly name = "ReadBackError";
  readonly differences: readonly string[];
  constructor(differences: readonly string[]) {
    super(`what was written reads back differently: ${differences.slice(0, 5).join("; ")}`);
    this.differences = differences;
  }
}

/** An apply failed (`cause`) and so did putting back what was there: the node is in between. */
export class RollBackError extends Error {
  override readonly name = "RollBackError";
  constructor(cause: Error, failures: readonly Error[]) {
    const why = failures.map((failure) => failure.message).join("; ");
    super(`${cause.message}; and putting back what was there failed: ${why}`, { cause });
  }
}
