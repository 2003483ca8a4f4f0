import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PRACTICES } from "../../../src/api/audit.ts";
import { nodeAudit, type PolicyAudit } from "../../../src/plan/node-audit.ts";
import { containsPorts, subtractPorts, unionPorts } from "../../../src/plan/ports.ts";
import type { Level } from "../../../src/plan/types.ts";
import { anyAssigned, assigned } from "./policies.ts";

const EPHEMERAL = [{ from: 1024, to: 65535 }];
const port = (from: number, to = from) => ({ from, to });
const inbound = (...ports: readonly (number | string)[]) => ({ firewall: { inbound: { ports } } });
const IGNORED = {
  listeners: "Ignore",
  capacity: "Report",
  accessControl: "Ignore",
  pendingUpdates: "Ignore",
  automaticUpdates: "Ignore",
  protocols: "Ignore",
  exposure: "Ignore",
};
const REPORTED = {
  ...IGNORED,
  accessControl: "Report",
  pendingUpdates: "Report",
  automaticUpdates: "Report",
  protocols: "Report",
  exposure: "Report",
};

describe("nodeAudit", () => {
  it("asks nothing where no policy says audit or listeners, a log of drops included", () => {
    expect(nodeAudit([])).toBeUndefined();
    expect(nodeAudit([assigned(inbound(443)), assigned({ monitoring: { dropLog: { perMinute: 1 } } }, "b")])).toBe(
      undefined,
    );
  });

  it("reports all but listeners of a policy with an empty audit, on the ports that it judges", () => {
    const found = nodeAudit([assigned({ ...inbound(443, "8000-9000"), audit: {} })]);
    const ports = [port(443), port(8000, 9000)];
    expect(found).toEqual({
      policies: [{ policy: "workers", levels: REPORTED, ports }],
      levels: REPORTED,
      protectedPorts: ports,
      portsOf: {
        listeners: [],
        capacity: ports,
        accessControl: ports,
        pendingUpdates: ports,
        automaticUpdates: ports,
        protocols: ports,
        exposure: ports,
      },
      skipProbes: [],
      schedules: ["0 3 * * *"],
      ensureAutomaticUpdates: [],
    });
  });

  it("watches the listeners on 1024-65535 of a policy that judges nothing inbound", () => {
    const outbound = { firewall: { outbound: { ports: [443] } } };
    for (const spec of [{}, { firewall: {} }, outbound]) {
      const found = nodeAudit([assigned({ ...spec, monitoring: { listeners: { expected: [{ port: 9100 }] } } })]);
      expect(found).toMatchObject({
        policies: [{ policy: "workers", ports: EPHEMERAL, levels: { ...IGNORED, listeners: "Report" } }],
        protectedPorts: EPHEMERAL,
        expected: [{ ports: port(9100) }],
        schedules: [],
      });
    }
  });

  it("says which listeners are expected only where somebody says listeners, though it be none", () => {
    expect(nodeAudit([assigned({ audit: {} })])).not.toHaveProperty("expected");
    expect(nodeAudit([assigned({ audit: {}, monitoring: { dropLog: { perMinute: 1 } } })])).not.toHaveProperty(
      "expected",
    );
    expect(nodeAudit([assigned({ monitoring: { listeners: {} } })])?.expected).toEqual([]);
  });

  it("joins what policies expect, protect and skip, and has each schedule once", () => {
    const one = assigned(
      {
        ...inbound(443),
        monitoring: { listeners: { expected: [{ port: 443, process: "nginx" }] } },
        audit: { skipProbes: [5000, "5001-5002"], schedule: "0 4 * * *" },
      },
      "one",
    );
    const two = assigned({ ...inbound("444-500"), audit: { skipProbes: ["5002-5010"] } }, "two");
    const three = assigned(
      { monitoring: { listeners: { expected: [{ port: 9100 }] } }, audit: { schedule: "0 4 * * *" }, ...inbound(9100) },
      "three",
    );
    expect(nodeAudit([two, three, one])).toMatchObject({
      protectedPorts: [port(443, 500), port(9100)],
      expected: [{ ports: port(443), process: "nginx" }, { ports: port(9100) }],
      skipProbes: [port(5000, 5010)],
      schedules: ["0 3 * * *", "0 4 * * *"],
    });
  });

  it("takes the strictest level, and looks at a practice on nobody's ports but those of who asks", () => {
    const strict = assigned({ ...inbound(8443), audit: { plaintextProtocols: "Required" } }, "strict");
    const lax = assigned({ ...inbound(9100), audit: { plaintextProtocols: "Ignore" } }, "lax");
    const found = nodeAudit([strict, lax]);
    expect(found?.levels.protocols).toBe("Required");
    expect(found?.portsOf.protocols).toEqual([port(8443)]);
    expect(found?.portsOf.accessControl).toEqual([port(8443), port(9100)]);
  });

  it("requires automatic updates where a policy ensures them, and names those policies", () => {
    const ensuring = (mode: string, name: string) =>
      assigned({ mode, audit: { securityUpdates: { automatic: "Ensure" } } }, name);
    const found = nodeAudit([ensuring("Enforce", "b"), ensuring("Observe", "c"), ensuring("Enforce", "a")]);
    expect(found?.levels.automaticUpdates).toBe("Required");
    expect(found?.ensureAutomaticUpdates).toEqual(["a", "b"]);
    expect(found?.policies.map(({ levels }) => levels.automaticUpdates)).toEqual(["Required", "Required", "Required"]);
  });

  it("does not depend on the order of the policies", () => {
    fc.assert(
      fc.property(anyAssigned, fc.integer(), (policies, turns) => {
        const at = policies.length === 0 ? 0 : Math.abs(turns) % policies.length;
        expect(nodeAudit([...policies.slice(at), ...policies.slice(0, at)].toReversed())).toEqual(nodeAudit(policies));
      }),
    );
  });

  it("never asks less than one of its policies does alone", () => {
    const order: readonly Level[] = ["Ignore", "Report", "Required"];
    fc.assert(
      fc.property(anyAssigned, (policies) => {
        const all = nodeAudit(policies);
        for (const policy of policies) {
          const alone = nodeAudit([policy]);
          if (alone === undefined) continue;
          if (all === undefined) throw new Error(`nobody asks for what ${policy.name} asks`);
          for (const practice of PRACTICES) {
            const [mine, ours] = [alone, all].map(({ levels }) => order.indexOf(levels[practice]));
            expect(ours).toBeGreaterThanOrEqual(mine ?? Number.NaN);
            expect(containsPorts(all.portsOf[practice], alone.portsOf[practice])).toBe(true);
          }
          expect(containsPorts(all.protectedPorts, alone.protectedPorts)).toBe(true);
          expect(containsPorts(all.skipProbes, alone.skipProbes)).toBe(true);
          expect(all.schedules).toEqual(expect.arrayContaining([...alone.schedules]));
          expect(all.expected ?? []).toEqual(expect.arrayContaining([...(alone.expected ?? [])]));
        }
      }),
    );
  });

  it("asks nothing that none of its policies asks", () => {
    fc.assert(
      fc.property(anyAssigned, (policies) => {
        const all = nodeAudit(policies);
        const parts = policies.flatMap((policy) => nodeAudit([policy]) ?? []);
        if (all === undefined) {
          expect(parts).toEqual([]);
          return;
        }
        const asking = (practice: keyof PolicyAudit["levels"]) => parts.map(({ levels }) => levels[practice]);
        for (const practice of PRACTICES) {
          expect(asking(practice)).toContain(all.levels[practice]);
          const ports = unionPorts(...parts.map(({ portsOf }) => portsOf[practice]));
          expect(subtractPorts(all.portsOf[practice], ports)).toEqual([]);
          if (all.levels[practice] === "Ignore") expect(all.portsOf[practice]).toEqual([]);
        }
        expect(all.expected === undefined).toBe(parts.every(({ expected }) => expected === undefined));
        expect(all.policies).toEqual(parts.flatMap(({ policies: one }) => one));
      }),
    );
  });
});
