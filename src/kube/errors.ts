/** One field that the API server refused, as in `details.causes` of a v1 Status. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

interface KubeErrorFields {
  /** Method and path, such as `GET /api/v1/nodes`. */
  readonly request: string;
  /** HTTP status; undefined where no answer came. */
  readonly status?: number | undefined;
  /** `reason` of the API server's Status, such as `Expired`; "" where there is none. */
  readonly reason?: string | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  readonly cause?: unknown;
}

/** A request to the API server that failed. `message` is the API server's own where it gave one. */
export class KubeError extends Error {
  override readonly name: string = "KubeError";
  readonly request: string;
  readonly status: number | undefined;
  readonly reason: string;
  readonly causes: readonly StatusCause[];

  constructor(message: string, fields: KubeErrorFields) {
    super(message, { cause: fields.cause });
    this.request = fields.request;
    this.status = fields.status;
    this.reason = fields.reason ?? "";
    this.causes = fields.causes ?? [];
  }
}

/** The kind is served, the object is not there. */
export class NotFoundError extends KubeError {
  override readonly name = "NotFoundError";
}

/** The kind itself is not served: its CRD is not installed, or not yet. */
export class NotServedError extends KubeError {
  override readonly name = "NotServedError";
}

/** The object has moved on, or exists already. */
export class ConflictError extends KubeError {
  override readonly name = "ConflictError";
}

/** The resourceVersion or the continue token is too old: list anew. */
export class GoneError extends KubeError {
  override readonly name = "GoneError";
}

export class ForbiddenError extends KubeError {
  override readonly name = "ForbiddenError";
}

/** Refused by schema or admission rules; `causes` name the fields. */
export class InvalidError extends KubeError {
  override readonly name = "InvalidError";
}

export class TooManyRequestsError extends KubeError {
  override readonly name = "TooManyRequestsError";
  readonly retryAfterSeconds: number;

  constructor(message: string, fields: KubeErrorFields & { readonly retryAfterSeconds: number }) {
    super(message, fields);
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

/** No answer in time, or a watch on which nothing arrived for too long. */
export class TimeoutError extends KubeError {
  override readonly name = "TimeoutError";
}

/** The connection could not be made, or broke. */
export class ConnectionError extends KubeError {
  override readonly name = "ConnectionError";
}
