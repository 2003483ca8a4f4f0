import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import type { Traffic } from "../lab/traffic/traffic.ts";
import { waitFor } from "../lab/wait-for.ts";
import { IMAGE_VARIABLE } from "./build-image.ts";
import { agentsToken } from "./cluster/agents-token.ts";
import {
  type ClusterToInstallInto,
  NAMESPACE,
  RELEASE,
  startClusterToInstallInto,
} from "./cluster/cluster-to-install-into.ts";
import { claims, office, policy, stranger } from "./cluster/enforced-policy.ts";
import { imageArchive } from "./cluster/image.ts";
import { type NodeSnapshot, snapshotNode } from "./cluster/node-snapshot.ts";
import { writeOlderChart } from "./cluster/older-chart.ts";
import { startPacketStream } from "./cluster/packet-stream.ts";
import type { RealNode } from "./cluster/real-cluster.ts";
import { hostWebObjects, nodePort, webObjects } from "./cluster/servers.ts";

// One cluster, and one life of an install from the first test to the last: each goes on where the one before ended.
let lab: Lab;
let cluster: ClusterToInstallInto;
let outside: Traffic;
let before: readonly NodeSnapshot[];
const started = performance.now();

beforeAll(async () => {
  lab = await createLab();
  cluster = await startClusterToInstallInto(lab, {
    archive: imageArchive(process.env[IMAGE_VARIABLE] ?? ""),
    sources: [`${office}/24`, `${stranger}/24`],
    servers: [...webObjects, ...hostWebObjects],
    onProgress: say,
  });
  outside = await cluster.outside.traffic();
  before = await Promise.all(cluster.nodes.map(snapshotNode));
  say("helm upgrade --install --wait");
  await cluster.install();
  say("installed");
});
afterAll(() => {
  say("the end");
  return lab?.close();
});

function say(what: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${what}`);
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
}

/** But for those that are on their way out: a Deployment is rolled out before they have gone. */
async function podsOf(component: "agent" | "controller"): Promise<readonly Pod[]> {
  const selector = `app.kubernetes.io/component=${component}`;
  const { items } = await cluster.get<{ items: readonly Pod[] }>("pods", "-n", NAMESPACE, "-l", selector);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function agentOn({ name }: RealNode): Promise<string> {
  const pod = (await podsOf("agent")).find(({ spec }) => spec.nodeName === name);
  if (pod === undefined) throw new Error(`no agent runs on ${name}`);
  return pod.metadata.name;
}

const uidsOf = async (component: "agent" | "controller") =>
  (await podsOf(component)).map(({ metadata }) => metadata.uid).toSorted();

async function expectEnforced(): Promise<void> {
  const made = claims(cluster);
  const results = await outside.connectAll(made);
  const seen = made.map(({ from, to, port }, index) => `${from} -> ${to}:${port} ${results[index]?.outcome}`);
  expect(seen).toEqual(made.map(({ from, to, port, outcome }) => `${from} -> ${to}:${port} ${outcome}`));
}

/** Sends packets all the while; none may meet anything but what the policy says. */
async function expectNoGapWhile(act: () => Promise<void>): Promise<void> {
  const stream = startPacketStream(outside, claims(cluster));
  try {
    await act();
  } finally {
    const { made, broken } = await stream.stop();
    expect(broken.slice(0, 20)).toEqual([]);
    expect(made).toBeGreaterThan(100);
  }
}

const ours = async (node: RealNode) =>
  (await snapshotNode(node)).rules.filter((rule) => /PH-|port-hardening/.test(rule));

describe("a cluster with real nodes", () => {
  it("runs an agent on each node and two controllers on different ones after helm install --wait", async () => {
    expect((await podsOf("agent")).map(({ spec }) => spec.nodeName).toSorted()).toEqual(["node1", "node2"]);
    expect((await podsOf("controller")).map(({ spec }) => spec.nodeName).toSorted()).toEqual(["node1", "node2"]);
    const { stdout } = await cluster.controlPlane.kubectl(["get", "phnode"]);
    expect(stdout).toMatch(/^node1 .* True /m);
    expect(stdout).toMatch(/^node2 .* True /m);
  });

  it("has everybody reach every server before there is a policy", async () => {
    const results = await outside.connectAll(claims(cluster));
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => "connected"));
  });

  it("makes a policy Ready that kubectl applies, and writes range and rules on both nodes", async () => {
    await cluster.apply(policy);
    await waitUntil("--for=condition=Ready", "phpol/workers");
    const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol"]);
    expect(stdout).toMatch(/^workers +Enforce +2 +2 +0 +0 +Ready /m);
    for (const node of cluster.nodes) {
      expect((await node.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"])).stdout).toBe("49152\t65535\n");
      expect((await node.exec("cat", ["/etc/sysctl.d/99-port-hardening.conf"])).stdout).toContain("49152 65535");
    }
  });

  it("lets the allowed source through to host port, NodePort and ClusterIP of a hostNetwork pod, and nobody else", async () => {
    await expectEnforced();
  });

  it("leaves kubectl logs and kubectl exec of the agent working", async () => {
    const { kubectl } = cluster.controlPlane;
    for (const node of cluster.nodes) {
      const agent = await agentOn(node);
      expect((await kubectl(["logs", "-n", NAMESPACE, agent])).stdout).toContain('"msg":"agent started"');
      const { stdout } = await kubectl(["exec", "-n", NAMESPACE, agent, "--", "cat", "/proc/sys/kernel/hostname"]);
      expect(stdout).toBe(`${node.name}\n`);
    }
  });

  it("enforces without a gap while an agent's pod is deleted and comes back", async () => {
    const { kubectl } = cluster.controlPlane;
    const gone = await agentOn(cluster.first);
    await expectNoGapWhile(async () => {
      await kubectl(["delete", "pod", "-n", NAMESPACE, gone, "--wait"], { timeoutMilliseconds: 120_000 });
      await rolledOut(`daemonset/${RELEASE}-agent`);
    });
    expect(await agentOn(cluster.first)).not.toBe(gone);
  });

  it("lets the token of one node's agent write that node's objects, and no other's", async () => {
    const { write, close } = await agentsToken(cluster, await agentOn(cluster.first));
    try {
      await write.status("node1");
      await write.lease("node1");
      const refused = "the agent of node node1 writes only objects named node1";
      await expect(write.status("node2")).rejects.toThrow(refused);
      await expect(write.lease("node2")).rejects.toThrow(refused);
      // Specs are the controller's, also that of its own node.
      for (const node of ["node1", "node2"]) await expect(write.spec(node)).rejects.toThrow(/cannot patch resource/);
    } finally {
      await close();
    }
  });

  it("goes on where kube-proxy is switched to nftables", async () => {
    for (const node of cluster.nodes) {
      await node.setProxyMode("nftables");
      await waitFor(
        `kube-proxy's own table on ${node.name}`,
        async () =>
          (await node.tryExec("nft", ["list", "map", "ip", "kube-proxy", "service-nodeports"])).stdout.includes(
            `${nodePort}`,
          ) || undefined,
        { timeoutMilliseconds: 120_000 },
      );
      expect((await node.exec("iptables-save", ["-t", "nat"])).stdout).not.toContain("KUBE-SVC");
    }
    await expectEnforced();
    const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol", "workers"]);
    expect(stdout).toMatch(/^workers +Enforce +2 +2 +0 +0 +Ready /m);
  });
});

describe("an upgrade by Helm", () => {
  it("replaces the agents where a value of theirs changed, and nobody else, without a gap or another rule", async () => {
    const [agents, controllers, rules] = [await uidsOf("agent"), await uidsOf("controller"), await ours(cluster.first)];
    const older = join(lab.folder, "older-chart");
    await writeOlderChart(older, "monitoring");
    await expectNoGapWhile(async () => void (await cluster.install(["agent.logLevel=debug"], older)));
    for (const uid of await uidsOf("agent")) expect(agents).not.toContain(uid);
    expect(await uidsOf("controller")).toEqual(controllers);
    expect(await ours(cluster.first)).toEqual(rules);
  });

  it("replaces agents and controllers where settings changed, and brings an older CRD up", async () => {
    const newer = { ...policy, spec: { ...policy.spec, monitoring: { dropLog: { perMinute: 30 } } } };
    const apply = () => cluster.controlPlane.tryKubectl(["apply", "-f", "-"], { input: JSON.stringify(newer) });
    expect((await apply()).stderr).toContain('unknown field "spec.monitoring"');
    const [agents, controllers] = [await uidsOf("agent"), await uidsOf("controller")];
    await expectNoGapWhile(async () => void (await cluster.install(["podsOnUplink=true"])));
    for (const uid of await uidsOf("agent")) expect(agents).not.toContain(uid);
    for (const uid of await uidsOf("controller")) expect(controllers).not.toContain(uid);
    expect(await apply()).toMatchObject({ exitCode: 0 });
    await waitUntil("--for=condition=Ready", "phpol/workers");
    await expectEnforced();
  });
});

describe("helm uninstall", () => {
  it("leaves rules, sets, sysctls and /etc of every node as they were before the install", async () => {
    for (const node of cluster.nodes) expect((await ours(node)).length).toBeGreaterThan(10);
    await cluster.helm(["uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "180s"]);
    const selector = `app.kubernetes.io/instance=${RELEASE}`;
    await waitUntil("--for=delete", "pod", "-A", "-l", selector);
    const after = await Promise.all(cluster.nodes.map(snapshotNode));
    for (const [index, snapshot] of after.entries()) expect(snapshot).toEqual(before[index]);
    const results = await outside.connectAll(claims(cluster));
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => "connected"));
  });

  it("takes all of its objects with it, but the kinds and the policies of the users", async () => {
    const { kubectl } = cluster.controlPlane;
    const kinds = "all,configmap,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,pdb";
    const admission = ["validating", "mutating"]
      .flatMap((kind) => [`${kind}admissionpolicy`, `${kind}admissionpolicybinding`])
      .join(",");
    const of = ["-A", "-l", `app.kubernetes.io/instance=${RELEASE}`, "-o", "name"];
    expect((await kubectl(["get", `${kinds},${admission}`, ...of])).stdout).toBe("");
    expect((await kubectl(["get", "phpol", "-o", "name"])).stdout).toContain("/workers");
  });
});

async function rolledOut(what: string): Promise<void> {
  await cluster.controlPlane.kubectl(["rollout", "status", what, "-n", NAMESPACE, "--timeout=120s"], {
    timeoutMilliseconds: 130_000,
  });
}

async function waitUntil(...what: readonly string[]): Promise<void> {
  await cluster.controlPlane.kubectl(["wait", ...what, "--timeout=120s"], { timeoutMilliseconds: 130_000 });
}
