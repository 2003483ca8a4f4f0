/** Nothing was applied, as nobody could have brought the node back. Passes by itself: it is tried again soon. */
export class NotArmedError extends Error {
  override readonly name = "NotArmedError";
  readonly reason: "GuardMissing" | "RollBackNotSaved";
  constructor(reason: NotArmedError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A change was rolled back for what it did: it is not tried again as it is. */
export class RolledBackError extends Error {
  override readonly name = "RolledBackError";
  readonly reason = "RolledBack";
}

/** A change was rolled back for nothing that it did: it is tried again. */
export class NotConfirmedError extends Error {
  override readonly name = "NotConfirmedError";
  readonly reason = "NotConfirmed";
}
