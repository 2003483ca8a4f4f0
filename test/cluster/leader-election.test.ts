import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { type OperatorCluster, startOperatorCluster } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const LEASE_SECONDS = 6;
const flags = ["--leader-elect-lease-duration", `${LEASE_SECONDS}`];
const WRITES = new Set(["create", "update", "patch", "delete"]);

let lab: Lab;
let cluster: OperatorCluster;
let auditLog: string;
let first: LabProcess;
let second: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  const folder = join(lab.root.folder, "audit-log");
  mkdirSync(folder);
  auditLog = join(folder, "audit.log");
  const policy = join(folder, "policy.yaml");
  // JSON is YAML.
  const rules = [{ level: "Metadata", users: ["system:serviceaccount:port-hardening:port-hardening-controller"] }];
  writeFileSync(
    policy,
    JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules }),
  );
  cluster = await startOperatorCluster(lab, {
    workers: 2,
    sources: [],
    apiServerFlags: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`],
  });
  first = await cluster.startController(flags);
  await first.waitForLog(/controller started/, 15_000);
  second = await cluster.startController(flags);
  await second.waitForLog(/waiting to lead/, 15_000);
});
afterAll(() => lab?.close());

interface AuditEvent {
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly objectRef: { readonly resource: string };
  readonly user: { readonly extra: Readonly<Record<string, readonly string[]>> };
}

/** What controllers wrote, apart from their lease: whose token it was, and when. */
function writes(): { readonly token: string; readonly at: number }[] {
  return readFileSync(auditLog, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditEvent => JSON.parse(line))
    .filter(({ verb, objectRef }) => WRITES.has(verb) && objectRef.resource !== "leases")
    .map(({ user, requestReceivedTimestamp }) => ({
      token: user.extra["authentication.kubernetes.io/credential-id"]?.[0] ?? "",
      at: Date.parse(requestReceivedTimestamp),
    }));
}

async function applyAndWait(name: string): Promise<void> {
  // No agent runs here to say that a canary enforces it.
  const spec = { mode: "Enforce", firewall: { inbound: {} }, rollout: { strategy: "Immediate" } };
  await cluster.apply(
    JSON.stringify({ apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name }, spec }),
  );
  await waitFor(
    `NodeStates to name ${name}`,
    async () => {
      const { stdout } = await cluster.controlPlane.kubectl([
        "get",
        "phnode",
        "-o",
        "jsonpath={.items[*].spec.policies[*].name}",
      ]);
      return stdout.split(" ").filter((it) => it === name).length === 2 ? true : undefined;
    },
    { timeoutMilliseconds: 20_000 },
  );
}

/** Until nobody has written for two seconds: statuses are written once a second at most. */
async function quiet(): Promise<void> {
  const settled = async () => {
    const before = writes().length;
    await sleep(2_000);
    return writes().length === before ? true : undefined;
  };
  await waitFor("nothing to be written any more", settled, { timeoutMilliseconds: 60_000 });
}

it("of two, the first leads and the other one writes nothing", async () => {
  await applyAndWait("early");
  expect(new Set(writes().map(({ token }) => token)).size).toBe(1);
  expect(second.log()).not.toContain("controller started");
});

it("a leader that stood still across its lease writes nothing more when it goes on, and ends", async () => {
  const old = writes()[0]?.token;
  // A request that is under way already cannot be held back: the version that it names decides about that one.
  await quiet();
  first.signal("SIGSTOP");
  await second.waitForLog(/controller started/, 3 * LEASE_SECONDS * 1_000);
  // It comes to know of this as soon as it goes on.
  await applyAndWait("late");
  const resumed = Date.now();
  first.signal("SIGCONT");
  expect((await first.exited).code).toBe(1);
  expect(first.log()).toContain("lease was lost");
  expect(writes().filter(({ token, at }) => token === old && at >= resumed)).toEqual([]);
  expect(second.running).toBe(true);
});

it("who is told to end gives the lease back: the next one need not wait", async () => {
  const third = await cluster.startController(flags);
  await third.waitForLog(/waiting to lead/, 15_000);
  await second.stop();
  const free = performance.now();
  await third.waitForLog(/controller started/, 10_000);
  // Within its next try; a lease that was not given back keeps it waiting for six seconds.
  expect(performance.now() - free).toBeLessThan(3_000);
});
