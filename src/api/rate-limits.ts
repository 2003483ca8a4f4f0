import * as z from "zod";
import { interfacesSchema } from "./interfaces.ts";
import { keyedList, labelName } from "./named.ts";
import { peerSchema } from "./peers.ts";
import { portList, protocolList } from "./ports.ts";
import { withRules } from "./rule.ts";

export const LIMIT_UNITS = ["Second", "Minute", "Hour", "Day"] as const;

const UNIT_SECONDS: Readonly<Record<(typeof LIMIT_UNITS)[number], number>> = {
  Second: 1,
  Minute: 60,
  Hour: 3600,
  Day: 86400,
};
const DAY_SECONDS = 86400;

interface Rate {
  readonly limit: number;
  readonly per: (typeof LIMIT_UNITS)[number];
  readonly burst: number;
}

/**
 * The kernel counts credits of HZ x 2^n a second in 64 bits, sized to hold one day (xt_hashlimit.c, MAX_CPJ). A burst
 * that takes longer to earn wraps around: 1/Day burst 5 is refused by iptables, and 1/Hour burst 100 is accepted but
 * lets 25 through.
 */
export function earnedWithinADay({ limit, per, burst }: Rate): boolean {
  return burst * UNIT_SECONDS[per] <= limit * DAY_SECONDS;
}

const newConnectionsSchema = withRules(
  z.strictObject({
    limit: z
      .int()
      .min(1)
      .max(10000)
      .describe("New connections that may be opened per unit in the long run: by each source, or by all together."),
    per: z.enum(LIMIT_UNITS).describe("Unit of time of limit."),
    burst: z
      .int()
      .min(1)
      .max(10000)
      .describe(
        "New connections that may be opened at once. Must be earned within a day: burst x per / limit <= 24 h.",
      ),
  }),
  [
    {
      cel: "self.burst * {'Second': 1, 'Minute': 60, 'Hour': 3600, 'Day': 86400}[self.per] <= self.limit * 86400",
      message:
        "must be earned within a day (burst x per / limit <= 24 h), or the kernel's counter overflows: lower burst or raise limit",
      field: "burst",
      holds: earnedWithinADay,
    },
  ],
);

/** The kernel walks all counted connections at each new one (nf_conncount.c): the bound keeps that walk short. */
export const MAX_CONCURRENT = 10000;

const prefixLengthSchema = z.strictObject({
  ipv4: z.int().min(1).max(32).optional().describe("Leading bits of an IPv4 address that make a source. Absent: 32."),
  ipv6: z.int().min(1).max(128).optional().describe("Leading bits of an IPv6 address that make a source. Absent: 64."),
});

const rateLimitSchema = withRules(
  z.strictObject({
    name: labelName("Unique within the list; stands in rule comments, status and messages."),
    ports: portList(1, 16).optional().describe("Destination ports that are counted together. Absent: 1024-65535."),
    protocols: protocolList
      .optional()
      .describe(
        "Absent: TCP. newConnections counts every datagram of one-way UDP, and maxConcurrent counts a UDP flow until " +
          "conntrack forgets it, so UDP must be asked for.",
      ),
    interfaces: interfacesSchema.optional().describe("Interfaces that are counted. Absent: every one but lo."),
    scope: z
      .enum(["PerSource", "Total"])
      .optional()
      .describe(
        "PerSource: each source has the limit for itself. Total: all sources share it, those of IPv4 and those of IPv6 " +
          "each among themselves. Absent: PerSource.",
      ),
    prefixLength: prefixLengthSchema
      .optional()
      .describe("What counts as one source, where scope is PerSource. Absent: an IPv4 address, an IPv6 /64."),
    exempt: z
      .array(peerSchema)
      .max(16)
      .optional()
      .describe(
        "Sources that are neither counted nor limited; the trusted cluster always is exempt. Absent: nobody else.",
      ),
    newConnections: newConnectionsSchema
      .optional()
      .describe("Limit on the rate of new connections. What exceeds it is dropped."),
    maxConcurrent: z
      .int()
      .min(1)
      .max(MAX_CONCURRENT)
      .optional()
      .describe(
        "Connections that may stand at a time; what would be one more is dropped, and closing one frees its place. " +
          "Connections from before this entry was set or edited are not counted.",
      ),
  }),
  [
    {
      cel: "has(self.newConnections) != has(self.maxConcurrent)",
      message: "must have exactly one of newConnections and maxConcurrent",
      holds: ({ newConnections, maxConcurrent }) => (newConnections === undefined) !== (maxConcurrent === undefined),
    },
    {
      cel: "!has(self.prefixLength) || !has(self.scope) || self.scope != 'Total'",
      message: "must be absent where scope is Total: all sources are counted together there",
      field: "prefixLength",
      holds: ({ scope, prefixLength }) => scope !== "Total" || prefixLength === undefined,
    },
  ],
).describe("A limit on traffic that would pass otherwise.");

export const rateLimitsSchema = keyedList(rateLimitSchema, ["name"], 16);
