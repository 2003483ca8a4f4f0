import { expect, it } from "vitest";
import { merge } from "../../../src/plan/merge.ts";
import { parseNodePortRange } from "../../../src/plan/node-port-range.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { assigned } from "./policies.ts";

const ports = (name: string, ephemeralPorts: object, priority = 0) => assigned({ priority, ephemeralPorts }, name);
const warnings = (...policies: ReturnType<typeof ports>[]) => merge(policies, [], DEFAULT_NODE_SETTINGS).warnings;

it("warns the policy whose range holds NodePorts, naming them and the way out", () => {
  expect(warnings(ports("a", { range: "31000-40000" }))).toEqual([
    {
      policy: "a",
      reason: "NodePortsInRange",
      message: expect.stringMatching(/NodePorts 31000-32767:.*reserveNodePorts: true/),
    },
  ]);
});

it("is content where this or another policy reserves them, or another range wins", () => {
  expect(warnings(ports("a", { range: "31000-40000", reserveNodePorts: true }))).toEqual([]);
  expect(warnings(ports("a", { range: "31000-40000" }), ports("b", { reserveNodePorts: true }))).toEqual([]);
  expect(warnings(ports("a", { range: "31000-40000" }), ports("b", { range: "49152-65535" }, 1))).toEqual([]);
});

it("names only the NodePorts that are left in the range", () => {
  const [warning] = warnings(ports("a", { range: "31000-40000" }), ports("b", { reserved: ["31000-32000"] }));
  expect(warning?.message).toContain("NodePorts 32001-32767:");
});

it("warns where what several policies reserve leaves too few ports, which no admission can see", () => {
  const [warning] = warnings(ports("a", { range: "50000-51100" }), ports("b", { reserved: ["50000-50100"] }));
  expect(warning).toMatchObject({
    policy: "a",
    reason: "FewPortsLeft",
    message: expect.stringContaining("leave 1000 ports"),
  });
});

it.each([
  ["30000-32767", { from: 30000, to: 32767 }],
  ["30000+2767", { from: 30000, to: 32767 }],
  ["30080", { from: 30080, to: 30080 }],
])("reads %s as kube-apiserver does", (text, range) => {
  expect(parseNodePortRange(text)).toEqual(range);
});

it.each(["", "all", "32767-30000", "0-10", "65000+1000", "30000-"])("refuses %j as a range of NodePorts", (text) => {
  expect(() => parseNodePortRange(text)).toThrow(RangeError);
});
