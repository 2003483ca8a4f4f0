import { describe, expect, it } from "vitest";
import { nextAudit } from "../../../src/agent/audit-schedule.ts";

const noon = Date.parse("2026-01-01T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const nodes = Array.from({ length: 1_000 }, (_, index) => `node-${index}`);

describe("nextAudit", () => {
  it("spreads nodes evenly over an hour from the time of the schedule, which is UTC", () => {
    const three = Date.parse("2026-01-02T03:00:00Z");
    const delays = nodes.map((node) => (nextAudit(["0 3 * * *"], node, noon) ?? 0) - three);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(HOUR);
    for (const quarter of [0, 1, 2, 3]) {
      const among = delays.filter((delay) => Math.floor(delay / (15 * MINUTE)) === quarter);
      expect(among.length).toBeGreaterThan(200);
    }
  });

  it("never delays a node by more than half of the time until the schedule's next time", () => {
    for (const node of nodes) {
      const due = nextAudit(["*/10 * * * *"], node, noon) ?? 0;
      expect((due - noon) % (10 * MINUTE)).toBeLessThanOrEqual(5 * MINUTE);
    }
  });

  it("gives each time once: what is due after a due time is the next one", () => {
    const dues = [noon];
    for (let day = 0; day < 5; day++) dues.push(nextAudit(["0 3 * * *"], "node-1", dues.at(-1) ?? 0) ?? 0);
    const gaps = dues.slice(2).map((due, index) => due - (dues[index + 1] ?? 0));
    expect(gaps).toEqual([24, 24, 24, 24].map((hours) => hours * HOUR));
  });

  it("does not pass a node over whose time comes after the schedule's", () => {
    const due = nextAudit(["0 3 * * *"], "node-1", noon) ?? 0;
    expect(nextAudit(["0 3 * * *"], "node-1", due - 1)).toBe(due);
  });

  it("takes the first of several schedules", () => {
    const [daily, hourly] = ["0 3 * * *", "30 * * * *"];
    expect(nextAudit([daily, hourly], "node-1", noon)).toBe(nextAudit([hourly], "node-1", noon));
  });

  it("knows none of a day that never comes", () => {
    expect(nextAudit(["0 0 30 2 *"], "node-1", noon)).toBeUndefined();
    expect(nextAudit([], "node-1", noon)).toBeUndefined();
  });
});
