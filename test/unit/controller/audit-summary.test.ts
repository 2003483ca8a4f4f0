import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { NodeAuditStatus } from "../../../src/api/audit-status.ts";
import { policyStatusSchema } from "../../../src/api/policy.ts";
import { auditFacts } from "../../../src/controller/audit-facts.ts";
import { askedOf, judgeAudit, type NodeAuditOutcome } from "../../../src/controller/audit-outcome.ts";
import { judgeAudited, summariseAudit } from "../../../src/controller/audit-summary.ts";
import { practiceOf } from "../../../src/controller/finding-practice.ts";
import { summarisePolicy } from "../../../src/controller/policy-status.ts";
import { nodeAudit, noFindings, redis } from "./audit-status.ts";
import { elementOf, policyFacts } from "./facts.ts";

const asked = (spec: object) => {
  const policy = askedOf(elementOf(policyFacts("p", spec)));
  if (policy === undefined) throw new Error("the policy asks for no audit");
  return policy;
};
const reporting = asked({ audit: {} });
const requiring = asked({ audit: { plaintextProtocols: "Required", mandatoryAccessControl: "Required" } });

function judged(
  node: string,
  audit: NodeAuditStatus | undefined,
  { by = reporting, known = true, current = true } = {},
): NodeAuditOutcome {
  return judgeAudit(by, node, { known, current, audit: audit && auditFacts(audit) });
}

const high = { ...noFindings, high: 1 };
const passed = (node: string) => judged(node, nodeAudit("p"));
const found = (node: string) => judged(node, nodeAudit("p", { findings: high }, { top: [redis] }));
const unmet = (node: string) =>
  judged(node, nodeAudit("p", { findings: high, notMet: 1 }, { top: [redis] }), { by: requiring });
const waiting = (node: string) => judged(node, nodeAudit("p", { pending: 2 }));
const silent = (node: string) => judged(node, nodeAudit("p", { notMet: 3, findings: high }), { known: false });
const missed = (node: string, by = reporting) => {
  const { name, practice, status, reason, at } = {
    name: "access-control",
    practice: "accessControl",
    status: "NotChecked",
    reason: "/sys/kernel/security is not mounted",
    at: "2026-01-01T11:00:00Z",
  } as const;
  const notMet = by === requiring ? 1 : 0;
  return judged(node, nodeAudit("p", { notMet }, { checks: [{ name, practice, status, reason, at }] }), { by });
};

describe("Audited", () => {
  it.each<[string, NodeAuditOutcome[], string, string]>([
    ["all passed", [passed("a"), passed("b")], "True", "RequirementsMet"],
    ["findings that are only reported", [found("a")], "True", "RequirementsMet"],
    ["a requirement is unmet", [passed("a"), unmet("b")], "False", "RequirementsNotMet"],
    ["one is unmet while others wait", [unmet("a"), waiting("b")], "False", "RequirementsNotMet"],
    ["a required check could not be made", [missed("a", requiring)], "False", "RequirementsNotMet"],
    ["checks were not tried yet", [passed("a"), waiting("b")], "Unknown", "AuditPending"],
    ["a node said nothing yet", [passed("a"), judged("b", undefined)], "Unknown", "AuditPending"],
    ["a node has another revision", [judged("a", nodeAudit("p"), { current: false })], "Unknown", "AuditPending"],
    ["a node does not speak of the policy", [judged("a", nodeAudit("q"))], "Unknown", "AuditPending"],
    ["a silent node blocks nothing", [passed("a"), silent("b")], "True", "RequirementsMet"],
    ["all nodes are silent", [silent("a")], "Unknown", "NodesUnknown"],
    ["no node is selected", [], "True", "NoNodesSelected"],
  ])("%s: %s", (_what, nodes, status, reason) => {
    expect(judgeAudited(nodes)).toMatchObject({ status, reason });
  });

  it("names nodes and what is unmet there", () => {
    expect(judgeAudited([passed("node0"), unmet("node1"), missed("node2", requiring), silent("node3")]).message).toBe(
      "What the policy requires is not met on 2 of 4 nodes. " +
        "node1: tcp 0.0.0.0:6379 redis-server speaks Redis without TLS (protocols.plaintext-redis). " +
        "node2: access-control could not be checked: /sys/kernel/security is not mounted. Not ready or not heard of: node3.",
    );
  });

  it("names as unmet only what the policy requires, on its own ports", () => {
    const others = [
      { ...redis, id: "listeners.unexpected" },
      { ...redis, port: 700, subject: "tcp 0.0.0.0:700 other" },
      { ...redis, id: "updates.lists-stale", subject: "package lists" },
    ];
    const audit = nodeAudit("p", { notMet: 1, findings: high }, { top: [...others, redis] });
    expect(judged("a", audit, { by: requiring }).named()).toEqual([
      "tcp 0.0.0.0:6379 redis-server speaks Redis without TLS (protocols.plaintext-redis)",
    ]);
  });
});

it.each<[string, NodeAuditOutcome[]]>([
  ["passed", [passed("a"), passed("b")]],
  ["2 findings, 2 high", [found("a"), found("b"), passed("c")]],
  [
    "4 findings, 1 critical",
    [found("a"), judged("b", nodeAudit("p", { findings: { ...noFindings, critical: 1, info: 2 } }))],
  ],
  ["1 finding, 1 high; pending on 1 node", [found("a"), waiting("b")]],
  // What could not be looked at has not passed, whatever the policy asks.
  ["1 check not made", [passed("a"), missed("b")]],
  ["pending", [waiting("a"), judged("b", undefined)]],
  ["passed", [passed("a"), silent("b")]],
  ["unknown", [silent("a")]],
  ["no nodes", []],
])("says it in a few words: %s", (words, nodes) => {
  expect(summariseAudit(nodes).summary).toBe(words);
});

it("sums up nodes and findings, and says how old the oldest audit is", () => {
  const old = judged("c", nodeAudit("p", { findings: high }, { auditedAt: "2025-12-31T03:00:00.000Z" }));
  expect(summariseAudit([passed("a"), unmet("b"), old, waiting("d"), silent("e")])).toEqual({
    summary: "2 findings, 2 high; pending on 1 node",
    audited: 3,
    notMet: 1,
    findings: { ...noFindings, high: 2 },
    auditedAt: "2025-12-31T03:00:00.000Z",
  });
});

describe("the status of a policy", () => {
  const now = new Date("2026-01-01T12:00:00Z");
  const outcome = { node: "a", outcome: "Enforced", droppedPackets: 0 } as const;
  const base = {
    generation: 1,
    problem: undefined,
    outcomes: [outcome],
    conflicts: [],
    observes: false,
    setsRange: false,
    warnings: [],
  };
  const types = (status: ReturnType<typeof summarisePolicy>) => status.conditions?.map(({ type }) => type);

  it("says nothing of audits where the policy asks for none, also where it did before", () => {
    expect(askedOf(elementOf(policyFacts("p")))).toBeUndefined();
    const before = summarisePolicy({ ...base, audits: [unmet("a")] }, undefined, now);
    expect(types(before)).toContain("Audited");
    const after = summarisePolicy(base, before, now);
    expect(types(after)).not.toContain("Audited");
    expect(after).not.toHaveProperty("audit");
  });

  it("has the same Ready, Reconciling, Stalled and message whatever audits find", () => {
    const without = summarisePolicy(base, undefined, now);
    for (const audit of [passed("a"), found("a"), unmet("a"), waiting("a"), silent("a")]) {
      const { audit: _, conditions = [], ...rest } = summarisePolicy({ ...base, audits: [audit] }, undefined, now);
      expect({ ...rest, conditions: conditions.filter(({ type }) => type !== "Audited") }).toEqual(without);
    }
  });

  it("does not know what a policy asks for that cannot be compiled", () => {
    const before = summarisePolicy({ ...base, audits: [passed("a")] }, undefined, now);
    const broken = { ...base, problem: "spec.audit.schedule: is no cron schedule" };
    expect(summarisePolicy(broken, before, now).conditions?.at(-1)).toMatchObject({
      type: "Audited",
      status: "Unknown",
      reason: "InvalidPolicy",
    });
    expect(types(summarisePolicy(broken, undefined, now))).not.toContain("Audited");
  });

  it("is taken by the API server with 5,000 nodes whose agents say as much as they may", () => {
    const most = 2 ** 31 - 1;
    const findings = { critical: most, high: most, medium: most, low: most, info: most };
    const top = Array.from({ length: 20 }, () => ({ ...redis, subject: "s".repeat(128), evidence: "e".repeat(200) }));
    const audits = Array.from({ length: 5_000 }, (_, index) =>
      judged(`${"n".repeat(240)}-${index}`, nodeAudit("p", { notMet: most, pending: most, findings }, { top }), {
        by: requiring,
      }),
    );
    const status = summarisePolicy({ ...base, audits }, undefined, now);
    expect(policyStatusSchema.safeParse(status).error).toBeUndefined();
    expect(Buffer.byteLength(JSON.stringify({ audit: status.audit, last: status.conditions?.at(-1) }))).toBeLessThan(
      2_048,
    );
  });
});

describe("the practice of a finding", () => {
  const page = readFileSync(new URL("../../../docs/findings.md", import.meta.url), "utf8");
  const ids = [...page.matchAll(/^\| `([a-z]+\.[a-z-]+)` \|/gm)].map(([, id = ""]) => id);

  it("is known for every one that is documented", () => {
    expect(ids.length).toBeGreaterThan(30);
    expect(ids.filter((id) => practiceOf(id) === undefined)).toEqual([]);
  });

  it("tells automatic updates from pending ones", () => {
    expect([practiceOf("updates.automatic-off"), practiceOf("updates.reboot-pending")]).toEqual([
      "automaticUpdates",
      "pendingUpdates",
    ]);
    expect(practiceOf("newer.finding")).toBeUndefined();
  });
});
