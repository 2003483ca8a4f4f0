import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Host } from "../../lab/hosts.ts";
import { createLab, type Lab, labAddress } from "../../lab/lab.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
} from "../../lab/operator-cluster.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const stranger = "192.0.2.7";
const [ssh, kubelet] = [22, 10250];

let lab: Lab;
let cluster: OperatorCluster;
let node: WorkerNode;
let peer: WorkerNode;
let api: URL;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${stranger}/24`] });
  const [first, second] = cluster.workers;
  if (first === undefined || second === undefined) throw new Error("the lab has no two nodes");
  [node, peer] = [first, second];
  api = new URL(cluster.controlPlane.server);
  const dns = await lab.root.spawn("dns", process.execPath, [resolve(import.meta.dirname, "dns-server.ts")]);
  await dns.waitForLog(/listening/, 30_000);
  for (const worker of cluster.workers) {
    await writeFile(join(worker.hostRoot, "etc/resolv.conf"), `nameserver ${labAddress.ipv4}\n`);
    await (await worker.traffic()).listen("tcp", [ssh, kubelet]);
  }
  await cluster.startController(["--leader-elect-lease-duration", "6"]);
  await Promise.all(cluster.workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
});
afterAll(() => lab?.close());
afterEach(async () => {
  await cluster.controlPlane.kubectl(["delete", "phpol", "--all", "--wait=true"]);
  await nodesWhere("{.status.counts.assigned}", "0");
});

const kubectl = async (...args: readonly string[]) => (await cluster.controlPlane.kubectl(args, LONG)).stdout.trim();
const LONG = { timeoutMilliseconds: 150_000 };
const nodesWhere = (path: string, value: string) =>
  kubectl("wait", `--for=jsonpath=${path}=${value}`, "phnode", "--all", "--timeout=120s");

async function apply(spec: object): Promise<void> {
  const rollout = { strategy: "Immediate" };
  const policy = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name: "cut" } };
  await cluster.apply(JSON.stringify({ ...policy, spec: { mode: "Enforce", rollout, ...spec } }));
}

/** Enforced on both nodes, as the policy's own status says. */
async function ready(): Promise<void> {
  await kubectl("wait", "--for=condition=Ready", "phpol/cut", "--timeout=120s");
  expect(await kubectl("get", "phpol", "cut", "-o", "jsonpath={.status.nodes.enforced}")).toBe("2");
  expect(await kubectl("get", "phnode", "-o", "jsonpath={.items[*].status.policies[*].state}")).toBe(
    "Enforced Enforced",
  );
}

async function connects(from: Host, to: string, port: number, source?: string): Promise<boolean> {
  const traffic = await from.traffic();
  const attempt = { to, port, ...(source === undefined ? {} : { from: source }) };
  return (await traffic.connect(attempt)).outcome === "connected";
}

/** New connections: to the node from outside and from a peer, and from the node. */
async function ways(): Promise<Readonly<Record<string, boolean>>> {
  return {
    ssh: await connects(cluster.outside, node.ipv4, ssh, stranger),
    stranger: await connects(cluster.outside, node.ipv4, served.hostPort, stranger),
    peer: await connects(peer, node.ipv4, served.hostPort),
    kubeletFromPeer: await connects(peer, node.ipv4, kubelet),
    apiServer: await connects(node, api.hostname, Number(api.port)),
    dns: await asksDns(),
  };
}

/** A question from the node, by a socket of its own; dig(1) is not on every machine. */
async function asksDns(): Promise<boolean> {
  const ask = `const { Resolver } = require("node:dns/promises"); const resolver = new Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers(["${labAddress.ipv4}"]);
    resolver.resolveNs(".").then(() => "answer", ({ code }) => code).then((said) => console.log(said));`;
  const { stdout } = await node.exec(process.execPath, ["-e", ask]);
  return stdout.trim() === "EREFUSED";
}

const everything = { ports: ["1-65535"], protocols: ["TCP", "UDP", "SCTP"], trustCluster: false };
const open = { ssh: true, kubeletFromPeer: true, apiServer: true, dns: true };

describe("a policy that cuts", () => {
  it("all but the failsafes stays: they are what brings the node back", async () => {
    expect(await ways()).toEqual({ ...open, stranger: true, peer: true });
    await apply({ firewall: { inbound: everything, outbound: everything } });
    await ready();
    expect(await ways()).toEqual({ ...open, stranger: false, peer: false });
  });

  it("only the peers stays, and they come in where nodes need each other", async () => {
    const allow = [{ name: "strangers", from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }];
    await apply({ firewall: { inbound: { trustCluster: false, allow } } });
    await ready();
    expect(await ways()).toEqual({ ...open, stranger: true, peer: false });
  });

  it("only DNS by its port has no effect there, and stays", async () => {
    const deny = [{ name: "dns", ports: [53], protocols: ["UDP", "TCP"] }];
    await apply({
      firewall: { outbound: { ports: [53], protocols: ["UDP", "TCP"], deny, defaultAction: "Allow" } },
    });
    await ready();
    expect(await ways()).toEqual({ ...open, stranger: true, peer: true });
  });

  it("only DNS, by local ports that its server's firewall refuses, is taken back by both nodes", async () => {
    const firewall = (verb: "-I" | "-D") =>
      lab.root.exec("iptables-nft", `-w 10 ${verb} INPUT -p udp --dport 53 --sport 10000:20000 -j DROP`.split(" "));
    await firewall("-I");
    try {
      await apply({ ephemeralPorts: { range: "10000-20000" } });
      // Not by an index: kubectl gives up at an event of a NodeState that has no policy yet.
      await nodesWhere("{.status.policies[*].state}", "RolledBack");
      expect(await kubectl("get", "phnode", "node1", "-o", "jsonpath={.status.policies[0].message}")).toContain(
        `rolled back: DNS server ${labAddress.ipv4} answered before the change, not behind it, and again`,
      );
      await kubectl("wait", "--for=jsonpath={.status.nodes.failed}=2", "phpol/cut", "--timeout=60s");
      expect(
        await kubectl("get", "phpol", "cut", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'),
      ).toBe("False");
      expect(await ways()).toEqual({ ...open, stranger: true, peer: true });
    } finally {
      await firewall("-D");
    }
  });
});
