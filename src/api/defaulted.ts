import * as z from "zod";

/** A field with a default. `null` counts as absent, as the API server prunes it before it sets defaults. */
export function defaulted<S extends z.ZodType>(schema: S, value: z.util.NoUndefined<z.output<S>>) {
  return z.preprocess((given) => (given === null ? undefined : given), schema.default(value));
}
