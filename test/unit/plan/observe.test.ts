import { describe, expect, it } from "vitest";
import { cuts } from "../../../src/plan/cut-sets.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import { render } from "../../../src/render/render.ts";
import { assigned, group } from "./policies.ts";

const RANGE = "net.ipv4.ip_local_port_range";
const RESERVED = "net.ipv4.ip_local_reserved_ports";
const SYNCOOKIES = "net.ipv4.tcp_syncookies";

const merged = (...policies: readonly AssignedPolicy[]) => merge(policies, [], DEFAULT_NODE_SETTINGS);
const observing = (spec: object, name = "watch") => assigned({ ...spec, mode: "Observe" }, name);
const limit = { name: "few", newConnections: { limit: 1, per: "Second", burst: 1 } };

describe("merging policies of which some observe", () => {
  it("has nothing to observe where none does", () => {
    expect(Object.keys(merged(assigned({ firewall: { inbound: {} } })))).not.toContain("observed");
  });

  it("enforces nothing of one that observes: no scope, limit, sysctl, range or reserved port", () => {
    const everything = {
      firewall: { inbound: {}, outbound: {} },
      rateLimits: [limit],
      sysctls: { [SYNCOOKIES]: "1" },
      ephemeralPorts: { range: "50000-60000", reserved: [50001] },
    };
    const plan = merged(observing(everything));
    expect([plan.inbound, plan.outbound, plan.rateLimits, plan.sysctls, plan.persist]).toEqual([[], [], [], [], []]);
    expect(plan.ephemeralPorts).toEqual({ reserved: [] });
  });

  it("cuts nothing that is open, whatever one that observes says of it", () => {
    const firewall = { existing: "Cut", inbound: {}, outbound: {} };
    const plan = merged(observing({ firewall }), assigned({ firewall: { inbound: {} } }, "firm"));
    expect([cuts(plan, "Inbound"), cuts(plan, "Outbound")]).toEqual([false, false]);
    expect(render(plan).sets.filter(({ name }) => name.startsWith("ph-cut"))).toEqual([]);
  });

  it("observes all scopes of a direction by precedence, but only the limits of those that observe", () => {
    const { observed } = merged(
      assigned({ firewall: { inbound: {}, outbound: {} }, rateLimits: [limit] }, "firm"),
      observing({ firewall: { inbound: {} }, rateLimits: [limit], priority: 1 }),
    );
    expect(observed?.policies).toEqual(["watch"]);
    expect(observed?.inbound.map(({ policy }) => policy)).toEqual(["watch", "firm"]);
    expect(observed?.outbound).toEqual([]);
    expect(observed?.rateLimits.map(({ policy }) => policy)).toEqual(["watch"]);
  });

  it("says which settings an observing policy would set: none that an enforced one wins", () => {
    const spec = { sysctls: { [SYNCOOKIES]: "1" }, ephemeralPorts: { range: "50000-60000", reserved: [50001] } };
    const settings = (...policies: readonly AssignedPolicy[]) => merged(...policies).observed?.settings;
    expect(settings(observing(spec))).toEqual([
      { policy: "watch", key: RANGE, value: "50000 60000", match: "Equal" },
      { policy: "watch", key: SYNCOOKIES, value: "1", match: "Equal" },
      { policy: "watch", key: RESERVED, value: "50001", match: "Contains" },
    ]);
    expect(settings(assigned({ ...spec, priority: 1 }, "firm"), observing(spec))).toEqual([
      { policy: "watch", key: RESERVED, value: "50001", match: "Contains" },
    ]);
  });

  it("tells of a conflict whoever observes, and never one that enforces of one that observes", () => {
    const range = (value: string, priority = 0) => ({ ephemeralPorts: { range: value }, priority });
    const firm = (priority: number) => assigned(range("40000-50000", priority), "firm");
    const watch = observing(range("50000-60000"));
    const lost = { policy: "watch", winner: "firm", field: "spec.ephemeralPorts.range" };
    expect(merged(firm(1), watch).conflicts).toEqual([lost]);
    expect(merged(firm(-1), watch).conflicts).toEqual([]);
    expect(merged(firm(-1), watch).ephemeralPorts.range?.policy).toBe("firm");
  });

  it("warns one that observes of what it would open, and not those that stay closed", () => {
    const open = observing({ firewall: { inbound: { defaultAction: "Allow" } }, priority: 1 });
    const { warnings } = merged(open, assigned({ firewall: { inbound: {} } }, "firm"));
    expect(warnings.map(({ policy, reason }) => [policy, reason])).toEqual([["watch", "AllowAboveDrop"]]);
  });

  it("hands over the sets of observed peers beside the others", () => {
    const from = (name: string) => ({ allow: [{ name: "one", from: [{ addressGroup: { name } }] }] });
    const groups = [group("a", ["192.0.2.0/24"]), group("b", ["198.51.100.0/24"])];
    const firm = assigned({ firewall: { inbound: from("a") } }, "firm");
    const { sets } = merge([firm, observing({ firewall: { inbound: from("b") } })], groups, DEFAULT_NODE_SETTINGS);
    expect(sets.flatMap(({ entries }) => entries)).toEqual(expect.arrayContaining(["192.0.2.0/24", "198.51.100.0/24"]));
  });
});
