/** Why a plan from the wire is not used; the agent keeps what it enforces (DESIGN 8). A wrong shape is a SchemaError. */

/** Written by another version: this one must not guess what it means. */
export class UnknownPlanFormatError extends Error {
  override readonly name = "UnknownPlanFormatError";
  readonly policy: string;
  readonly format: unknown;

  /** `known`: in ascending order. */
  constructor(policy: string, format: unknown, known: readonly number[]) {
    const older = typeof format === "number" && format < Math.min(...known);
    const wayOut = older ? "upgrade the controller" : "upgrade the agents";
    super(
      `plan of policy ${policy} has format ${JSON.stringify(format)}; this agent reads ${known.join(" and ")}: ${wayOut}`,
    );
    this.policy = policy;
    this.format = format;
  }
}

/** Not what the controller hashed: cut, pruned or edited on the way. */
export class PlanCorruptError extends Error {
  override readonly name = "PlanCorruptError";
  readonly policy: string;

  constructor(policy: string, expected: string, actual: string) {
    super(`plan of policy ${policy} is not what was written: its hash is ${actual}, not ${expected}`);
    this.policy = policy;
  }
}
