import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
  workerOf,
} from "../lab/operator-cluster.ts";
import type { Traffic } from "../lab/traffic/traffic.ts";
import { waitFor } from "../lab/wait-for.ts";

const office = "203.0.113.7";
/** A killed controller would keep the next one waiting for its lease. */
const ALONE = ["--no-leader-elect"];
const stranger = "198.51.100.9";

let lab: Lab;
let cluster: OperatorCluster;
let controller: LabProcess;
let outside: Traffic;
let first: WorkerNode;
let second: WorkerNode;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${stranger}/24`] });
  controller = await cluster.startController(ALONE);
  await Promise.all(cluster.workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
  [first, second] = [workerOf(cluster, 0), workerOf(cluster, 1)];
  outside = await cluster.outside.traffic();
});
afterAll(() => lab?.close());

function policy(name: string, spec: object): string {
  const metadata = { name };
  return JSON.stringify({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata,
    spec: { mode: "Enforce", ...spec },
  });
}

const fromOffice = {
  firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } },
};

async function conditionOf(
  name: string,
  type: string,
): Promise<{ status: string; reason: string; message: string } | undefined> {
  const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol", name, "-o", "json"]);
  const { metadata, status } = JSON.parse(stdout);
  if (status?.observedGeneration !== metadata.generation) return undefined;
  return status.conditions.find((one: { type: string }) => one.type === type);
}

async function conditionBecomes(name: string, type: string, is: "True" | "False") {
  let seen: unknown;
  return waitFor(
    `${type} of ${name} to be ${is}`,
    async () => {
      const condition = await conditionOf(name, type);
      seen = condition;
      return condition?.status === is ? condition : undefined;
    },
    { timeoutMilliseconds: 15_000, lastSeen: () => JSON.stringify(seen) },
  );
}

async function reaches(from: string, node: WorkerNode): Promise<string> {
  return (await outside.connect({ from, to: node.ipv4, port: served.hostPort })).outcome;
}

const rulesOn = async (node: WorkerNode) =>
  (await node.exec("iptables-nft-save", ["-t", "mangle"])).stdout.split("\n").filter((line) => line.startsWith("-A"));

async function rulesGone(node: WorkerNode): Promise<void> {
  await waitFor(
    `the rules to leave ${node.name}`,
    async () => ((await rulesOn(node)).length === 0 ? true : undefined),
    {
      timeoutMilliseconds: 10_000,
    },
  );
}

beforeEach(async () => {
  await cluster.controlPlane.kubectl([
    "delete",
    "phpol,phag",
    "-l",
    "!porthardening.io/cluster",
    "--all=false",
    "--ignore-not-found",
  ]);
  await Promise.all(cluster.workers.map(rulesGone));
});

describe("what a node cannot apply", () => {
  it("changes nothing there, and stands in NodeState and policy in the kernel's own words, until it is mended", async () => {
    await cluster.apply(policy("good", fromOffice));
    await conditionBecomes("good", "Ready", "True");
    const before = await rulesOn(first);

    const bad = { ...fromOffice, sysctls: { "net.ipv4.tcp_syncookies": "999" } };
    await cluster.apply(policy("good", { ...bad, firewall: { inbound: {} } }));
    const stalled = await conditionBecomes("good", "Stalled", "True");
    expect(stalled.reason).toBe("RolloutHalted");
    expect(stalled.message).toMatch(/^1 of 2 nodes failed: node1/);
    expect(stalled.message).toMatch(/node1.*net\.ipv4\.tcp_syncookies.*[Ii]nvalid argument/s);
    const { stdout } = await cluster.controlPlane.kubectl(["get", "phnode", first.name, "-o", "json"]);
    const [reported] = JSON.parse(stdout).status.policies;
    expect(reported).toMatchObject({
      name: "good",
      state: "Failed",
      message: expect.stringMatching(/[Ii]nvalid argument/),
    });
    expect(await rulesOn(first)).toEqual(before);
    expect(await reaches(office, first)).toBe("connected");
    // It was the canary: the other node was never told.
    const other = await cluster.controlPlane.kubectl(["get", "phnode", second.name, "-o", "json"]);
    expect(JSON.parse(other.stdout).status.policies).toMatchObject([{ name: "good", state: "Enforced" }]);
    expect(await rulesOn(second)).not.toEqual([]);
    expect([await reaches(office, second), await reaches(stranger, second)]).toEqual(["connected", "timeout"]);

    await cluster.apply(policy("good", fromOffice));
    await conditionBecomes("good", "Ready", "True");
  });

  it("does not keep another policy from its nodes' rules that are in force", async () => {
    await cluster.apply(policy("good", fromOffice));
    await conditionBecomes("good", "Ready", "True");
    await cluster.apply(policy("bad", { sysctls: { "net.ipv4.tcp_syncookies": "999" } }));
    await conditionBecomes("bad", "Stalled", "True");
    expect((await conditionOf("good", "Ready"))?.status).toBe("True");
    expect(await reaches(stranger, first)).toBe("timeout");
  });
});

describe("the fleet", () => {
  it("follows a node's labels: rules come with the label and go with it", async () => {
    await cluster.apply(policy("edge", { ...fromOffice, nodeSelector: { matchLabels: { edge: "true" } } }));
    await conditionBecomes("edge", "Ready", "True");
    expect(await rulesOn(second)).toEqual([]);
    await cluster.controlPlane.kubectl(["label", "node", second.name, "edge=true"]);
    await waitFor("the rules", async () => ((await rulesOn(second)).length > 0 ? true : undefined), {
      timeoutMilliseconds: 10_000,
    });
    expect(await reaches(stranger, second)).toBe("timeout");
    expect(await reaches(stranger, first)).toBe("connected");
    await cluster.controlPlane.kubectl(["label", "node", second.name, "edge-"]);
    await rulesGone(second);
    expect(await reaches(stranger, second)).toBe("connected");
  });

  it("says of the loser of two policies who won and what", async () => {
    await cluster.apply(policy("high", { priority: 10, ephemeralPorts: { range: "50000-60000" } }));
    await cluster.apply(policy("low", { ephemeralPorts: { range: "40000-60000" } }));
    const lost = await conditionBecomes("low", "Conflicted", "True");
    expect(lost.message).toMatch(/range.*high/);
    await conditionBecomes("high", "Ready", "True");
    expect((await first.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"])).stdout.trim()).toBe("50000\t60000");
  });

  it("takes an edit of an address group to the kernel without touching a rule", async () => {
    const group = (addresses: string[]) =>
      JSON.stringify({
        apiVersion: "porthardening.io/v1alpha1",
        kind: "PortHardeningAddressGroup",
        metadata: { name: "friends" },
        spec: { addresses },
      });
    await cluster.apply(group(["203.0.113.0/24"]));
    await cluster.apply(
      policy("friends", {
        firewall: { inbound: { allow: [{ name: "friends", from: [{ addressGroup: { name: "friends" } }] }] } },
      }),
    );
    await conditionBecomes("friends", "Ready", "True");
    expect(await reaches(stranger, first)).toBe("timeout");
    const counted = async () => (await first.exec("iptables-nft-save", ["-c", "-t", "mangle"])).stdout;
    const dropped = /^\[([1-9]\d*):\d+\] -A PH-J .*friends\/default.*$/m;
    expect(await counted()).toMatch(dropped);
    await cluster.apply(group(["203.0.113.0/24", "198.51.100.0/24"]));
    await waitFor(
      "the stranger to be let in",
      async () => ((await reaches(stranger, first)) === "connected" ? true : undefined),
      { timeoutMilliseconds: 10_000 },
    );
    // A rule written anew would count from zero.
    expect(await counted()).toMatch(dropped);
  });

  it("goes on where a killed controller stopped", async () => {
    controller.signal("SIGKILL");
    await controller.exited;
    await cluster.apply(policy("late", fromOffice));
    controller = await cluster.startController(ALONE);
    await conditionBecomes("late", "Ready", "True");
    expect(await reaches(stranger, first)).toBe("timeout");
  });
});
