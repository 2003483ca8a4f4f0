import fc from "fast-check";
import { expect, it } from "vitest";
import type { Opening } from "../../../src/plan/connections.ts";
import { cutSetName, cuts, formatCut } from "../../../src/plan/cut-sets.ts";
import { judge } from "../../../src/plan/judge.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { render } from "../../../src/render/render.ts";
import type { Packet } from "../../../src/simulate/packet.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { anyAssigned, someGroups } from "./policies.ts";

const own = { 4: "198.18.0.1", 6: "2001:db8:18::1" } as const;
const peers = {
  4: "198.51.100.1 198.51.100.9 198.51.100.70 203.0.113.7 203.0.113.200 192.0.2.1 192.0.2.130 10.9.8.7 198.18.0.9 198.18.64.5 198.19.0.10",
  6: "2001:db8:bad::1 2001:db8:1::7 2001:db8:99::1 2001:db9::1 2001:db8:18::9",
} as const;
const anyOpening = fc
  .record({
    direction: fc.constantFrom("Inbound", "Outbound"),
    family: fc.constantFrom(4, 6),
    protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
    port: fc.oneof(fc.constantFrom(22, 53, 80, 1024, 6443, 8443, 65535), fc.integer({ min: 1, max: 65535 })),
    device: fc.constantFrom("eth0", "eth1", "bond0", "cali7", "wan"),
    index: fc.nat(20),
  })
  .map(({ device, index, ...rest }) => {
    const known = peers[rest.family].split(" ");
    const peer = known[index % known.length] ?? "";
    return { device, opening: { ...rest, peer, local: own[rest.family] } satisfies Opening };
  });

function packetOf({ direction, family, protocol, peer, port, local }: Opening, device: string, more: object): Packet {
  const both = { family, protocol: protocol.toLowerCase() as "tcp" | "udp" | "sctp", destinationPort: port, ...more };
  return direction === "Inbound"
    ? { ...both, source: peer, destination: local, destinationType: "LOCAL", in: device }
    : { ...both, source: local, destination: peer, destinationType: "UNICAST", out: device };
}

it("says of every opening what the rules do to it, and which rule decides", () => {
  let refusals = 0;
  fc.assert(
    fc.property(anyAssigned, fc.array(anyOpening, { minLength: 20, maxLength: 20 }), (policies, openings) => {
      const plan = merge(policies, someGroups, DEFAULT_NODE_SETTINGS);
      const simulated = simulator(render(plan));
      const { refusal } = judge(plan);
      for (const { opening, device } of openings) {
        const { verdict, decidedBy } = simulated(packetOf(opening, device, {}));
        const refused = refusal(opening, device);
        expect([opening, device, refused !== undefined]).toEqual([opening, device, verdict !== "Passed"]);
        if (refused === undefined) continue;
        refusals += 1;
        expect(refused).toMatchObject({ policy: decidedBy?.policy, entry: decidedBy?.entry });
      }
    }),
    { numRuns: 200 },
  );
  expect(refusals).toBeGreaterThan(100);
});

it("cuts what is in the sets only where the rules refuse it: a set that is wrong cuts nothing", () => {
  let cut = 0;
  fc.assert(
    fc.property(anyAssigned, fc.array(anyOpening, { minLength: 20, maxLength: 20 }), (policies, openings) => {
      const plan = merge(policies, someGroups, DEFAULT_NODE_SETTINGS);
      const rules = render(plan);
      const { refusal } = judge(plan);
      const filled = rules.sets.map((set) => {
        const mine = openings.filter(({ opening }) => cutSetName(opening.direction, opening.family) === set.name);
        return mine.length === 0 ? set : { ...set, entries: mine.map(({ opening }) => formatCut(opening)) };
      });
      const [without, withAll] = [simulator(rules), simulator({ ...rules, sets: filled })];
      for (const { opening, device } of openings) {
        // SCTP is told by its chunks, and the simulator knows the first one only.
        if (opening.protocol === "SCTP") continue;
        const packet = packetOf(opening, device, { syn: false, state: "ESTABLISHED" });
        expect(without(packet).verdict).toBe("Passed");
        const inScope = directionOf(plan, opening).some(({ protocols }) => protocols.includes(opening.protocol));
        const refused = cuts(plan, opening.direction) && inScope && refusal(opening, device) !== undefined;
        expect([opening, device, withAll(packet).verdict !== "Passed"]).toEqual([opening, device, refused]);
        if (refused) cut += 1;
      }
    }),
    { numRuns: 200 },
  );
  expect(cut).toBeGreaterThan(50);
});

const directionOf = (plan: ReturnType<typeof merge>, { direction }: Opening) =>
  direction === "Inbound" ? plan.inbound : plan.outbound;
