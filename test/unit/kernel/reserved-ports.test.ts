import fc from "fast-check";
import { expect, it } from "vitest";
import { parsePorts, printPorts } from "../../../src/kernel/reserved-ports.ts";

it("reads and prints as the kernel does", () => {
  expect([...parsePorts("8080,50000-50002")]).toEqual([8080, 50000, 50001, 50002]);
  expect(printPorts(parsePorts("50001,50000,50003-50004,50002"))).toBe("50000-50004");
  expect(printPorts(parsePorts(""))).toBe("");
});

it("prints any set of ports so that reading gives it back", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 65_535 })), (ports) => {
      expect(parsePorts(printPorts(ports))).toEqual(new Set(ports.toSorted((a, b) => a - b)));
    }),
  );
});
