import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";

const count = z.int32().min(0);

/** Pods that have a network of their own, by what was read there. */
export const podCountsSchema = z
  .object({
    running: count.describe("Pods that run and have a network of their own."),
    withRange: count.describe("Those of them in which net.ipv4.ip_local_port_range is the range that new pods get."),
  })
  .describe(
    "The range of local ports as measured in pods. Absent: no policy gives pods a range, or nobody has looked yet.",
  );

export type PodCounts = DeepReadonly<z.output<typeof podCountsSchema>>;
