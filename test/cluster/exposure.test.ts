import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PortHardeningNodeState } from "../../src/api/node-state.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { type LabProcess, tail } from "../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
  workerOf,
} from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

/** Nothing listens there. */
const closedPort = 9100;

let lab: Lab;
let cluster: OperatorCluster;
let target: WorkerNode;
let peer: WorkerNode;
let agent: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: ["203.0.113.7/24"] });
  [target, peer] = [workerOf(cluster, 0), workerOf(cluster, 1)];
  await cluster.startController();
  [agent] = await Promise.all([target.startAgent(["--prime-seconds", "0"]), peer.startAgent(["--prime-seconds", "0"])]);
  await agentsReady(cluster);
});
afterAll(() => lab?.close());

const kubectl = (...args: string[]) => cluster.controlPlane.kubectl(args);
const others = {
  mandatoryAccessControl: "Ignore",
  securityUpdates: { pending: "Ignore", automatic: "Ignore" },
  plaintextProtocols: "Ignore",
};
let audits = 0;

/** Peers are strangers to this policy: 8443 passes for all, the rest of its ports is dropped. */
async function applyPolicy(): Promise<void> {
  audits += 1;
  const inbound = {
    ports: [served.hostPort, closedPort],
    trustCluster: false,
    allow: [{ name: "web", ports: [served.hostPort] }],
  };
  await cluster.apply(
    JSON.stringify({
      apiVersion: "porthardening.io/v1alpha1",
      kind: "PortHardeningPolicy",
      metadata: { name: "strict" },
      spec: {
        mode: "Enforce",
        nodeSelector: { matchLabels: { "kubernetes.io/hostname": target.name } },
        firewall: { inbound },
        // What is asked of audits changes, so one is made.
        audit: { ...others, exposure: "Required", skipProbes: [20_000 + audits] },
      },
    }),
  );
}

async function nodeState(name: string): Promise<PortHardeningNodeState> {
  return JSON.parse((await kubectl("get", "phnode", name, "-o", "json")).stdout);
}

/** Has the node audited; gives what the check says that is made then, and its findings. */
async function audited() {
  const from = Date.now();
  await applyPolicy();
  let seen = "";
  return waitFor(
    "the exposure to be checked",
    async () => {
      const { spec, status } = await nodeState(target.name);
      seen = JSON.stringify({ probeAnswers: spec.probeAnswers, asks: status?.probeRequest, audit: status?.audit });
      const check = status?.audit?.checks.find(({ name, at }) => name === "exposure" && Date.parse(at) >= from);
      if (check === undefined) return undefined;
      return { check, findings: status?.audit?.top.filter(({ id }) => id.startsWith("exposure.")) ?? [] };
    },
    { timeoutMilliseconds: 40_000, intervalMilliseconds: 100, lastSeen: () => `${seen}\n${tail(agent.log(), 5)}` },
  );
}

/** Without conntrack, and ahead of it: the port that is closed leads to the one that is open, and its answers back. */
const foreignRedirect = `table ip foreign {
  set redirected { type ipv4_addr . inet_service; flags dynamic; timeout 1m; size 1024; }
  chain early {
    type filter hook prerouting priority -300;
    tcp dport ${closedPort} add @redirected { ip saddr . tcp sport } tcp dport set ${served.hostPort}
  }
  chain late {
    type filter hook postrouting priority 300;
    ip daddr . tcp dport @redirected tcp sport ${served.hostPort} tcp sport set ${closedPort}
  }
}`;

describe("a peer of the cluster", () => {
  it("reaches what the policies let it reach and nothing else: no finding, and nothing left of the question", async () => {
    const { check, findings } = await audited();
    expect(findings).toEqual([]);
    // Both ports in both families.
    expect(check).toMatchObject({ status: "Checked", examined: 4, findings: 0 });
    await waitFor(
      "question and answer to be gone",
      async () => {
        const states = await Promise.all([target, peer].map(({ name }) => nodeState(name)));
        const traces = states.flatMap(({ spec, status }) => [
          ...(spec.probes ?? []),
          ...(spec.probeAnswers ?? []),
          ...(status?.probeResults ?? []),
          ...(status?.probeRequest === undefined ? [] : [status.probeRequest]),
        ]);
        return traces.length === 0 ? true : undefined;
      },
      { timeoutMilliseconds: 10_000 },
    );
  });

  it("shows a leak: a port that is dropped by our rules, but translated by others before they see it", async () => {
    await target.exec("nft", [foreignRedirect]);
    const { findings } = await audited();
    await target.exec("nft", ["delete", "table", "ip", "foreign"]);
    expect(findings).toMatchObject([
      { id: "exposure.leak", severity: "high", subject: `TCP ${closedPort}`, port: closedPort },
    ]);
    expect(findings[0]?.evidence).toBe(
      `open to ${peer.ipv4} (${peer.name}) at ${target.ipv4}, though default of policy strict refuses it`,
    );
  });

  it("shows a cut: a listener that our rules let it reach, and another firewall does not", async () => {
    const rule = ["INPUT", "-p", "tcp", "--dport", String(served.hostPort), "-j", "DROP"];
    await target.exec("iptables-nft", ["-I", ...rule]);
    const { findings } = await audited();
    await target.exec("iptables-nft", ["-D", ...rule]);
    // And the leak of before is no more.
    expect(findings).toMatchObject([{ id: "exposure.cut", severity: "medium", port: served.hostPort }]);
    expect(findings[0]?.evidence).toContain(`no answer to ${peer.ipv4} (${peer.name}) at ${target.ipv4}`);
  });

  it("that is gone leaves the check NotChecked, with the reason", async () => {
    await kubectl("delete", "node", peer.name);
    const { check } = await audited();
    expect(check).toMatchObject({
      status: "NotChecked",
      reason: expect.stringMatching(/^no other node of the cluster/),
    });
  });
});
