import fc from "fast-check";
import { expect, it } from "vitest";
import { decisionOf } from "../../../src/cli/decision.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { render } from "../../../src/render/render.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { arbitraryCase } from "../../differential/arbitrary-case.ts";
import { KEPT } from "../../differential/kept-cases.ts";
import { plainReading } from "../../differential/plain-reading.ts";
import { describeShot, firstPacketOf, packetOf } from "../../differential/shot.ts";
import { foretell, planCase } from "../../differential/three-readings.ts";
import { anyAssigned, someGroups } from "../plan/policies.ts";

it("agrees with a plain reading of the policies about every packet (test/netns asks the kernel too)", () => {
  fc.assert(
    fc.property(arbitraryCase(20), (one) => {
      const found = foretell(render(planCase(one.policies, one.world)), one);
      expect(found.flatMap(({ differs }) => differs)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

it.each(KEPT)("agrees with it on the cases that were kept: $why", (one) => {
  const found = foretell(render(planCase(one.policies, one.world)), one);
  expect(found.flatMap(({ differs }) => differs)).toEqual([]);
});

/** Mistakes put into what is rendered: text of a rule, or of a whole table's rules. */
const MISTAKES: readonly (readonly [string, (rules: readonly string[]) => readonly string[]])[] = [
  [
    "allows before denies",
    (rules) => rules.toSorted((a, b) => Number(a.endsWith("DROP")) - Number(b.endsWith("DROP"))),
  ],
  ["a range that ends one port early", (rules) => rules.map((it) => it.replace(/:(\d+)/g, (_, to) => `:${to - 1}`))],
  ["no service addresses", (rules) => rules.filter((it) => !it.includes("-vips "))],
  ["a wildcard that is none", (rules) => rules.map((it) => it.replace(/(-[io] \w+)\+/, "$1"))],
  ["drops where it should reject", (rules) => rules.map((it) => it.replace(/-j REJECT .*|-g PH-REJECT/, "-j DROP"))],
  ["trusts nobody", (rules) => rules.filter((it) => !/-(nodes|pods|services) (src|dst) -[jg]/.test(it))],
  ["forgets SCTP", (rules) => rules.filter((it) => !it.includes("-p sctp"))],
];

it.each(MISTAKES)("notices, within 3,000 pairs, rules with a mistake: %s", (_mistake, spoil) => {
  const cases = fc.sample(arbitraryCase(20), { numRuns: 150, seed: 1 });
  const noticed = cases.some((one) => {
    const { tables, ...rest } = render(planCase(one.policies, one.world));
    const spoilt = tables.map((table) => ({
      ...table,
      hooks: table.hooks.map((hook) => ({ ...hook, rules: spoil(hook.rules) })),
      chains: table.chains.map((chain) => ({ ...chain, rules: spoil(chain.rules) })),
    }));
    return foretell({ ...rest, tables: spoilt }, one).some(({ differs }) => differs.length > 0);
  });
  expect(noticed).toBe(true);
});

it("has explain name what decided, as the plain reading does", () => {
  const unjudged = ["Loopback", "NotOpened", "OutOfScope", "NothingJudged"];
  fc.assert(
    fc.property(arbitraryCase(20), ({ policies, world, shots }) => {
      const plan = planCase(policies, world);
      const simulated = simulator(render(plan));
      // explain is not told where a service address or NodePort leads to.
      for (const shot of shots.filter(({ target, sender }) => sender === "node" || target.leadsTo === undefined)) {
        const packet = packetOf(shot);
        const { kind } = decisionOf(simulated(packet), packet, plan);
        const said = unjudged.includes(kind) ? "Unjudged" : kind;
        const { because } = plainReading(policies, world, firstPacketOf(shot));
        expect(because.join(" or "), describeShot(shot)).toMatch(new RegExp(`\\b${said}\\b`));
      }
    }),
    { numRuns: 150 },
  );
});

it("understands all that is rendered of any policies", () => {
  fc.assert(
    fc.property(anyAssigned, (policies) => {
      expect(() => simulator(render(merge(policies, someGroups, DEFAULT_NODE_SETTINGS)))).not.toThrow();
    }),
    { numRuns: 100 },
  );
});
