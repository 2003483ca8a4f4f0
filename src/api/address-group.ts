import * as z from "zod";
import { cidrText } from "./cidr-schema.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import { ADDRESS_GROUP_KIND, API_VERSION } from "./group.ts";
import { metadataSchema } from "./metadata.ts";

/** CIDRs in one object; bigger lists are several objects with one label. */
export const GROUP_ADDRESSES_MAX = 2000;

export const addressGroupSpecSchema = z
  .strictObject({
    addresses: z
      .array(cidrText("A block without host bits: 192.0.2.0/24, 192.0.2.7/32 or 2001:db8::/32."))
      .max(GROUP_ADDRESSES_MAX)
      .describe("IPv4 and IPv6 blocks, at most 2000. For more, give several groups one label and select by that."),
  })
  .describe("The addresses.");

export const addressGroupSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(ADDRESS_GROUP_KIND),
    metadata: metadataSchema,
    spec: addressGroupSpecSchema,
  })
  .describe("A list of addresses that policies allow or deny, by name or by label. Edits apply to the nodes at once.");

export type PortHardeningAddressGroup = DeepReadonly<z.output<typeof addressGroupSchema>>;
