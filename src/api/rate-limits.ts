import * as z from "zod";
import { interfacesSchema } from "./interfaces.ts";
import { keyedList, labelName } from "./named.ts";
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

/**
 * The kernel counts credits of HZ x 2^n a second in 64 bits, sized to hold one day (xt_hashlimit.c, MAX_CPJ). A burst
 * that takes longer to earn wraps around: 1/Day burst 5 is refused by iptables, and 1/Hour burst 100 is accepted but
 * lets 25 through.
 */
const newConnectionsSchema = withRules(
  z.strictObject({
    limit: z.int().min(1).max(10000).describe("New connections that one source may open per unit, in the long run."),
    per: z.enum(LIMIT_UNITS).describe("Unit of time of limit."),
    burst: z
      .int()
      .min(1)
      .max(10000)
      .describe(
        "New connections that one source may open at once. Must be earned within a day: burst x per / limit <= 24 h.",
      ),
  }),
  [
    {
      cel: "self.burst * {'Second': 1, 'Minute': 60, 'Hour': 3600, 'Day': 86400}[self.per] <= self.limit * 86400",
      message:
        "must be earned within a day (burst x per / limit <= 24 h), or the kernel's counter overflows: lower burst or raise limit",
      field: "burst",
      holds: ({ limit, per, burst }) => burst * UNIT_SECONDS[per] <= limit * DAY_SECONDS,
    },
  ],
);

const rateLimitSchema = z
  .strictObject({
    name: labelName("Unique within the list; stands in rule comments, status and messages."),
    ports: portList(1, 16).optional().describe("Destination ports that are counted together. Absent: 1024-65535."),
    protocols: protocolList
      .optional()
      .describe("Absent: TCP. One-way UDP counts every datagram, so UDP must be asked for."),
    interfaces: interfacesSchema.optional().describe("Interfaces that are counted. Absent: every one but lo."),
    newConnections: newConnectionsSchema.describe(
      "Limit on new connections of one source: an IPv4 address or an IPv6 /64. What exceeds it is dropped.",
    ),
  })
  .describe("A limit on traffic that would pass otherwise.");

export const rateLimitsSchema = keyedList(rateLimitSchema, ["name"], 16);
