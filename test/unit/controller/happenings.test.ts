import { describe, expect, it } from "vitest";
import type { ListenersStatus } from "../../../src/api/audit-status.ts";
import type { Condition } from "../../../src/api/condition.ts";
import type { RolloutPhase } from "../../../src/api/rollout.ts";
import { auditFacts } from "../../../src/controller/audit-facts.ts";
import { nodeHappenings, nodeNews, reasonOf } from "../../../src/controller/node-happenings.ts";
import { podUidOf } from "../../../src/controller/pod-names.ts";
import { policyNews, resumedNews, sumUp } from "../../../src/controller/policy-happenings.ts";
import { nodeAudit, redis } from "./audit-status.ts";
import { policyFacts, stateFacts } from "./facts.ts";

const T = (hour: number) => `2026-01-01T${String(hour).padStart(2, "0")}:00:00Z`;

describe("in the status of a node", () => {
  const low = { ...redis, severity: "low", id: "protocols.optional-tls" } as const;
  const drift = {
    count: 2,
    last: { at: T(11), by: "iptables (2771)", what: ["PH-IN (v4)", "ph-a"], repairedMilliseconds: 6 },
  };
  const identity = { name: "worker-1", uid: "state-1", nodeUid: "node-1" };
  const all = (pod?: string) =>
    nodeHappenings(identity, { audit: nodeAudit("p", {}, { top: [redis, low] }), drift }, () => pod);

  it("findings of severity medium and above, and repairs, are news", () => {
    const audit = auditFacts(nodeAudit("p", {}, { top: [redis, low] }));
    const news = nodeNews(stateFacts("worker-1", { audit, driftAt: T(11) }));
    expect(news.map(({ since }) => since)).toEqual([T(11), redis.since]);
    expect(news.every(({ key }) => all().has(key))).toBe(true);
    expect(nodeNews(stateFacts("worker-1"))).toEqual([]);
  });

  it("a finding is told with subject, evidence, remedy and id, about the NodeState and its Node", () => {
    const [, told] = [...all().values()];
    expect(told).toMatchObject({
      type: "Warning",
      reason: "ProtocolsPlaintextRedis",
      regarding: { kind: "PortHardeningNodeState", name: "worker-1", uid: "state-1" },
      related: { kind: "Node", name: "worker-1", uid: "node-1" },
      note:
        "tcp 0.0.0.0:6379 redis-server: speaks Redis without TLS. Set tls-port and port 0 in redis.conf, or bind it to " +
        "loopback. (high, protocols.plaintext-redis)",
    });
  });

  it("a finding about a pod's listener names the pod", () => {
    expect([...all("shop/redis-0").values()][1]?.note).toContain("without TLS. Pod shop/redis-0. Set tls-port");
  });

  it("a repair names who made it necessary", () => {
    const [told] = [...all().values()];
    expect(told).toMatchObject({ type: "Warning", reason: "DriftRepaired" });
    expect(told?.note).toBe("iptables (2771) changed PH-IN (v4), ph-a; repaired in 6 ms.");
    const [unknown] = nodeHappenings(
      identity,
      { drift: { count: 1, last: { at: T(1), what: [] } } },
      () => undefined,
    ).values();
    expect(unknown?.note).toBe("Something on the node changed what is enforced; repaired.");
  });

  it.each([
    ["protocols.tls-expired", "ProtocolsTlsExpired"],
    ["updates.automatic-off", "UpdatesAutomaticOff"],
    ["a b_c", "ABC"],
    ["...", "Finding"],
  ])("the id %s is the reason %s", (id, reason) => {
    expect(reasonOf(id)).toBe(reason);
  });
});

describe("the pod of a finding", () => {
  const listener = (address: string, port: number, podUid: string): ListenersStatus["top"][number] => ({
    protocol: "TCP",
    address,
    port,
    podUid,
    reach: "Everybody",
  });
  const listeners = {
    count: 3,
    top: [listener("127.0.0.1", 6379, "local"), listener("0.0.0.0", 6379, "all"), listener("::", 6379, "six")],
  };
  it.each([
    ["tcp 0.0.0.0:6379 redis-server", 6379, "all"],
    ["tcp [::]:6379 redis-server", 6379, "six"],
    ["tcp 127.0.0.1:6379", 6379, "local"],
    ["udp 0.0.0.0:6379 redis-server", 6379, undefined],
    ["tcp 0.0.0.0:637 redis-server", 637, undefined],
    ["reboot", undefined, undefined],
  ])("that is about %s", (subject, port, expected) => {
    const { port: _, ...rest } = redis;
    expect(podUidOf({ ...rest, subject, ...(port === undefined ? {} : { port }) }, listeners)).toBe(expected);
  });
  it("is unknown where nobody says who listens", () => {
    expect(podUidOf(redis, undefined)).toBeUndefined();
  });
});

describe("in the status of a policy", () => {
  const condition = (type: string, status: Condition["status"], reason: string, hour: number): Condition => ({
    type,
    status,
    reason,
    message: `${reason}.`,
    lastTransitionTime: T(hour),
  });
  const news = (...conditions: Condition[]) => policyNews({ ...policyFacts("p"), status: { conditions } });
  const told = (...conditions: Condition[]) =>
    news(...conditions).map(({ happening: { type, reason } }) => `${type} ${reason}`);

  it.each([
    ["Enforced", "Normal Enforced"],
    ["Observing", "Normal Observing"],
    ["NodesFailed", "Warning NodesFailed"],
    ["PartlyEnforced", "Warning PartlyEnforced"],
    ["AgentOutdated", "Warning AgentOutdated"],
    ["ControllerOutdated", "Warning ControllerOutdated"],
    ["InvalidPolicy", "Warning InvalidPolicy"],
    ["RolloutHalted", "Warning RolloutHalted"],
    ["RolloutPaused", "Normal RolloutPaused"],
    ["ProgressDeadlineExceeded", "Warning ProgressDeadlineExceeded"],
    ["NoCanary", "Warning NoCanary"],
  ])("%s is told", (reason, expected) => {
    expect(told(condition("Ready", "False", reason, 1))).toEqual([expected]);
  });

  it.each(["Progressing", "NoNodesSelected", "NodesUnknown"])("%s is not: nothing has come to an end", (reason) => {
    expect(told(condition("Ready", "False", reason, 1))).toEqual([]);
  });

  it("that a roll-out goes on is told where it was seen to stand, and only then", () => {
    const at = (phase: RolloutPhase, hour: number) => {
      const rollout = { phase, since: T(hour), progressedAt: T(hour), total: 3, updated: 1, enforced: 1 };
      return { ...policyFacts("p"), status: { message: "1 of 3 nodes enforce it.", rollout } };
    };
    const between = (before: RolloutPhase, after: RolloutPhase) => resumedNews(at(before, 1), at(after, 2));
    expect(between("Paused", "Canary")).toMatchObject([{ type: "Normal", reason: "RolloutResumed" }]);
    expect(between("Halted", "Progressing")[0]?.note).toBe("The roll-out goes on: 1 of 3 nodes enforce it.");
    expect([...between("Canary", "Progressing"), ...between("Paused", "Halted")]).toEqual([]);
    expect(resumedNews(policyFacts("p"), at("Canary", 2))).toEqual([]);
  });

  it("a second pause is another happening", () => {
    const paused = (hour: number) => {
      const rollout = {
        phase: "Paused" as const,
        since: T(hour),
        progressedAt: T(1),
        total: 3,
        updated: 1,
        enforced: 1,
      };
      const conditions = [condition("Ready", "False", "RolloutPaused", 1)];
      return policyNews({ ...policyFacts("p"), status: { conditions, rollout } })[0];
    };
    expect(paused(2)?.key).not.toBe(paused(3)?.key);
    expect(paused(3)?.since).toBe(T(3));
  });

  it("so is what audits come to, but not that they are under way", () => {
    expect(told(condition("Audited", "False", "RequirementsNotMet", 1))).toEqual(["Warning RequirementsNotMet"]);
    expect(told(condition("Audited", "True", "RequirementsMet", 1))).toEqual(["Normal RequirementsMet"]);
    expect(told(condition("Audited", "Unknown", "AuditPending", 1))).toEqual([]);
  });

  it("a second failure after a new try is another happening, other words about the first one are not", () => {
    const failing = (stalledAt: number, message = "NodesFailed.") =>
      news(
        { ...condition("Ready", "False", "NodesFailed", 1), message },
        condition("Stalled", "True", "NodesFailed", stalledAt),
      )[0];
    expect(failing(2)?.key).not.toBe(failing(3)?.key);
    expect(failing(2)?.happening.identity).not.toEqual(failing(3)?.happening.identity);
    expect(failing(2, "more nodes")?.key).toBe(failing(2)?.key);
    expect(failing(3)?.since).toBe(T(3));
  });

  it("findings without Events of their own are summed up", () => {
    const findings = { critical: 0, high: 9, medium: 0, low: 0, info: 0 };
    const audit = { summary: "9 findings, 9 high", audited: 5, notMet: 0, findings };
    expect(sumUp({ ...policyFacts("p"), status: { audit } }, 7)).toMatchObject({
      reason: "FindingsSummedUp",
      note: expect.stringContaining("9 findings, 9 high, on 5 audited nodes"),
      identity: ["7"],
    });
  });
});
