import * as z from "zod";
import { withRules } from "./rule.ts";

/** IFNAMSIZ leaves 15 characters; a trailing '+' matches any suffix (iptables(8), --in-interface). */
const interfaceList = z
  .array(
    withRules(
      z
        .string()
        .max(15)
        .regex(
          /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\+?$/,
          "must be the name of an interface, such as eth0; a '+' at its end matches any suffix",
        ),
      [
        {
          cel: "self != 'lo'",
          message: "lo must not be named: loopback is never judged",
          holds: (name) => name !== "lo",
        },
      ],
    ),
  )
  .max(16);

/** Which interfaces a scope or a limit speaks of. */
export const interfacesSchema = z.strictObject({
  include: interfaceList
    .min(1, "must not be empty: leave include out to mean every interface")
    .optional()
    .describe("Interfaces that are judged; a '+' at the end matches any suffix (eth+). Absent: every one but lo."),
  exclude: interfaceList.optional().describe("Interfaces left out of include; same form. Absent: none."),
});
