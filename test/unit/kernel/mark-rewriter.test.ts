import { expect, it } from "vitest";
import { markRewriter as markRewriterOf } from "../../../src/kernel/mark-rewriter.ts";
import type { SavedChains } from "../../../src/kernel/saved-rules.ts";

const markRewriter = (chains: SavedChains, bit = 0x1000) => markRewriterOf(chains, bit);
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

it("looks at the bit that is ours", () => {
  const rule = "-j MARK --set-xmark 0x0/0x80000000";
  expect(markRewriter(saved(rule))).toBeUndefined();
  expect(markRewriter(saved(rule), 0x8000_0000)).toBe(`PREROUTING ${rule}`);
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
