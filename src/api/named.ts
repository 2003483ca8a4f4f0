import * as z from "zod";

/** DNS label: names of policies and entries stand in rule comments (`policy/entry/hash`, at most 256 characters). */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** DNS subdomain: names of nodes and address groups. */
export const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A required name made of a-z, 0-9 and '-', at most 63 characters. */
export function labelName(description: string) {
  return z
    .string()
    .max(63)
    .regex(DNS_LABEL, "must be a DNS label: a-z, 0-9 and '-', starting and ending with a letter or digit")
    .describe(description);
}

/** A list whose items are told apart by one or more of their fields (listType=map). */
export function keyedList<S extends z.ZodType<object>>(item: S, keys: readonly string[], maxItems: number) {
  return z
    .array(item)
    .max(maxItems)
    .superRefine((items, context) => {
      const seen = new Set<string>();
      for (const [index, entry] of items.entries()) {
        const key = JSON.stringify(
          Object.fromEntries(keys.map((name) => [name, (entry as Record<string, unknown>)[name]])),
        );
        if (seen.has(key)) {
          context.addIssue({
            code: "custom",
            path: [index],
            message: `Duplicate value: ${key}; each ${keys.join(" and ")} may stand once in the list`,
          });
        }
        seen.add(key);
      }
    })
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys });
}
