import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { portSchema } from "./ports.ts";

/** One line of printable ASCII without a blank at either end. */
export const PROCESS_NAME = /^[!-~]([ -~]*[!-~])?$/;

const expectedListenerSchema = z
  .strictObject({
    port: portSchema,
    process: z
      .string()
      .max(255)
      .regex(PROCESS_NAME, "must be the name of a process, as ss -p prints it, or of its program")
      .optional()
      .describe("Name of the process, as ss -p prints it, or of its program. Absent: whichever it is."),
  })
  .describe("A listener that is meant to be there.");

export const monitoringSchema = z.strictObject({
  listeners: z
    .strictObject({
      expected: z
        .array(expectedListenerSchema)
        .max(64)
        .optional()
        .describe(
          "Listeners that are meant to be on the ports of firewall.inbound (without that: 1024-65535). Absent: none is. Each policy adds to " +
            "those of others.",
        ),
      unexpected: defaulted(z.enum(["Report", "Ignore"]), "Report").describe(
        "What becomes of any other listener. Report: it is a finding.",
      ),
    })
    .optional()
    .describe("Which processes listen."),
  dropLog: z
    .strictObject({
      perMinute: z.int32().min(1).max(6000).describe("Most lines that an agent writes in a minute."),
    })
    .optional()
    .describe("Has agents log who is dropped or rejected by this policy, and remember the sources with most packets."),
});
