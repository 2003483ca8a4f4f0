import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type AgentLab, startAgentLab } from "../agent/agent-lab.ts";
import { seeded } from "./random-states.ts";
import { streamOverUpdates } from "./stream-over-updates.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const sources = ["203.0.113.7", "203.0.113.8", "192.0.2.7", "192.0.2.8", "198.51.100.9", "198.51.100.10"];
/** 1,000 of them: `node bench/updates.ts`. */
const UPDATES = 30;

let lab: AgentLab;
beforeAll(async () => {
  lab = await startAgentLab(sources.map((source) => `${source}/24`));
});
afterAll(() => lab?.close());

it("random updates lose no packet that the states before and behind pass, and let none through that both drop", async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  await lab.startAgent(["--prime-seconds", "2"]);
  const { passing, dropped, flows } = await streamOverUpdates(lab, sources, { updates: UPDATES, random: seeded(seed) });
  expect({ lost: passing.lost, through: dropped.through, seed }).toEqual({ lost: [], through: [], seed });
  expect(flows.echoed).toBe(flows.sent);
  // Or it would show nothing.
  for (const { sent } of [passing, dropped, flows]) expect(sent).toBeGreaterThan(UPDATES * 5);
});
