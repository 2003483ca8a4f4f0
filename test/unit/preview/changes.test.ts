import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/plan/canonical-json.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { policyChanges } from "../../../src/preview/policy-changes.ts";
import { policyFields } from "../../../src/preview/policy-fields.ts";
import { isNoChange, rulesChanges } from "../../../src/preview/rules-changes.ts";
import { render } from "../../../src/render/render.ts";
import { anyAssigned, assigned, someGroups } from "../plan/policies.ts";

const inbound = (more: object = {}) => ({ firewall: { inbound: { ...more } } });
const from = (...cidrs: string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
const office = (...cidrs: string[]) => inbound({ allow: [{ name: "office", from: from(...cidrs), ports: [8443] }] });

describe("what changes in policies", () => {
  it("is said field by field, and of a list what came and what went", () => {
    const changes = policyChanges(
      [assigned(office("192.0.2.0/24", "203.0.113.0/24"), "web"), assigned({}, "old")],
      [assigned({ ...office("192.0.2.0/24", "198.51.100.0/24"), priority: 7 }, "web"), assigned({}, "new")],
    );
    expect(changes.map(({ policy, change }) => `${change} ${policy}`)).toEqual([
      "Removed old",
      "Changed web",
      "Added new",
    ]);
    expect(changes[1]?.fields).toEqual([
      { path: "priority", change: "Changed", added: ["7"], removed: ["0"] },
      {
        path: "inbound.allow[office]",
        change: "Changed",
        added: ["from 198.51.100.0/24"],
        removed: ["from 203.0.113.0/24"],
      },
    ]);
  });

  it("is nothing where a policy was made anew with the same content", () => {
    const before = assigned(office("192.0.2.0/24"));
    expect(policyChanges([before], [{ ...before, uid: "another" }])).toEqual([]);
  });

  it("shows in some field whatever differs between two plans", () => {
    const said = (one: ReturnType<typeof assigned>) => JSON.stringify([...policyFields(one)]);
    let different = 0;
    const property = fc.property(anyAssigned, ([first, second]) => {
      if (first === undefined || second === undefined) return;
      const same =
        canonicalJson({ ...first, name: "", uid: "", hash: "" }) ===
        canonicalJson({ ...second, name: "", uid: "", hash: "" });
      if (!same) different += 1;
      expect(said(first) === said(second)).toBe(same);
    });
    fc.assert(property, { numRuns: 100 });
    expect(different).toBeGreaterThan(20);
  }, 60_000);
});

const rulesOf = (...specs: object[]) =>
  render(
    merge(
      specs.map((spec, index) => assigned(spec, `p-${index}`)),
      someGroups,
      DEFAULT_NODE_SETTINGS,
    ),
  );

describe("what changes in the kernel", () => {
  it("is the chains with the lines that came and went, and nothing of the others", () => {
    const changes = rulesChanges(rulesOf(office("192.0.2.0/24")), rulesOf(office("192.0.2.0/25")));
    expect(changes.chains.map(({ family, table, chain, change }) => [family, table, chain, change])).toEqual([
      [4, "mangle", "PH-J", "Changed"],
    ]);
    const [first] = changes.chains;
    // A rule for TCP, one for UDP.
    expect([first?.added.length, first?.removed.length]).toEqual([2, 2]);
    expect(changes.sets.map(({ change, added, removed }) => [change, added, removed])).toEqual([
      ["Removed", [], ["192.0.2.0/24"]],
      ["Added", ["192.0.2.0/25"], []],
    ]);
    expect(changes.settings).toEqual([]);
  });

  it("is the hooks and the table that rejects too", () => {
    const changes = rulesChanges(rulesOf({}), rulesOf(inbound({ defaultAction: "Reject" })));
    expect(changes.rejectTable).toBe("Added");
    expect(changes.chains.filter(({ hook }) => hook).map(({ chain }) => chain)).toContain("PREROUTING");
  });

  it("is the settings, with what they were", () => {
    const syncookies = (value: string) => ({ sysctls: { "net.ipv4.tcp_syncookies": value } });
    expect(rulesChanges(rulesOf(syncookies("1")), rulesOf(syncookies("2"))).settings).toEqual([
      { key: "net.ipv4.tcp_syncookies", before: "1", after: "2" },
    ]);
    expect(rulesChanges(rulesOf(syncookies("1")), rulesOf({})).settings).toEqual([
      { key: "net.ipv4.tcp_syncookies", before: "1" },
    ]);
  });

  it("is nothing where the rules are the same", () => {
    expect(
      isNoChange(rulesChanges(rulesOf(office("192.0.2.0/24")), rulesOf(office("192.0.2.0/25", "192.0.2.128/25")))),
    ).toBe(true);
  });
});
