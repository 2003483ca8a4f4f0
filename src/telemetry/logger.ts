import { type DestinationStream, destination as fileDestination, type Level, type Logger, pino } from "pino";
import { remedyOf } from "./missing-right.ts";

export type { Logger } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const satisfies readonly Level[];
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** Which part of the program speaks: `agent`, `controller`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Standard output, written synchronously, unless told otherwise: the last lines before an exit must not be lost. */
  readonly destination?: DestinationStream;
}

/** One JSON object a line: a constant message, everything that varies in fields. Errors go into the field `err`. */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    destination ?? fileDestination({ fd: 1, sync: true }),
  );
}

/** Only these members: errors of HTTP and exec libraries carry whole requests, with their headers and tokens. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const remedy = remedyOf(error);
  return {
    type: error.name,
    message: error.message,
    ...(remedy === undefined ? {} : { remedy }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
