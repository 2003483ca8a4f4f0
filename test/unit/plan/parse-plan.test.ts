import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { parseAssigned } from "../../../src/plan/parse-plan.ts";
import { PlanCorruptError, UnknownPlanFormatError } from "../../../src/plan/plan-errors.ts";
import { planHash } from "../../../src/plan/plan-hash.ts";
import { anySpec, assigned } from "./policies.ts";

const full = assigned({
  ephemeralPorts: { range: "49152-65535", reserved: [50000] },
  sysctls: { "net.ipv4.tcp_syncookies": "1" },
  firewall: {
    inbound: {
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      allow: [
        { name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { addressGroup: { name: "partners" } }] },
      ],
      deny: [{ name: "all" }],
    },
    outbound: {
      allow: [{ name: "web", to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [8443] }],
      trustCluster: false,
    },
  },
  rateLimits: [
    { name: "new", newConnections: { limit: 10, per: "Minute", burst: 20 } },
    { name: "standing", maxConcurrent: 100, exempt: [{ ipBlock: { cidr: "203.0.113.0/24" } }] },
  ],
  monitoring: {
    listeners: { expected: [{ port: 9100, process: "node_exporter" }, { port: "30000-32767" }] },
    dropLog: { perMinute: 30 },
  },
  audit: { securityUpdates: { automatic: "Ensure" }, skipProbes: [5432] },
});

/** `full` as JSON with the value at `path` replaced; undefined removes it. */
function changed(path: readonly (string | number)[], to: unknown): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(full));
  const parent = path.slice(0, -1).reduce((value, key) => value[key], copy);
  const last = path.at(-1) ?? "";
  if (to === undefined) delete parent[last];
  else parent[last] = to;
  return copy;
}

/** The same, hashed anew, as a controller with a fault would write it. */
function rehashed(path: readonly (string | number)[], to: unknown): unknown {
  const { priority, mode, plan, ...rest } = changed(path, to) as unknown as typeof full;
  return { ...rest, priority, mode, plan, hash: planHash({ priority, mode, plan }) };
}

/** The path of every member and item below `value`. */
function paths(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return keys.flatMap((key) => [
    [...at, key],
    ...paths((value as Record<string | number, unknown>)[key], [...at, key]),
  ]);
}

/** "read", or the name of the error. */
function outcome(value: unknown): string {
  try {
    parseAssigned(value);
    return "read";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, backwards(member)]),
  );
}

describe("parseAssigned", () => {
  it("reads back what was assigned, whatever the order of keys", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const one = assigned(spec);
        expect(parseAssigned(JSON.parse(JSON.stringify(one)))).toEqual(one);
        expect(parseAssigned(backwards(one))).toEqual(one);
      }),
    );
  });

  it("refuses a plan from which anything was taken", () => {
    const all = paths(full.plan, ["plan"]);
    expect(all.length).toBeGreaterThan(50);
    const refusals = ["SchemaError", "PlanCorruptError", "UnknownPlanFormatError"];
    expect(all.filter((path) => !refusals.includes(outcome(changed(path, undefined))))).toEqual([]);
  });

  it.each([
    ["a range that begins elsewhere", ["plan", "ephemeralPorts", "range", "from"], 49153],
    ["an optional part that was pruned", ["plan", "inbound"], undefined],
    ["another optional part that was pruned", ["plan", "outbound"], undefined],
    ["listeners that nobody watches any more", ["plan", "monitoring"], undefined],
    [
      "a process that was pruned from an expected listener",
      ["plan", "monitoring", "listeners", "expected", 0, "process"],
      undefined,
    ],
    ["a log that was pruned", ["plan", "monitoring", "dropLog"], undefined],
    ["an audit that was pruned", ["plan", "audit"], undefined],
    ["a level that was lowered", ["plan", "audit", "exposure"], "Ignore"],
    ["another priority", ["priority"], 7],
    ["another hash", ["hash"], "0123456789abcdef"],
  ])("tells %s by the hash", (_name, path, to) => {
    expect(() => parseAssigned(changed(path, to))).toThrow(PlanCorruptError);
  });

  it("leaves a plan of a later version alone, whatever is in it", () => {
    const later = { ...full, plan: { format: 2, anything: "else" } };
    expect(() => parseAssigned(later)).toThrow(UnknownPlanFormatError);
    expect(() => parseAssigned(later)).toThrow("policy workers has format 2");
    expect(() => parseAssigned(changed(["plan", "format"], undefined))).toThrow(UnknownPlanFormatError);
  });

  it.each<[(string | number)[], unknown]>([
    [["plan", "ephemeralPorts", "range", "from"], 0],
    [["plan", "ephemeralPorts", "range"], { from: 9, to: 8 }],
    [["plan", "ephemeralPorts", "nodePorts"], { from: 0, to: 8 }],
    [
      ["plan", "ephemeralPorts", "reserved"],
      [
        { from: 2, to: 3 },
        { from: 4, to: 5 },
      ],
    ],
    [["plan", "sysctls"], { "net.ipv4.x; reboot": "1" }],
    [["plan", "sysctls", "net.ipv4.tcp_syncookies"], "1\nkernel.core_pattern=|/bin/sh"],
    [["plan", "inbound", "defaultAction"], "Log"],
    [["plan", "outbound", "defaultAction"], undefined],
    [["plan", "outbound", "allow", 0, "to"], []],
    [
      ["plan", "inbound", "protocols"],
      ["TCP", "TCP"],
    ],
    [["plan", "inbound", "interfaces", "include"], ["eth0 -j ACCEPT"]],
    [
      ["plan", "inbound", "interfaces", "include"],
      ["eth+", "eth0"],
    ],
    [["plan", "inbound", "allow", 0, "name"], "a b"],
    [["plan", "inbound", "allow", 0, "from"], []],
    [["plan", "inbound", "allow", 0, "peers", "cidrs"], ["203.0.113.1/24"]],
    [
      ["plan", "inbound", "allow", 0, "peers", "cidrs"],
      ["203.0.113.0/24", "203.0.113.9/32"],
    ],
    [["plan", "inbound", "allow", 0, "peers", "cidrs"], ["any"]],
    [["plan", "inbound", "allow", 0, "peers"], { cidrs: [], groups: [{ node: "a" }] }],
    [["plan", "inbound", "deny", 0, "peers"], "Nobody"],
    [["plan", "rateLimits", 0, "newConnections", "limit"], 10_001],
    [["plan", "rateLimits", 0, "newConnections", "per"], "Week"],
    // More than a day's worth, which wraps around in the kernel.
    [["plan", "rateLimits", 0, "newConnections"], { limit: 1, per: "Hour", burst: 25 }],
    [["plan", "rateLimits", 0, "maxConcurrent"], 100],
    [["plan", "rateLimits", 1, "maxConcurrent"], undefined],
    [["plan", "rateLimits", 1, "maxConcurrent"], 0],
    [["plan", "rateLimits", 1, "maxConcurrent"], 10_001],
    [["plan", "rateLimits", 1, "prefixLength", "ipv4"], 33],
    [["plan", "rateLimits", 1, "prefixLength", "ipv6"], -1],
    [["plan", "rateLimits", 1, "prefixLength"], undefined],
    [["plan", "rateLimits", 1, "exempt"], "Everybody"],
    [["plan", "rateLimits", 1, "exempt", "cidrs"], ["203.0.113.1/24"]],
    [["plan", "monitoring", "unknown"], {}],
    [["plan", "monitoring", "listeners", "unexpected"], "Required"],
    [["plan", "monitoring", "listeners", "expected"], undefined],
    [["plan", "monitoring", "listeners", "expected", 0, "ports"], { from: 2, to: 1 }],
    [["plan", "monitoring", "listeners", "expected", 0, "ports"], 9100],
    [["plan", "monitoring", "listeners", "expected", 0, "process"], ""],
    [["plan", "monitoring", "listeners", "expected", 0, "process"], "a\nb"],
    [["plan", "monitoring", "dropLog", "perMinute"], 0],
    [["plan", "monitoring", "dropLog", "perMinute"], 6001],
    [["plan", "audit", "schedule"], "60 3 * * *"],
    [["plan", "audit", "schedule"], "0 0 3 * * *"],
    [["plan", "audit", "schedule"], ""],
    [["plan", "audit", "mandatoryAccessControl"], "Ensure"],
    [["plan", "audit", "pendingUpdates"], undefined],
    [["plan", "audit", "automaticUpdates"], "On"],
    [["plan", "audit", "skipProbes"], [5432]],
    [
      ["plan", "audit", "skipProbes"],
      [
        { from: 9, to: 9 },
        { from: 8, to: 8 },
      ],
    ],
    [["plan", "unknown"], true],
    [["mode"], "Audit"],
    [["extra"], 1],
  ])("refuses %j = %j although the hash is right, naming the place", (path, to) => {
    const attempt = () => parseAssigned(rehashed(path, to));
    expect(attempt).toThrow(SchemaError);
    // The last member by name; a sysctl's own key may stand behind it.
    expect(attempt).toThrow(String(path.findLast((part) => typeof part === "string" && !part.includes(".")) ?? ""));
  });

  it.each([undefined, null, "x", [], {}, { name: "workers" }, { name: "workers", plan: [] }])("refuses %j", (value) => {
    expect(() => parseAssigned(value)).toThrow(SchemaError);
  });
});

describe("planHash", () => {
  it("is 16 hexadecimal digits that change with priority, mode and plan", () => {
    const { priority, mode, plan } = full;
    const hash = planHash({ priority, mode, plan });
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(planHash({ priority: priority + 1, mode, plan })).not.toBe(hash);
    expect(planHash({ priority, mode, plan: { ...plan, rateLimits: [] } })).not.toBe(hash);
  });

  it("stays what it is: nodes and status compare it across versions", () => {
    expect(planHash({ priority: 0, mode: "Enforce", plan: { format: 1, sysctls: {}, rateLimits: [] } })).toBe(
      "fbe6d13cb937d181",
    );
  });
});
