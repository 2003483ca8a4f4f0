import { isRecord } from "./wire.ts";

/** As structured-merge-diff says it, one a line: `.status.policies[name="p"].retried: field not declared in schema`. */
const UNDECLARED = /((?:\.[A-Za-z0-9_-]+(?:\[[^\]\n]*\])?)+): field not declared in schema/g;

/** Names of members from the object's root on, lists left out: what is not declared in one item is so in all. */
export type FieldPath = readonly string[];

/** The fields that server-side apply refused, as the kind that is served has no word for them; empty where it is another error. */
export function undeclaredFields(message: string): FieldPath[] {
  return [...message.matchAll(UNDECLARED)].map(([, path = ""]) =>
    path
      .replaceAll(/\[[^\]]*\]/g, "")
      .split(".")
      .slice(1),
  );
}

/** A copy without this field. */
export function withoutField<T>(value: T, path: FieldPath): T;
export function withoutField(value: unknown, [name, ...rest]: FieldPath): unknown {
  if (name === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => withoutField(item, [name, ...rest]));
  if (!isRecord(value) || !Object.hasOwn(value, name)) return value;
  const { [name]: member, ...others } = value;
  return rest.length === 0 ? others : { ...others, [name]: withoutField(member, rest) };
}
