/** The shape of a plan from the wire. Strict: what is unknown would otherwise be dropped in silence and not enforced. */
import * as z from "zod";
import { AUTOMATIC_LEVELS, LEVELS } from "../api/audit.ts";
import { DEFAULT_ACTIONS } from "../api/direction.ts";
import { labelSelectorSchema } from "../api/label-selector.ts";
import { PROCESS_NAME } from "../api/monitoring.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "../api/named.ts";
import { PROTOCOLS } from "../api/ports.ts";
import { earnedWithinADay, LIMIT_UNITS, MAX_CONCURRENT } from "../api/rate-limits.ts";
import { confirmTimeoutSeconds } from "../api/rollout.ts";
import { sysctlsSchema } from "../api/sysctls.ts";
import { canonicalJson } from "./canonical-json.ts";
import { normaliseCidrs } from "./cidrs.ts";
import { normaliseGroupRefs } from "./group-refs.ts";
import { normaliseInterfacePatterns } from "./interfaces.ts";
import { normalisePorts } from "./ports.ts";
import { isSchedule } from "./schedule.ts";
import { PLAN_FORMAT, type PlanLimit } from "./types.ts";

/** A list that must be in the form that `normalise` gives it. */
function normal<T, N>(item: z.ZodType<T>, normalise: (list: readonly T[]) => readonly N[], form: string) {
  return z.array(item).refine((list) => {
    try {
      return canonicalJson(normalise(list)) === canonicalJson(list);
    } catch {
      // What cannot be read has no normal form; the message says what was expected.
      return false;
    }
  }, `must be ${form}`);
}

const port = z.int().min(1).max(65535);
const range = z
  .strictObject({ from: port, to: port })
  .refine(({ from, to }) => from <= to, "must not end before it starts");
const ports = normal(range, normalisePorts, "sorted port ranges that do not touch");
const protocols = z
  .array(z.enum(PROTOCOLS))
  .min(1)
  .refine((list) => new Set(list).size === list.length, "must not repeat");
const name = z.string().regex(DNS_LABEL, "must be a DNS label");

const interfacePattern = z
  .string()
  .max(15)
  .regex(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\+?$/, "must be an interface or a pattern such as eth+");
const interfaceList = normal(interfacePattern, normaliseInterfacePatterns, "sorted, disjoint interface patterns");
const interfaces = z.strictObject({ include: interfaceList, exclude: interfaceList });

const groupRef = z.union(
  [
    z.strictObject({ name: z.string().max(253).regex(DNS_SUBDOMAIN, "must be the name of an address group") }),
    z.strictObject({ selector: labelSelectorSchema }),
    z.strictObject({ nodes: labelSelectorSchema }),
  ],
  "must have exactly one of name, selector and nodes",
);
const peerList = z.strictObject({
  cidrs: normal(z.string(), normaliseCidrs, "sorted, disjoint, canonical CIDRs"),
  groups: z.array(groupRef).transform(normaliseGroupRefs),
});
const peers = z.union(
  [z.literal("Everybody"), peerList],
  'must be "Everybody" or {cidrs, groups}, each group with exactly one of name, selector and nodes',
);

const entry = z.strictObject({ name, peers, ports, protocols });
const direction = z.strictObject({
  ports,
  protocols,
  interfaces,
  trustCluster: z.boolean(),
  allow: z.array(entry),
  deny: z.array(entry),
  defaultAction: z.enum(DEFAULT_ACTIONS),
  existing: z.literal("Cut").exactOptional(),
});

const rate = z.int().min(1).max(10_000);
const newConnections = z
  .strictObject({ limit: rate, per: z.enum(LIMIT_UNITS), burst: rate })
  .refine(earnedWithinADay, "must have a burst that is earned within a day, which is what the kernel can count");
const limit = z
  .strictObject({
    name,
    ports,
    protocols,
    interfaces,
    prefixLength: z.strictObject({ ipv4: z.int().min(0).max(32), ipv6: z.int().min(0).max(128) }),
    exempt: peerList,
    newConnections: newConnections.exactOptional(),
    maxConcurrent: z.int().min(1).max(MAX_CONCURRENT).exactOptional(),
  })
  .transform(({ newConnections: rated, maxConcurrent, ...scope }, context): PlanLimit => {
    if (rated !== undefined && maxConcurrent === undefined) return { ...scope, newConnections: rated };
    if (rated === undefined && maxConcurrent !== undefined) return { ...scope, maxConcurrent };
    context.addIssue("must have exactly one of newConnections and maxConcurrent");
    return z.NEVER;
  });

const level = z.enum(LEVELS);
const processName = z.string().max(255).regex(PROCESS_NAME, "must be the name of a process");

export const planSchema = z.strictObject({
  format: z.literal(PLAN_FORMAT),
  ephemeralPorts: z
    .strictObject({
      range: range.exactOptional(),
      reserved: ports,
      nodePorts: range.exactOptional(),
      persist: z.boolean(),
      pods: z.literal("Inject").exactOptional(),
    })
    .exactOptional(),
  sysctls: sysctlsSchema,
  inbound: direction.exactOptional(),
  outbound: direction.exactOptional(),
  rateLimits: z.array(limit),
  monitoring: z
    .strictObject({
      listeners: z
        .strictObject({
          expected: z.array(z.strictObject({ ports: range, process: processName.exactOptional() })),
          unexpected: z.enum(["Report", "Ignore"]),
        })
        .exactOptional(),
      dropLog: z.strictObject({ perMinute: z.int().min(1).max(6000) }).exactOptional(),
    })
    .exactOptional(),
  audit: z
    .strictObject({
      schedule: z.string().max(128).refine(isSchedule, "must be a cron schedule of five fields"),
      mandatoryAccessControl: level,
      pendingUpdates: level,
      automaticUpdates: z.enum(AUTOMATIC_LEVELS),
      plaintextProtocols: level,
      exposure: level,
      skipProbes: ports,
    })
    .exactOptional(),
  confirmTimeoutSeconds: confirmTimeoutSeconds.exactOptional(),
});
