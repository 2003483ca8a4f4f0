import { expect, it } from "vitest";
import { measurePreview } from "../../../bench/preview.ts";

it("is worked out for 1,000 nodes with 50 listeners each in less than three seconds of the processor", () => {
  const before = process.cpuUsage();
  const { measured } = measurePreview(1);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(3);
  expect(measured).toBeDefined();
});
