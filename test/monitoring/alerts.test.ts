import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { alertCases } from "./alert-cases.ts";
import { alerts, alertsFile } from "./alert-rules.ts";
import { monitoringProgram } from "./programs.ts";
import { type Trial, tryRules } from "./try-rules.ts";

const trials = Object.entries(alertCases).flatMap(([alert, { fires, quiet }]) => [
  { alert, does: "fires", trial: fires },
  ...Object.entries(quiet).map(([why, trial]) => ({ alert, does: `does not fire where ${why}`, trial })),
]);

it("are rules that promtool takes", async () => {
  const promtool = monitoringProgram("promtool");
  const { stdout } = await execa(promtool, ["check", "rules", "--lint=all", "--lint-fatal", alertsFile]);
  expect(stdout).toContain("SUCCESS");
});

it("have each a case in which they fire, and one in which they do not", () => {
  expect(Object.keys(alertCases).toSorted()).toEqual([...alerts().keys()].toSorted());
  for (const [name, { quiet }] of Object.entries(alertCases)) {
    expect(Object.keys(quiet).length, name).toBeGreaterThan(0);
  }
});

describe("an alert", () => {
  let said: readonly string[];
  beforeAll(async () => {
    said = await tryRules(trials);
  });

  it.each(trials.map(({ alert, does }, index) => [`${alert} ${does}`, index] as const))("%s", (_, index) => {
    expect(said[index]).toBe("SUCCESS");
  });
});

it("that does otherwise than its case says is told", async () => {
  const silent = alertCases["PortHardeningAgentDown"]?.quiet["it answers"];
  const fires = alertCases["PortHardeningAgentDown"]?.fires;
  if (silent === undefined || fires === undefined) throw new Error("no such case");
  const wrong: Trial[] = [
    { alert: "PortHardeningAgentDown", trial: { ...fires, series: silent.series } },
    { alert: "PortHardeningAgentDown", trial: { series: fires.series, at: fires.at } },
    { alert: "PortHardeningAgentDown", trial: { ...fires, summary: "something else" } },
  ];
  for (const said of await tryRules(wrong)) expect(said).toContain("FAILED");
});
