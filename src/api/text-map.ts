import * as z from "zod";

/** A map of strings with at most `maxProperties` keys. */
export function textMap<V extends z.ZodType<string>>(value: V, maxProperties: number) {
  return z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length <= maxProperties, `must have at most ${maxProperties} items`)
    .meta({ maxProperties });
}
