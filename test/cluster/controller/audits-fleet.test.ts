import { afterAll, beforeAll, expect, it } from "vitest";
import type { PolicyStatus } from "../../../src/api/policy.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { nodeAudit, noFindings, redis } from "../../unit/controller/audit-status.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";

const NODES = 1_000;
const FINDINGS = 20;
/** As in production: what is made at once, and one a second after that. */
const EVENTS_AT_ONCE = 100;
const names = Array.from({ length: NODES }, (_, index) => `node-${index}`);

let lab: ControllerLab;
let controller: RunningController;

beforeAll(async () => {
  lab = await startControllerLab({ agents: false });
  // Nobody says that a canary enforces it.
  await lab.addPolicy("fleet", { audit: { plaintextProtocols: "Required" }, rollout: { strategy: "Immediate" } });
  await inParallel(names, (name) => lab.addNode(name));
  controller = await lab.startController();
});
afterAll(async () => {
  await lab?.close();
});

// 4 s of the processor for the controller, more for the API server; longer where others use both.
it("sums up 1,000 nodes with 20 findings each, within the bounds of one status and of what an API server can bear", {
  timeout: 240_000,
}, async () => {
  await becomes("every node to have the policy", async () =>
    (await metric(/^port_hardening_nodes{state="Pending"} (\d+)/m)) === NODES ? true : undefined,
  );
  const [assigned] = await lab.policiesOn("node-0");
  if (assigned === undefined) throw new Error("node-0 has no policy");
  const { name, uid, hash } = assigned;
  const since = new Date().toISOString();
  const policies = [{ name, uid, hash, state: "Enforced", since }];
  const top = Array.from({ length: FINDINGS }, (_, index) => ({
    ...redis,
    subject: `tcp 0.0.0.0:${7000 + index} ${"redis-server".repeat(8)}`,
    evidence: "speaks Redis without TLS: ".padEnd(200, "x"),
    since,
  }));
  const audit = nodeAudit("fleet", { notMet: FINDINGS, findings: { ...noFindings, high: FINDINGS } }, { top });
  const before = await requests();
  const started = performance.now();
  await inParallel(names, (node) => report(node, { policies, audit }));
  const status = await becomes("all of them to be counted", async () => {
    const seen = await lab.statusOf("fleet");
    return seen.audit?.notMet === NODES && condition(seen, "Ready") === "True" ? seen : undefined;
  });
  const seconds = (performance.now() - started) / 1_000;

  expect(status.audit).toMatchObject({
    summary: "20000 findings, 20000 high",
    audited: NODES,
    findings: { high: NODES * FINDINGS },
  });
  expect(condition(status, "Audited")).toBe("False");
  expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(8 * 1024);
  expect(auditedMessage(status)).toMatch(/is not met on 1000 of 1000 nodes\. node-0: tcp 0\.0\.0\.0:7000 redis-server/);

  // Some Events are made, the rest is summed up in one on the policy; the API server hears no more of it.
  const summed = await becomes("the Event that sums up", async () => {
    const { items } = await lab.admin.list(resources.events, { namespace: "default" });
    return items.find((item) => (item as Event).reason === "FindingsSummedUp") as Event | undefined;
  });
  expect(summed.regarding).toMatchObject({ kind: "PortHardeningPolicy", name: "fleet" });
  expect(summed.note).toContain("20000 findings, 20000 high, on 1000 audited nodes");
  await becomes("every finding to have its Event or to be counted as dropped", async () =>
    (await total()) === NODES * FINDINGS + POLICY_EVENTS ? true : undefined,
  );
  const after = await requests();
  const made = after.events - before.events;
  const bound = EVENTS_AT_ONCE + POLICY_EVENTS + Math.ceil((performance.now() - started) / 1_000);
  expect(made).toBeGreaterThanOrEqual(EVENTS_AT_ONCE);
  expect(made).toBeLessThanOrEqual(bound);
  // A NodeState is read only where an Event about it can be made; a policy is written once a second, after a burst of five.
  expect(after.nodeStateReads - before.nodeStateReads).toBeLessThanOrEqual(bound);
  expect(after.policyWrites - before.policyWrites).toBeLessThanOrEqual(seconds + 10);
  expect(after.podLists).toBe(0);
});

/** Enforced, RequirementsNotMet, and the sum. */
const POLICY_EVENTS = 3;

type Event = KubeObject & { readonly reason: string; readonly note: string; readonly regarding: object };

function auditedMessage({ conditions }: PolicyStatus): string | undefined {
  return conditions?.find(({ type }) => type === "Audited")?.message;
}

async function report(name: string, status: object): Promise<void> {
  const object = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningNodeState",
    metadata: { name },
    status,
  };
  await lab.admin.apply(resources.nodeStates, object, { fieldManager: "agent", subresource: "status" });
}

async function inParallel(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  const left = [...names];
  const work = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await act(name);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

/** What the API server has answered so far, by its own count. */
async function requests() {
  const { stdout } = await lab.controlPlane.kubectl(["get", "--raw", "/metrics"]);
  const sum = (...labels: readonly string[]) =>
    stdout
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total{") && labels.every((label) => line.includes(label)))
      .reduce((count, line) => count + Number(line.split(" ").at(-1)), 0);
  return {
    events: sum('resource="events"', 'verb="POST"', 'group="events.k8s.io"'),
    nodeStateReads: sum('resource="porthardeningnodestates"', 'verb="GET"'),
    policyWrites: sum('resource="porthardeningpolicies"', 'subresource="status"'),
    podLists: sum('resource="pods"', 'verb="LIST"'),
  };
}

async function metric(line: RegExp): Promise<number> {
  return Number(line.exec(await controller.metrics())?.[1] ?? 0);
}

/** Of all Events, whatever became of them. */
async function total(): Promise<number> {
  const lines = (await controller.metrics()).matchAll(/^port_hardening_controller_events_total{.*} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function becomes<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const lastSeen = () => controller.log().slice(-2_000);
  return waitFor(what, probe, { timeoutMilliseconds: 60_000, intervalMilliseconds: 100, lastSeen });
}
