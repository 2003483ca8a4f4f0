import * as z from "zod";
import { DNS_SUBDOMAIN } from "./named.ts";

const labels = z.record(z.string(), z.string());

/** The part of metav1.ObjectMeta that this project reads; the API server judges it by its own schema. */
export const metadataSchema = z.object({
  name: z.string().max(253).regex(DNS_SUBDOMAIN, "must be a DNS name: a-z, 0-9, '-' and '.', at most 253 characters"),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z
    .string()
    .nullish()
    .transform((value) => value ?? undefined),
  deletionTimestamp: z.string().optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
  ownerReferences: z
    .array(z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }))
    .optional(),
});
