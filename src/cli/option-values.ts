import { InvalidArgumentError } from "commander";
import { parseNodePortRange } from "../plan/node-port-range.ts";
import type { PortRange } from "../plan/types.ts";
import { LOG_LEVELS, type LogLevel } from "../telemetry/logger.ts";

/** Parsers of option values for commander; what they throw names the way out. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

export function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text);
  if (level === undefined) throw new InvalidArgumentError(`Give one of ${LOG_LEVELS.join(", ")}.`);
  return level;
}

export function nonEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** A mark with exactly one of its 32 bits set, in hexadecimal or as a number. */
export function singleBit(text: string): number {
  const value = Number(text);
  const bits = /^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? value.toString(2).replaceAll("0", "") : "";
  if (bits === "1" && value <= 0x8000_0000) return value;
  throw new InvalidArgumentError("Give one bit of 32, such as 0x1000 or 0x80000000.");
}

export function nodePortRange(text: string): PortRange {
  try {
    return parseNodePortRange(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`${why}. Give it as to kube-apiserver: 30000-32767.`);
  }
}

/** An absolute path, without a slash at its end. */
export function rootFolder(text: string): string {
  if (!text.startsWith("/")) throw new InvalidArgumentError("Give an absolute path.");
  return text.replace(/\/+$/, "") || "/";
}

export function yesOrNo(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new InvalidArgumentError("Give true or false.");
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `90s`, `10m`, `1h` or `0`, in milliseconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const seconds = unit === undefined ? undefined : SECONDS[unit];
  if (text === "0") return 0;
  if (seconds === undefined) throw new InvalidArgumentError("Give a time, such as 90s, 10m or 1h.");
  return Number(number) * seconds * 1_000;
}
