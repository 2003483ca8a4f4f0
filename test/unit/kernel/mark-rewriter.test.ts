import { expect, it } from "vitest";
import { markRewriter } from "../../../src/kernel/mark-rewriter.ts";

const saved = (...rules: string[]) => new Map([["PREROUTING", rules]]);

it.each([
  "-j MARK --set-xmark 0x5/0xffffffff",
  "-i wg0 -j MARK --set-xmark 0x0/0x1000",
  "-j MARK --set-xmark 0x1000/0x0",
  "-p udp -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
])("finds that %s takes the reject bit", (rule) => {
  expect(markRewriter(saved("-j RETURN", rule))).toBe(`PREROUTING ${rule}`);
});

it.each([
  "-j MARK --set-xmark 0x4000/0x4000",
  "-j MARK --set-xmark 0x1000/0x1000",
  "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff",
  "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
])("finds nothing in %s", (rule) => {
  expect(markRewriter(saved(rule))).toBeUndefined();
});

it("follows jumps into others' chains, not into ours, and ends on a circle", () => {
  const rule = "-j MARK --set-xmark 0x0/0xffffffff";
  const chains = new Map([
    ["PREROUTING", ["-j PH-PRE", "-p tcp -j A"]],
    ["PH-PRE", [rule]],
    ["A", ["-g B"]],
    ["B", ["-j A"]],
  ]);
  expect(markRewriter(chains)).toBeUndefined();
  expect(markRewriter(new Map([...chains, ["B", [rule]]]))).toBe(`B ${rule}`);
  expect(markRewriter(new Map([["OUTPUT", [rule]]]))).toBeUndefined();
});
