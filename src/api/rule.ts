import * as z from "zod";

/**
 * A rule that a JSON schema cannot say, written twice side by side: as CEL for the API server and as a predicate for
 * zod. test/unit/api/objects.ts holds the objects on which the two must agree.
 */
export interface Rule<T> {
  /** CEL over `self`; becomes `x-kubernetes-validations`. */
  readonly cel: string;
  /** Said by both; names the way out. */
  readonly message: string;
  /** Member (`allow`, `metadata.name`) of the value that is at fault; absent: the value itself. */
  readonly field?: string;
  readonly holds: (value: T) => boolean;
}

/** The schema with `rules` added to those it has. As in the API server they are judged only where the schema holds. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const checked = schema.superRefine(
    (value, context) => {
      for (const { holds, message, field } of rules) {
        if (!holds(value)) context.addIssue({ code: "custom", message, path: field?.split(".") ?? [] });
      }
    },
    { when: ({ issues }) => issues.length === 0 },
  );
  const before = z.globalRegistry.get(schema)?.["x-kubernetes-validations"];
  return checked.meta({
    "x-kubernetes-validations": [
      ...(Array.isArray(before) ? before : []),
      ...rules.map(({ cel, message, field }) => ({
        rule: cel,
        message,
        ...(field === undefined ? {} : { fieldPath: `.${field}` }),
      })),
    ],
  });
}
