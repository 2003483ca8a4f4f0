import * as z from "zod";
import { withRules } from "./rule.ts";
import { textMap } from "./text-map.ts";

const KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const KEY_MESSAGE = "must be a label key, such as kubernetes.io/os or role";
const VALUE_MESSAGE = "must be a label value: at most 63 of A-Z, a-z, 0-9, '-', '_' and '.'";

const requirementSchema = withRules(
  z.strictObject({
    key: z.string().max(317).regex(KEY, KEY_MESSAGE).describe("The label that is looked at."),
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("How the label relates to values."),
    values: z
      .array(z.string().max(63).regex(VALUE, VALUE_MESSAGE))
      .max(64)
      .optional()
      .describe("Required with In and NotIn, absent with Exists and DoesNotExist."),
  }),
  [
    {
      cel: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: "operators In and NotIn need values; Exists and DoesNotExist take none",
      field: "values",
      holds: ({ operator, values = [] }) => (operator === "In" || operator === "NotIn") === values.length > 0,
    },
  ],
).describe("One requirement on a label.");

const matchLabels = withRules(textMap(z.string().max(63).regex(VALUE, VALUE_MESSAGE), 32), [
  {
    cel: `self.all(k, size(k) <= 317 && k.matches('${KEY.source.replaceAll("\\", "\\\\")}'))`,
    message: `each key ${KEY_MESSAGE}`,
    holds: (labels) => Object.keys(labels).every((key) => key.length <= 317 && KEY.test(key)),
  },
]);

/** metav1.LabelSelector, with bounds. */
export const labelSelectorSchema = z.strictObject({
  matchLabels: matchLabels.optional().describe("Labels that must all be present with these values."),
  matchExpressions: z.array(requirementSchema).max(32).optional().describe("Requirements that must all be met."),
});
