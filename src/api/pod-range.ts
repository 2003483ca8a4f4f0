import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { rangeSchema } from "./ephemeral-ports.ts";
import { API_VERSION, POD_RANGE_KIND } from "./group.ts";
import { metadataSchema } from "./metadata.ts";
import { labelName } from "./named.ts";
import { withRules } from "./rule.ts";

/** The only one. */
export const POD_RANGE_NAME = "cluster";

export const podRangeSpecSchema = z
  .strictObject({
    range: rangeSchema.describe("Local ports of outbound connections in new pods, lowest and highest."),
    policy: labelName("Name of the PortHardeningPolicy that asks for it."),
  })
  .describe("What new pods get. Written by the controller only.");

export const podRangeSchema = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(POD_RANGE_KIND),
    metadata: metadataSchema,
    spec: podRangeSpecSchema,
  }),
  [
    {
      cel: `self.metadata.name == '${POD_RANGE_NAME}'`,
      message: `must be ${POD_RANGE_NAME}: there is only one`,
      field: "metadata.name",
      holds: ({ metadata }) => metadata.name === POD_RANGE_NAME,
    },
  ],
).describe(
  "The range of local ports that new pods get, as a policy asks for it; absent where none does. Not for editing by hand.",
);

export type PortHardeningPodRange = DeepReadonly<z.output<typeof podRangeSchema>>;
