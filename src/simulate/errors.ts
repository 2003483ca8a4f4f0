/** A rule, set or hook in a form that the simulator does not know: it refuses to guess what the kernel makes of it. */
export class UnknownFormError extends Error {
  override readonly name = "UnknownFormError";
  /** The whole rule. */
  readonly text: string;

  constructor(what: string, text: string) {
    super(`the simulator does not know ${what}: ${text}`);
    this.text = text;
  }
}
