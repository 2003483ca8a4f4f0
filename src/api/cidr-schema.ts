import * as z from "zod";
import { isMasked, parseCidr } from "./cidr.ts";
import { withRules } from "./rule.ts";

/** A block of addresses as text, canonical (no bits set right of the prefix). */
export function cidrText(description: string) {
  return withRules(z.string().max(43), [
    {
      cel: "isCIDR(self) && cidr(self).masked() == cidr(self)",
      message: "must be an IPv4 or IPv6 CIDR without host bits, such as 192.0.2.0/24, 192.0.2.7/32 or 2001:db8::/32",
      holds: (text) => {
        const cidr = parseCidr(text);
        return cidr !== undefined && isMasked(cidr);
      },
    },
  ]).describe(description);
}
