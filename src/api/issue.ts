import type * as z from "zod";
import type { Problem } from "./schema-error.ts";

/** `spec.firewall.inbound.allow[1].ports[0]`, as the API server writes it. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** One problem a field: unknown fields that stand side by side are told one by one. */
export function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== "unrecognized_keys") return [{ path: fieldPath(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({ path: fieldPath([...issue.path, key]), message: issue.message }));
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function explainType(expected: string, input: unknown): string {
  if (input === undefined) return "is required";
  const wanted = EXPECTED[expected] ?? expected;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean")) {
    return `must be ${wanted}, not ${typeName(input)}: put it in quotes`;
  }
  if (typeof input === "number") return `must be ${wanted}, not ${input}`;
  return `must be ${wanted}, not ${typeName(input)}`;
}

function explainSize(side: "least" | "most", bound: number | bigint, origin: string): string {
  if (origin === "string") return `must have at ${side} ${bound} characters`;
  if (origin === "array") return `must have at ${side} ${bound} item${bound === 1 ? "" : "s"}`;
  return `must be at ${side} ${bound}`;
}

/** What is wrong and the way out, in place of zod's own words; undefined leaves those. */
export function explainIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return explainType(issue.expected, issue.input);
    case "invalid_value":
      if (issue.input === undefined) return "is required";
      return `must be ${issue.values.map(String).join(" or ")}, not ${JSON.stringify(issue.input)}`;
    case "unrecognized_keys":
      return "unknown field: mind the spelling and the indentation, or update port-hardening";
    case "too_small":
      return explainSize("least", issue.minimum, issue.origin);
    case "too_big":
      return explainSize("most", issue.maximum, issue.origin);
    default:
      return undefined;
  }
}
