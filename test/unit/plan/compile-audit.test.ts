import { Cron } from "croner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompileError } from "../../../src/plan/compile-error.ts";
import { planHash } from "../../../src/plan/plan-hash.ts";
import { scheduleProblem } from "../../../src/plan/schedule.ts";
import { many } from "../api/objects/sample.ts";
import { anySpec, planOf, turned } from "./policies.ts";

const auditOf = (audit: object, spec: object = {}) => planOf({ ...spec, audit }).audit;

describe("an audit in a plan", () => {
  it("reports every practice, at 03:00 UTC, where the policy says no more", () => {
    expect(auditOf({})).toEqual({
      schedule: "0 3 * * *",
      mandatoryAccessControl: "Report",
      pendingUpdates: "Report",
      automaticUpdates: "Report",
      plaintextProtocols: "Report",
      exposure: "Report",
      skipProbes: [],
    });
    expect(auditOf({ securityUpdates: {} })).toEqual(auditOf({}));
  });

  it("is absent where the policy has none", () => {
    expect(planOf({ monitoring: { listeners: {} } })).not.toHaveProperty("audit");
    expect(planOf({ audit: {} })).not.toHaveProperty("monitoring");
  });

  it("says what the policy says", () => {
    expect(
      auditOf({
        schedule: "*/30 2-4 * * MON-FRI",
        mandatoryAccessControl: "Required",
        securityUpdates: { pending: "Ignore", automatic: "Ensure" },
        plaintextProtocols: "Ignore",
        skipProbes: ["5432", 6001, "6000-6010"],
        exposure: "Required",
      }),
    ).toEqual({
      schedule: "*/30 2-4 * * MON-FRI",
      mandatoryAccessControl: "Required",
      pendingUpdates: "Ignore",
      automaticUpdates: "Ensure",
      plaintextProtocols: "Ignore",
      skipProbes: [
        { from: 5432, to: 5432 },
        { from: 6000, to: 6010 },
      ],
      exposure: "Required",
    });
  });

  it.each(["Required", "Report", "Ignore"])("takes %s for automatic updates as it is, in either mode", (automatic) => {
    for (const mode of ["Enforce", "Observe"]) {
      expect(auditOf({ securityUpdates: { automatic } }, { mode })?.automaticUpdates).toBe(automatic);
    }
  });

  it("requires automatic updates where a policy that only observes would ensure them", () => {
    const audit = { securityUpdates: { automatic: "Ensure" } };
    expect(auditOf(audit, { mode: "Observe" })?.automaticUpdates).toBe("Required");
    expect(auditOf(audit, { mode: "Enforce" })?.automaticUpdates).toBe("Ensure");
  });
});

describe("a schedule", () => {
  const error = (schedule: string): CompileError => {
    try {
      auditOf({ schedule });
    } catch (refusal) {
      if (refusal instanceof CompileError) return refusal;
      throw refusal;
    }
    throw new Error("was compiled");
  };

  it.each([
    "* * * * *",
    "59 23 31 12 *",
    "0 0 1 1 *",
    "0 3 ? FEB SUN-TUE",
    "0 3 * 2 5L",
    "*/15 0-6,22 1,15 JAN-jun MON-FRI",
    "0 3 L * ?",
    "0 3 15W * *",
    "0 3 * * SUN#1",
    // The fifth Monday of some month; cron takes either where both days are named.
    "0 3 * * 1#5",
    "0 3 30 2 1",
  ])("%s is compiled", (schedule) => {
    expect(auditOf({ schedule })?.schedule).toBe(schedule);
  });

  it.each([
    ["60 3 * * *", /Invalid value for minute: 60; write five fields, such as "0 3 \* \* \*" for 03:00 UTC every day/],
    ["0 24 * * *", /Invalid value for hour/],
    ["0 3 0 * *", /Invalid value for day/],
    ["0 3 * 13 *", /Invalid value for month/],
    ["0 3 * * 8", /Invalid value for dayOfWeek/],
    ["0 3 * * 1#6", /is no cron schedule: /],
    ["*/0 * * * *", /is no cron schedule: /],
    ["5-1 * * * *", /is no cron schedule: /],
    ["1,,2 * * * *", /is no cron schedule: /],
    ["a b c d e", /is no cron schedule: /],
    ["0 3 30 2 *", /never comes: name days that every year has, such as "0 3 L \* \*"/],
    ["0 3 31 4,6,9,11 *", /never comes/],
    ["0 3 31W 4 *", /never comes/],
    ["0 3 29 2 *", /does not come in some years, such as 2022: name days that every year has/],
    ["0 3 29-31 2 *", /does not come in some years/],
    ["0 3 * 2 1#5", /does not come in some years/],
    ["0 3 * 3 2#5", /does not come in some years/],
  ])("%s is refused, naming the field and the way out, on every install", (schedule, says) => {
    const refusal = error(schedule);
    expect(refusal).toMatchObject({ policy: "workers", field: "spec.audit.schedule", fails: "Everywhere" });
    expect(refusal.message).toMatch(/^PortHardeningPolicy workers: spec\.audit\.schedule: /);
    expect(refusal.reason).toMatch(says);
  });
});

it("a schedule is taken just where it comes in each of 56 years, leap years among them", () => {
  const days = ["*", "29", "31", "31W", "L"];
  const months = ["*", "2", "3,4"];
  const weekdays = ["*", "MON", "TUE#4", "TUE#5"];
  const schedules = days.flatMap((day) =>
    months.flatMap((month) => weekdays.map((weekday) => `0 0 ${day} ${month} ${weekday}`)),
  );
  const comes = (schedule: string, year: number) =>
    new Cron(schedule, { paused: true, timezone: "UTC" }).nextRun(`${year - 1}-12-31T23:59:59`)?.getUTCFullYear() ===
    year;
  const wrong = schedules.filter((schedule) => {
    const always = many(56, (n) => 2001 + n).every((year) => comes(schedule, year));
    return always !== (scheduleProblem(schedule) === undefined);
  });
  expect(wrong).toEqual([]);
});

describe("monitoring in a plan", () => {
  const monitoringOf = (monitoring: object) => planOf({ monitoring }).monitoring;

  it("asks nothing where the policy says nothing", () => {
    expect(planOf({})).not.toHaveProperty("monitoring");
    expect(monitoringOf({})).toEqual({});
  });

  it("reports listeners, of which none is meant to be there, where the policy only says listeners", () => {
    expect(monitoringOf({ listeners: {} })).toEqual({ listeners: { expected: [], unexpected: "Report" } });
    expect(monitoringOf({ listeners: { expected: [] } })).toEqual(monitoringOf({ listeners: {} }));
  });

  it("has expected listeners by port, those of any process ahead, and the bound of the log", () => {
    const expected = [
      { port: "30000-32767" },
      { port: 9100, process: "node_exporter" },
      { port: "9100" },
      { port: "9100-9200", process: "envoy" },
    ];
    expect(monitoringOf({ listeners: { expected, unexpected: "Ignore" }, dropLog: { perMinute: 30 } })).toEqual({
      listeners: {
        expected: [
          { ports: { from: 9100, to: 9100 } },
          { ports: { from: 9100, to: 9100 }, process: "node_exporter" },
          { ports: { from: 9100, to: 9200 }, process: "envoy" },
          { ports: { from: 30000, to: 32767 } },
        ],
        unexpected: "Ignore",
      },
      dropLog: { perMinute: 30 },
    });
  });
});

it("the order of lists and fields leaves no trace in what is watched and audited", () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      const { monitoring, audit } = planOf(spec);
      const other = planOf(turned(spec));
      const hashed = (plan: object) => planHash({ priority: 0, mode: "Enforce", plan: { ...planOf({}), ...plan } });
      expect({ monitoring: other.monitoring, audit: other.audit }).toEqual({ monitoring, audit });
      expect(hashed({ monitoring: other.monitoring, audit: other.audit })).toBe(hashed({ monitoring, audit }));
    }),
  );
});
