import * as z from "zod";

/**
 * A map of strings with at most `maxProperties` keys. `__proto__` is refused here because a zod record passes over it
 * without a word: a selector would ask for one label less.
 */
export function textMap<V extends z.ZodType<string>>(value: V, maxProperties: number) {
  const map = z
    .record(z.string(), value)
    .refine((entries) => Object.keys(entries).length <= maxProperties, `must have at most ${maxProperties} items`)
    .meta({ maxProperties });
  return z.preprocess((given, context) => {
    if (typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__")) {
      context.addIssue("__proto__ must not be a key");
    }
    return given;
  }, map);
}
