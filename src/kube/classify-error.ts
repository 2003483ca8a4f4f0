import {
  ConflictError,
  ConnectionError,
  ForbiddenError,
  GoneError,
  InvalidError,
  KubeError,
  NotFoundError,
  NotServedError,
  type StatusCause,
  TooManyRequestsError,
} from "./errors.ts";
import { isRecord } from "./wire.ts";

/** An answer that is no success: of a request, or the Status that an ERROR event of a watch holds. */
interface FailedAnswer {
  readonly request: string;
  readonly status: number;
  /** Parsed JSON, or text where it was none ("404 page not found"). */
  readonly body: unknown;
  /** Seconds, as the `Retry-After` header gives them. */
  readonly retryAfter?: string | undefined;
}

/** The one place where an answer of the API server becomes an error with a meaning. */
export function classifyAnswer({ request, status, body, retryAfter }: FailedAnswer): KubeError {
  const answer = isRecord(body) && body["kind"] === "Status" ? body : {};
  const details = isRecord(answer["details"]) ? answer["details"] : {};
  const message = text(answer["message"]) || (typeof body === "string" && body.trim()) || `status ${status}`;
  const fields = { request, status, reason: text(answer["reason"]), causes: causesOf(details) };
  switch (status) {
    case 403:
      return new ForbiddenError(message, fields);
    case 404:
      // Only an answer about an object names it; unknown groups and kinds get plain text or a Status without details.
      return text(details["name"]) === "" ? new NotServedError(message, fields) : new NotFoundError(message, fields);
    case 409:
      return new ConflictError(message, fields);
    case 410:
      return new GoneError(message, fields);
    case 422:
      return new InvalidError(message, fields);
    case 429: {
      const seconds = Number(retryAfter ?? details["retryAfterSeconds"] ?? 1);
      return new TooManyRequestsError(message, { ...fields, retryAfterSeconds: seconds >= 0 ? seconds : 1 });
    }
    default:
      return new KubeError(message, fields);
  }
}

/** What is thrown where no answer came, or not all of it: the connection is at fault. */
export function classifyFailure(request: string, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  // An AggregateError (each address refused) has no message; its code says it.
  const message =
    cause instanceof Error ? cause.message || ("code" in cause && text(cause.code)) || cause.name : String(cause);
  return new ConnectionError(message, { request, cause });
}

function causesOf(details: Readonly<Record<string, unknown>>): StatusCause[] {
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRecord) : [];
  return causes.map(({ reason, message, field }) => ({
    reason: text(reason),
    message: text(message),
    field: text(field),
  }));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
