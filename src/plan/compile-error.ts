/** A policy that the API accepts but that cannot be compiled. The message says what to do about it. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly policy: string;
  /** Path from the object's root: `spec.sysctls[net.ipv4.ip_forward]`. */
  readonly field: string;
  readonly reason: string;
  /** Whether another install, or another version, might compile it. */
  readonly fails: "Here" | "Everywhere";

  constructor(policy: string, field: string, reason: string, fails: "Here" | "Everywhere" = "Here") {
    super(`PortHardeningPolicy ${policy}: ${field}: ${reason}`);
    this.policy = policy;
    this.field = field;
    this.reason = reason;
    this.fails = fails;
  }
}
