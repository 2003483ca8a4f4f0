import fc from "fast-check";
import { expect, it } from "vitest";
import type { Mode } from "../../../src/api/mode.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { render } from "../../../src/render/render.ts";
import type { Packet } from "../../../src/simulate/packet.ts";
import { simulator } from "../../../src/simulate/simulate.ts";
import { anyAssigned, someGroups } from "../plan/policies.ts";

const addresses4 = [
  "198.51.100.1",
  "198.51.100.200",
  "203.0.113.7",
  "192.0.2.9",
  "192.0.2.130",
  "198.18.0.1",
  "198.18.64.5",
];
const addresses6 = ["2001:db8:bad::1", "2001:db8:1::1", "2001:db8:5::1", "2001:db8:18::1"];
const port = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(1024, 8443, 22, 10250));
const device = fc.constantFrom("eth0", "eth1", "bond0", "cni0", "wg0");
const protocol = fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const);

const packet: fc.Arbitrary<Packet> = fc
  .record({ six: fc.boolean(), out: fc.boolean(), at: fc.nat(), port, device, protocol })
  .map(({ six, out, at, port: destinationPort, device: name, protocol: said }): Packet => {
    const list = six ? addresses6 : addresses4;
    const other = list[at % list.length] ?? "";
    const own = six ? "2001:db8:18::11" : "198.18.0.11";
    const common = { family: six ? 6 : 4, protocol: said, destinationPort } as const;
    return out
      ? { ...common, source: own, destination: other, destinationType: "UNICAST", out: name }
      : { ...common, source: other, destination: own, destinationType: "LOCAL", in: name };
  });

const modes = fc.array(fc.constantFrom<Mode>("Enforce", "Observe"), { minLength: 4, maxLength: 4 });
const policies = fc
  .tuple(anyAssigned, modes)
  .map(([assigned, chosen]) =>
    assigned.map((one, index): AssignedPolicy => ({ ...one, mode: chosen[index] ?? "Enforce" })),
  );

const rulesOf = (assigned: readonly AssignedPolicy[]) => render(merge(assigned, someGroups, DEFAULT_NODE_SETTINGS));
const enforcing = (assigned: readonly AssignedPolicy[]) => assigned.filter(({ mode }) => mode === "Enforce");
const withoutObservers = ({ tables, sets: _, counted: __, ...rest }: ReturnType<typeof rulesOf>) => ({
  ...rest,
  tables: tables.map(({ chains, hooks, ...table }) => ({
    ...table,
    chains: chains.filter(({ name }) => !name.startsWith("PH-W")),
    hooks: hooks
      .map((hook) => ({ ...hook, rules: hook.rules.filter((rule) => !/ -j PH-W\S+$/.test(rule)) }))
      .filter(({ rules }) => rules.length > 0),
  })),
});

it("whatever observes, what is enforced is what would be enforced without it", () => {
  const property = fc.property(policies, (assigned) => {
    expect(withoutObservers(rulesOf(assigned))).toEqual(withoutObservers(rulesOf(enforcing(assigned))));
  });
  fc.assert(property, { numRuns: 60 });
});

it("counts exactly the packets of which the verdict would differ if all were enforced, and changes none", () => {
  const seen = { drop: 0, open: 0 };
  const property = fc.property(policies, fc.array(packet, { minLength: 30, maxLength: 30 }), (assigned, packets) => {
    const all = assigned.map((one) => ({ ...one, mode: "Enforce" as const }));
    const readings = [assigned, enforcing(assigned), all].map((some) => simulator(rulesOf(some)));
    for (const one of packets) {
      const [is, was, would] = readings.map((read) => read(one));
      expect(is?.verdict).toBe(was?.verdict);
      expect(is?.decidedBy).toEqual(was?.decidedBy);
      expect(is?.mayBeLimitedBy).toEqual(was?.mayBeLimitedBy);
      const passed = was?.verdict === "Passed";
      const passes = would?.verdict === "Passed";
      const change = passed === passes ? [] : [passed ? "BeDropped" : "Pass"];
      expect(is?.observed.map((ref) => ref.would).filter((ref) => ref !== "MayBeDropped")).toEqual(change);
      if (passed && !passes) seen.drop += 1;
      if (!passed && passes) seen.open += 1;
      const limits = (would?.mayBeLimitedBy ?? []).map(({ policy, entry }) => `${policy}/${entry}`);
      const observing = new Set(assigned.filter(({ mode }) => mode === "Observe").map(({ name }) => name));
      const counted = (is?.observed ?? []).filter((ref) => ref.would === "MayBeDropped");
      if (passed && passes)
        expect(counted.map(({ policy, entry }) => `${policy}/${entry}`)).toEqual(
          limits.filter((limit) => observing.has(limit.split("/")[0] ?? "")),
        );
    }
  });
  fc.assert(property, { numRuns: 40 });
  // What it is about does not come up in every forty: of these it is known that it does.
  fc.assert(property, { numRuns: 40, seed: 6 });
  expect(seen.drop).toBeGreaterThan(0);
  expect(seen.open).toBeGreaterThan(0);
});
