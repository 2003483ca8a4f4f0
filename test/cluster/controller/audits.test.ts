import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PolicyStatus } from "../../../src/api/policy.ts";
import type { EventResult } from "../../../src/controller/event-recorder.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { nodeAudit, noFindings, redis } from "../../unit/controller/audit-status.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";

let lab: ControllerLab;
let controller: RunningController;

beforeAll(async () => {
  lab = await startControllerLab();
  controller = await lab.startController();
  await lab.addNode("worker-1");
  await lab.addNode("worker-2");
  await lab.addPolicy("strict", { audit: { plaintextProtocols: "Required" } });
});
afterAll(async () => {
  await lab?.close();
});

const since = `${new Date().toISOString().slice(0, 19)}Z`;
const passed = { audit: nodeAudit("strict") };
const found = {
  ...redis,
  since,
};
const plaintext = {
  audit: nodeAudit("strict", { notMet: 1, findings: { ...noFindings, high: 1 } }, { top: [found] }),
};
const audited = (value: string) => (status: PolicyStatus) => condition(status, "Audited") === value;
const kstatus = ({ conditions = [] }: PolicyStatus) =>
  conditions.filter(({ type }) => ["Ready", "Reconciling", "Stalled"].includes(type));
const kubectl = async (...args: string[]) => (await lab.controlPlane.kubectl(args)).stdout;
const auditColumn = async () => {
  const [header = "", row = ""] = (await kubectl("get", "phpol", "strict", "-o", "wide")).split("\n");
  const from = header.indexOf("AUDIT");
  return row.slice(from, header.indexOf("MESSAGE")).trim();
};

describe("condition Audited", () => {
  it("is Unknown until every node has tried every check, and holds nothing up", async () => {
    lab.agents.report("worker-1", passed);
    const status = await lab.statusWhere("strict", (seen) => seen.audit?.audited === 1 && seen.nodes?.enforced === 2);
    expect(status.conditions?.find(({ type }) => type === "Audited")).toMatchObject({
      status: "Unknown",
      reason: "AuditPending",
      message: "1 of 2 nodes audited; waiting for worker-2.",
    });
    expect(condition(status, "Ready")).toBe("True");
  });

  it("is True when all passed, and the wide table says so", async () => {
    lab.agents.report("worker-2", passed);
    await lab.statusWhere("strict", audited("True"));
    expect(await auditColumn()).toBe("passed");
  });

  it("is False where a requirement is not met, and names node and finding; Ready does not change", async () => {
    const before = kstatus(await lab.statusOf("strict"));
    lab.agents.report("worker-1", plaintext);
    const status = await lab.statusWhere("strict", audited("False"));
    expect(status.conditions?.find(({ type }) => type === "Audited")).toMatchObject({
      reason: "RequirementsNotMet",
      message:
        "What the policy requires is not met on 1 of 2 nodes. worker-1: tcp 0.0.0.0:6379 redis-server speaks Redis " +
        "without TLS (protocols.plaintext-redis).",
    });
    expect(status.audit).toMatchObject({ audited: 2, notMet: 1, findings: { high: 1 } });
    expect(await auditColumn()).toBe("1 finding, 1 high");
    expect(kstatus(status)).toEqual(before);
    await kubectl("wait", "--for=condition=Ready", "phpol/strict", "--timeout=1s");
    await kubectl("wait", "--for=condition=Audited=False", "phpol/strict", "--timeout=1s");
  });

  it("leaves out a node that is not Ready", async () => {
    await nodeReady("worker-1", "Unknown");
    const status = await lab.statusWhere("strict", audited("True"));
    expect(status.conditions?.find(({ type }) => type === "Audited")?.message).toBe(
      "1 of 2 nodes audited: passed. Not ready or not heard of: worker-1.",
    );
    await nodeReady("worker-1", "True");
    await lab.statusWhere("strict", audited("False"));
  });

  it("goes away with what it speaks of", async () => {
    await edit("strict", { audit: null });
    const status = await lab.statusWhere("strict", (seen) => condition(seen, "Audited") === undefined);
    expect(status).not.toHaveProperty("audit");
    await edit("strict", { audit: { plaintextProtocols: "Required" } });
    await lab.statusWhere("strict", audited("False"));
  });
});

describe("Events", () => {
  it("of a finding are seen by kubectl get events and kubectl describe, with what to do", async () => {
    const [event] = await eventsBecome("ProtocolsPlaintextRedis", 1);
    expect(event).toMatchObject({
      metadata: { namespace: "default" },
      type: "Warning",
      regarding: { kind: "PortHardeningNodeState", name: "worker-1" },
      related: { kind: "Node", name: "worker-1" },
      note: expect.stringContaining("redis-server: speaks Redis without TLS. Set tls-port and port 0 in redis.conf"),
    });
    const table = await kubectl("get", "events");
    expect(table).toMatch(/Warning +ProtocolsPlaintextRedis +porthardeningnodestate\/worker-1 +tcp 0\.0\.0\.0:6379/);
    const described = await kubectl("describe", "phnode", "worker-1");
    expect(described).toMatch(/Events:\n[^]*Warning +ProtocolsPlaintextRedis +\S+ +porthardening\.io\/controller +tcp/);
    expect(await kubectl("describe", "phnode", "worker-2")).toMatch(/Events: +<none>/);
  });

  it("name the pod whose listener it is", async () => {
    const uid = await runPod("shop", "redis-0", "worker-2");
    const listener = { protocol: "TCP", address: "0.0.0.0", port: 6379, podUid: uid, reach: "Everybody" } as const;
    lab.agents.report("worker-2", { ...plaintext, listeners: { count: 1, top: [listener] } });
    const events = await eventsBecome("ProtocolsPlaintextRedis", 2);
    const notes = events.map(({ regarding, note }) => `${regarding.name}: ${note}`).toSorted();
    expect(notes[0]).not.toContain("Pod");
    expect(notes[1]).toMatch(/^worker-2: .* Pod shop\/redis-0\. /);
  });

  it("tell who made a repair necessary", async () => {
    const at = new Date().toISOString();
    const last = { at, by: "iptables (2771)", what: ["PH-IN (v4)"], repairedMilliseconds: 6 };
    lab.agents.report("worker-1", { drift: { count: 1, last } });
    const [event] = await eventsBecome("DriftRepaired", 1);
    expect(event?.note).toBe("iptables (2771) changed PH-IN (v4); repaired in 6 ms.");
    lab.agents.report("worker-1", { drift: { count: 2, last: { ...last, at: new Date().toISOString() } } });
    await eventsBecome("DriftRepaired", 2);
  });

  it("tell how a policy turned", async () => {
    // It was edited meanwhile; how often it was seen Ready is a matter of time.
    await eventsBecome("Enforced", (count) => count >= 1);
    lab.agents.behave("worker-2", "Fails");
    const [failed] = await eventsBecome("NodesFailed", 1);
    expect(failed).toMatchObject({
      type: "Warning",
      regarding: { kind: "PortHardeningPolicy", name: "strict" },
      note: expect.stringContaining("worker-2: iptables-restore: line 7 failed"),
    });
    lab.agents.behave("worker-2", "Evaded");
    await eventsBecome("PartlyEnforced", 1);
    lab.agents.behave("worker-2", "Enforces");
    await lab.statusWhere("strict", (seen) => condition(seen, "Ready") === "True");
    expect(await kubectl("describe", "phpol", "strict")).toMatch(/Events:\n[^]*Warning +NodesFailed/);
    const [unmet] = await events("RequirementsNotMet");
    expect(unmet?.note).toContain("worker-1: tcp 0.0.0.0:6379");
  });

  it("are made once, also when the controller starts again, and a finding that is gone and comes back is new", async () => {
    const before = await settled();
    const overTheRate = await told("Dropped");
    await controller.stop();
    controller = await lab.startController();
    await waitFor("its Events to be known", async () => ((await told("Known")) >= 4 ? true : undefined), {
      timeoutMilliseconds: 30_000,
    });
    const after = await settled();
    // A policy that turns more than ten times gets no more Events by one controller; the last turn is news to the next.
    const made = await told("Made");
    expect(made).toBeLessThanOrEqual(overTheRate);
    expect([await told("Dropped"), await told("Failed")]).toEqual([0, 0]);
    expect(after.filter((name) => !before.includes(name))).toHaveLength(made);
    expect(before.filter((name) => !after.includes(name))).toEqual([]);
    lab.agents.report("worker-1", passed);
    await lab.statusWhere("strict", (seen) => seen.audit?.notMet === 1);
    const later = `${new Date(Date.parse(since) + 60_000).toISOString().slice(0, 19)}Z`;
    lab.agents.report("worker-1", { audit: { ...plaintext.audit, top: [{ ...found, since: later }] } });
    await eventsBecome("ProtocolsPlaintextRedis", 3);
  });
});

/** How many Events came to this, by the controller that runs now. */
async function told(result: EventResult): Promise<number> {
  const line = new RegExp(`events_total{result="${result}"} (\\d+)`);
  return Number(line.exec(await controller.metrics())?.[1] ?? 0);
}

/** The Events' names, once no other has come for so long that all statuses were written, which takes a second each. */
async function settled(): Promise<readonly string[]> {
  let last = await names();
  await waitFor(
    "no more Events to come",
    async () => {
      const before = last;
      await sleep(3_000);
      last = await names();
      return last.join() === before.join() ? true : undefined;
    },
    { timeoutMilliseconds: 60_000 },
  );
  return last;
}

describe("a request", () => {
  it("by annotation of a policy or of a Node reaches the nodes that it concerns, as no revision", async () => {
    await lab.addPolicy("elsewhere", { nodeSelector: { matchLabels: { pool: "b" } } });
    const before = await lab.policiesOn("worker-1");
    await kubectl("annotate", "phpol", "strict", "porthardening.io/audit-at=monday");
    await kubectl("annotate", "phpol", "elsewhere", "porthardening.io/audit-at=never");
    for (const node of ["worker-1", "worker-2"]) await requestBecomes(node, "strict=monday");
    await kubectl("annotate", "node", "worker-2", "porthardening.io/audit-at=now");
    await requestBecomes("worker-2", ".=now strict=monday");
    await kubectl("annotate", "phpol", "strict", "porthardening.io/audit-at=tuesday", "--overwrite");
    await requestBecomes("worker-1", "strict=tuesday");
    await kubectl("annotate", "phpol", "strict", "porthardening.io/audit-at-");
    await requestBecomes("worker-1", undefined);
    await requestBecomes("worker-2", ".=now");
    expect(await lab.policiesOn("worker-1")).toEqual(before);
    const { status, conditions } = await lab.statusOf("strict");
    expect([status, conditions?.find(({ type }) => type === "Reconciling")?.status]).toEqual(["Ready", "False"]);
  });
});

type Event = KubeObject & { readonly reason: string; readonly note: string; readonly regarding: { name: string } };

async function events(reason: string): Promise<readonly Event[]> {
  const { items } = await lab.admin.list(resources.events, { namespace: "default" });
  return (items as Event[]).filter((event) => event.reason === reason);
}

async function names(): Promise<readonly string[]> {
  const { items } = await lab.admin.list(resources.events, { namespace: "default" });
  return items.map(({ metadata }) => metadata.name).toSorted();
}

async function eventsBecome(reason: string, wanted: number | ((count: number) => boolean)): Promise<readonly Event[]> {
  let seen: readonly Event[] = [];
  const holds = typeof wanted === "number" ? (count: number) => count === wanted : wanted;
  const probe = async () => {
    seen = await events(reason);
    return holds(seen.length) ? seen : undefined;
  };
  const lastSeen = () => `${JSON.stringify(seen)}\n${controller.log().slice(-2_000)}`;
  return waitFor(`Events ${reason}`, probe, { timeoutMilliseconds: 10_000, lastSeen });
}

async function requestBecomes(node: string, request: string | undefined): Promise<void> {
  let seen: string | undefined;
  const probe = async () => {
    const state = await lab.admin.get(resources.nodeStates, { name: node });
    seen = (state as { spec?: { auditRequest?: string } } | undefined)?.spec?.auditRequest;
    return seen === request ? true : undefined;
  };
  await waitFor(`the request of ${node}`, probe, { timeoutMilliseconds: 10_000, lastSeen: () => String(seen) });
}

async function nodeReady(node: string, status: string): Promise<void> {
  const patch = JSON.stringify({ status: { conditions: [{ type: "Ready", status }] } });
  await kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", patch);
}

async function edit(name: string, spec: object): Promise<void> {
  await kubectl("patch", "phpol", name, "--type=merge", "-p", JSON.stringify({ spec }));
}

/** Gives its uid. */
async function runPod(namespace: string, name: string, node: string): Promise<string> {
  await kubectl("create", "namespace", namespace);
  await kubectl("create", "serviceaccount", "default", "--namespace", namespace);
  const containers = [{ name: "redis", image: "redis" }];
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace, name }, spec: { nodeName: node, containers } };
  await lab.controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(pod) });
  return kubectl("get", "pod", name, "--namespace", namespace, "-o", "jsonpath={.metadata.uid}");
}
