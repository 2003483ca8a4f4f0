import { expect, it } from "vitest";
import type { Check } from "../../../src/audit/check.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import { runAudit } from "../../../src/audit/run-audit.ts";
import { recordedSubject } from "./subject.ts";

const passes: Check = {
  name: "passes",
  practice: "listeners",
  title: "",
  run: async () => ({ status: "Checked", examined: 1, findings: [] }),
};

it("goes on after a check that fails, and does not count it as passed", async () => {
  const fails: Check = { ...passes, name: "fails", run: () => Promise.reject(new Error("EACCES: /proc/1/fd")) };
  expect(await runAudit([fails, passes], recordedSubject({}))).toMatchObject([
    { name: "fails", result: { status: "NotChecked", reason: "EACCES: /proc/1/fd" } },
    { name: "passes", result: { status: "Checked" } },
  ]);
});

it("goes on after a check that does not end", async () => {
  const hangs: Check = { ...passes, name: "hangs", run: () => new Promise(() => undefined) };
  const reports = await runAudit([hangs, passes], recordedSubject({}), { timeoutMilliseconds: 10 });
  expect(reports.map(({ result }) => result.status)).toEqual(["NotChecked", "Checked"]);
});

it("passes no check on a host of which nothing is to be seen", async () => {
  const reports = await runAudit(CHECKS, recordedSubject({}));
  expect(reports.filter(({ result }) => result.status === "Checked")).toEqual([]);
});

it("gives every check a name of its own", () => {
  expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
});

it("looks on the ports of those policies alone that want a practice looked at", async () => {
  const looks: Check = {
    ...passes,
    run: async ({ settings }) => ({ status: "NotChecked", reason: settings.protectedPorts.join() }),
  };
  const none = { capacity: [], accessControl: [], pendingUpdates: [], automaticUpdates: [], exposure: [] };
  const portsOf = { ...none, listeners: ["8000-8999"], protocols: [8443] };
  const subject = recordedSubject({ settings: { protectedPorts: ["1-65535"], portsOf } });
  const reports = await runAudit([looks, { ...looks, practice: "protocols" }], subject);
  expect(reports).toMatchObject([{ result: { reason: "8000-8999" } }, { result: { reason: "8443" } }]);
  const [all] = await runAudit([looks], recordedSubject({ settings: { protectedPorts: ["1-65535"] } }));
  expect(all).toMatchObject({ result: { reason: "1-65535" } });
});
