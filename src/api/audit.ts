import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { portList } from "./ports.ts";

/** What a policy asks of a practice. */
export const LEVELS = ["Required", "Report", "Ignore"] as const;
export const AUTOMATIC_LEVELS = ["Ensure", ...LEVELS] as const;
/** What is looked at, each by itself. `capacity` is room for connections: local ports, conntrack. */
export const PRACTICES = [
  "listeners",
  "capacity",
  "accessControl",
  "pendingUpdates",
  "automaticUpdates",
  "protocols",
  "exposure",
] as const;
export type Practice = (typeof PRACTICES)[number];

/** Ordered by how soon somebody should look: the words of the OpenReports API. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Annotation of a policy, or of a Node: its nodes are audited when the value changes. */
export const AUDIT_ANNOTATION = "porthardening.io/audit-at";

export const DEFAULT_SCHEDULE = "0 3 * * *";

const FIELD = "[0-9A-Za-z*/,?#-]+";
/** Five fields; what they mean is judged when the policy is compiled. */
const SCHEDULE = new RegExp(`^${FIELD}( ${FIELD}){4}$`);

const MEANING = "Required: the policy is not Audited where there is one. Report: it is counted. Ignore: nobody looks.";

function level(about: string) {
  return defaulted(z.enum(LEVELS), "Report").describe(`${about} ${MEANING}`);
}

export const auditSchema = z.strictObject({
  schedule: defaulted(
    z.string().max(128).regex(SCHEDULE, 'must be five fields of cron, such as "0 3 * * *"'),
    DEFAULT_SCHEDULE,
  ).describe(
    "When nodes are audited: cron, five fields, UTC, on days that every year has. Nodes are spread over the time until the next one, an hour at most. " +
      "They are audited after a change of the policy as well, and when annotation porthardening.io/audit-at changes.",
  ),
  mandatoryAccessControl: level("Processes on protected ports that neither SELinux nor AppArmor confines."),
  securityUpdates: z
    .strictObject({
      pending: level("Security updates that wait, and reboots that they wait for."),
      automatic: defaulted(z.enum(AUTOMATIC_LEVELS), "Report").describe(
        "Hosts that do not install security updates by themselves. Ensure: agents switch it on, by a file of their own " +
          `that goes with the policy (mode Observe: as Required). ${MEANING}`,
      ),
    })
    .optional()
    .describe("How up to date the host's software is. Absent: both are reported."),
  plaintextProtocols: level(
    "Listeners on protected ports that speak in plain text or with outdated TLS or SSH. Each is connected to, gently, when it is new and at each audit.",
  ),
  skipProbes: portList(0, 64).optional().describe("Ports that are never connected to."),
  exposure: level(
    "Ports that a peer node of the cluster reaches though the policies refuse it, or does not reach though they let it.",
  ),
});
