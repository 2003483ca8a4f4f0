import { parsePolicy } from "../api/parse.ts";
import { type Problem, SchemaError } from "../api/schema-error.ts";

/** The path with the name of the list entry that it leads through: `spec.rateLimits[1].ports ("slow")`. */
export function nameEntries(object: unknown, path: string): string {
  let here = object;
  let name: unknown;
  for (const [, key, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    here = (here as Readonly<Record<string, unknown>> | undefined | null)?.[key ?? index ?? ""];
    if (index !== undefined && typeof here === "object" && here !== null && "name" in here) name ??= here.name;
  }
  return typeof name === "string" && !path.endsWith(".name") ? `${path} ("${name}")` : path;
}

/**
 * The API server may only say that some entry of a list is at fault: naming it would cost more than a CEL rule may. Here
 * each entry is tried alone. Empty where the problem is not one of a list as a whole.
 */
export function faultyEntries(object: unknown, problem: Problem): { readonly index: number; readonly name: string }[] {
  const match = /^spec\.firewall\.(\w+)\.(allow|deny)$/.exec(problem.path);
  const [, direction = "", list = ""] = match ?? [];
  const { spec } = object as { spec?: { firewall?: Record<string, Record<string, unknown>> } };
  const scope = spec?.firewall?.[direction];
  const entries = scope?.[list];
  if (match === null || !Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown, index) => {
    const firewall = { ...spec?.firewall, [direction]: { ...scope, [list]: [entry] } };
    const name = (entry as { name?: unknown } | null)?.name;
    const faulty =
      typeof name === "string" && hasProblem({ ...(object as object), spec: { ...spec, firewall } }, problem);
    return faulty ? [{ index, name }] : [];
  });
}

function hasProblem(policy: object, { path, message }: Problem): boolean {
  try {
    parsePolicy(policy);
    return false;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return error.problems.some((one) => one.path === path && one.message === message);
  }
}
