import { bad, badNull, good, many, policy, type Sample } from "./sample.ts";

const audit = (fields: unknown) => policy({ audit: fields });
const updates = (fields: unknown) => audit({ securityUpdates: fields });

const SCHEDULE = "spec.audit.schedule";
const good5 = (schedule: string) => good(`the schedule ${JSON.stringify(schedule)}`, audit({ schedule }));
const bad5 = (name: string, schedule: string) =>
  bad(name, audit({ schedule }), SCHEDULE, "must be five fields of cron", "should match");

/** The same of each practice that has three levels. */
function levels(field: string): Sample[] {
  const path = `spec.audit.${field}`;
  const says = "must be Required or Report or Ignore";
  return [
    ...["Required", "Report", "Ignore"].map((level) => good(`${field} at level ${level}`, audit({ [field]: level }))),
    good(`null for the level of ${field}`, audit({ [field]: null })),
    bad(`${field} at a level of no name`, audit({ [field]: "Enforce" }), path, says, "supported values"),
    bad(`${field} at a level in lower case`, audit({ [field]: "report" }), path, says, "supported values"),
    bad(`${field} ensured, which nobody can`, audit({ [field]: "Ensure" }), path, says, "supported values"),
  ];
}

export const auditSamples: readonly Sample[] = [
  good("no field of audit", audit({})),
  good("an audit where the policy observes", policy({ mode: "Observe", audit: { securityUpdates: {} } })),
  badNull("null for audit", audit(null), "spec.audit"),
  bad("true for audit", audit(true), "spec.audit", "must be an object", "must be of type object"),
  bad("an unknown practice", audit({ encryption: "Report" }), "spec.audit.encryption", "unknown field"),

  good5("0 3 * * *"),
  good5("*/15 0-6,22 1,15 JAN-jun MON-FRI"),
  good5("0 3 L * ?"),
  good5("0 3 15W * 5#2"),
  good("a schedule of 128 characters", audit({ schedule: `${"0,".repeat(59)}59 3 * * *`.padStart(128, "0") })),
  good("null for the schedule", audit({ schedule: null })),
  bad5("a schedule of four fields", "0 3 * *"),
  bad5("a schedule of six fields", "0 0 3 * * *"),
  bad5("a schedule by a name", "@daily"),
  bad5("an empty schedule", ""),
  bad5("a schedule with two blanks between its fields", "0  3 * * *"),
  bad5("a schedule that begins with a blank", " 0 3 * * *"),
  bad5("a schedule with a tab", "0\t3 * * *"),
  bad5("a schedule with a new line at its end", "0 3 * * *\n"),
  bad5("a schedule with a time zone", "TZ=Europe/Berlin 3 * * *"),
  bad(
    "a schedule of 129 characters",
    audit({ schedule: `${"0,".repeat(59)}59 3 * * *`.padStart(129, "0") }),
    SCHEDULE,
    "at most 128 characters",
    "may not be more than 128 bytes",
  ),
  bad("a schedule as a number", audit({ schedule: 3 }), SCHEDULE, "put it in quotes", "must be of type string"),

  ...levels("mandatoryAccessControl"),
  ...levels("plaintextProtocols"),
  ...levels("exposure"),

  good("no field of securityUpdates", updates({})),
  ...["Ensure", "Required", "Report", "Ignore"].map((level) =>
    good(`automatic updates at level ${level}`, updates({ automatic: level })),
  ),
  good("pending updates required to be none", updates({ pending: "Required", automatic: "Ensure" })),
  good("null for both levels of updates", updates({ pending: null, automatic: null })),
  badNull("null for securityUpdates", updates(null), "spec.audit.securityUpdates"),
  bad(
    "pending updates ensured, which would install them",
    updates({ pending: "Ensure" }),
    "spec.audit.securityUpdates.pending",
    "must be Required or Report or Ignore",
    "supported values",
  ),
  bad(
    "automatic updates at a level of no name",
    updates({ automatic: "On" }),
    "spec.audit.securityUpdates.automatic",
    "must be Ensure or Required or Report or Ignore",
    "supported values",
  ),
  bad(
    "an unknown kind of updates",
    updates({ kernel: "Report" }),
    "spec.audit.securityUpdates.kernel",
    "unknown field",
  ),

  good("ports that are never probed", audit({ skipProbes: [5432, "6000-6063", "1"] })),
  good("no port that is never probed", audit({ skipProbes: [] })),
  good("64 ports that are never probed", audit({ skipProbes: many(64, (n) => 2000 + 2 * n) })),
  badNull("null for the ports that are never probed", audit({ skipProbes: null }), "spec.audit.skipProbes"),
  bad(
    "65 ports that are never probed",
    audit({ skipProbes: many(65, (n) => 2000 + 2 * n) }),
    "spec.audit.skipProbes",
    "at most 64 items",
  ),
  bad(
    "a port beyond 65535 that is never probed",
    audit({ skipProbes: [65536] }),
    "spec.audit.skipProbes[0]",
    "must be a port",
    "should be less than or equal to 65535",
  ),
  bad(
    "a service by its name that is never probed",
    audit({ skipProbes: ["postgres"] }),
    "spec.audit.skipProbes[0]",
    "must be a port",
    "should match",
  ),
];
