import * as z from "zod";
import { withRules } from "./rule.ts";

const PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
/** Pattern of `8080` or `30000-32767`, both within 1-65535. */
export const PORT_PATTERN = `^${PORT}(-${PORT})?$`;
/** Pattern of `30000-32767` only. */
export const PORT_RANGE_PATTERN = `^${PORT}-${PORT}$`;
const PORT_REGEX = new RegExp(PORT_PATTERN);

/** A port (`9100`, `"9100"`) or a range (`"30000-32767"`), as users write it. */
export type Port = number | string;

/** The ends of a valid `Port`, both inclusive. */
export function portBounds(port: Port): { from: number; to: number } {
  const [from, to] = String(port).split("-").map(Number);
  return { from: from ?? Number.NaN, to: to ?? from ?? Number.NaN };
}

function isPort(value: unknown): value is Port {
  if (typeof value === "number") return Number.isInteger(value) && value >= 1 && value <= 65535;
  return typeof value === "string" && PORT_REGEX.test(value);
}

export const portSchema = withRules(
  z.custom<Port>(isPort, 'must be a port (9100) or a range ("30000-32767") within 1-65535').meta({
    "x-kubernetes-int-or-string": true,
    minimum: 1,
    maximum: 65535,
    maxLength: 11,
    pattern: PORT_PATTERN,
    description: 'A port (9100) or a range ("30000-32767"), both ends included.',
  }),
  [
    {
      cel: "type(self) == int || !self.contains('-') || int(self.substring(0,self.indexOf('-'))) <= int(self.substring(self.indexOf('-')+1))",
      message: "the range must not end before it starts: write the lower port first",
      holds: (port) => portBounds(port).from <= portBounds(port).to,
    },
  ],
);

/** A list of ports and ranges. */
export function portList(minItems: 0 | 1, maxItems: number) {
  return z.array(portSchema).min(minItems).max(maxItems);
}

export const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
export const protocolList = z.array(z.enum(PROTOCOLS)).min(1).max(PROTOCOLS.length);
