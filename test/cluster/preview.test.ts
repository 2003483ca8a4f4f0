import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeStateStatus } from "../../src/api/node-state.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { type OperatorCluster, served } from "../lab/operator-cluster.ts";
import { operatorProgram } from "../lab/operator-program.ts";
import type { OpenConnection } from "../lab/traffic/traffic.ts";
import { waitFor } from "../lab/wait-for.ts";
import { office, stranger, usedCluster } from "./used-cluster.ts";

let lab: Lab;
let cluster: OperatorCluster;
let kubeconfig: string;
let open: readonly OpenConnection[];

beforeAll(async () => {
  lab = await createLab();
  ({ cluster, kubeconfig, open } = await usedCluster(lab, 2));
});
afterAll(() => lab?.close());

const policy = (name: string, spec: object) => {
  return { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name }, spec };
};
const allow = [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
const web = (existing: "Keep" | "Cut") =>
  policy("web", { mode: "Enforce", firewall: { existing, inbound: { allow } } });
const ignored = { pending: "Ignore", automatic: "Ignore" };
/** Agents report listeners and connections where a policy has them audited; it changes no rule. */
const watched = policy("watched", {
  mode: "Observe",
  audit: {
    mandatoryAccessControl: "Ignore",
    securityUpdates: ignored,
    plaintextProtocols: "Ignore",
    exposure: "Ignore",
  },
  monitoring: { listeners: { expected: [{ port: "1-65535" }] } },
});

/** The program as a user runs it at their desk. */
async function plan(input: object | string, args: readonly string[] = [], as = kubeconfig) {
  const [file, ...first] = operatorProgram;
  const asked = input === "" ? [] : ["-f", "-"];
  const { stdout, stderr, exitCode } = await execa(file, [...first, "plan", "--kubeconfig", as, ...asked, ...args], {
    input: typeof input === "string" ? input : JSON.stringify(input),
    reject: false,
  });
  return { stdout, stderr, exitCode };
}

async function planned(input: object | string, args: readonly string[] = [], as = kubeconfig) {
  const { stdout, stderr, exitCode } = await plan(input, ["--json", ...args], as);
  if (stdout === "") throw new Error(stderr);
  return { exitCode, ...JSON.parse(stdout) };
}

async function statusOf(name: string): Promise<NodeStateStatus> {
  const { stdout } = await cluster.controlPlane.kubectl(["get", "phnode", name, "-o", "json"]);
  return JSON.parse(stdout).status;
}

const nodes = ["node1", "node2"];

describe("porthardening plan in a live cluster", { timeout: 180_000 }, () => {
  it("says that it does not know who is connected, before any agent was asked to look", async () => {
    const { exitCode, changes, gaps, flows } = await planned(web("Keep"));
    expect({ exitCode, flows }).toEqual({ exitCode: 2, flows: [] });
    expect(changes).toMatchObject([{ nodes, policies: [{ policy: "web", change: "Added" }] }]);
    expect(gaps).toEqual([
      { reason: "FailsafesNotReported", nodes },
      { reason: "NotAudited", nodes },
    ]);
  });

  it("says whom a policy would hit on which nodes, from what agents report and the cluster declares", async () => {
    await cluster.apply(JSON.stringify(watched));
    for (const name of nodes) {
      let seen: NodeStateStatus | undefined;
      await waitFor(
        `${name} to report the connections that are open`,
        async () => {
          seen = await statusOf(name);
          const peers = seen.connections?.top.map(({ peer }) => peer) ?? [];
          return peers.includes(stranger) && seen.listeners !== undefined ? true : undefined;
        },
        { timeoutMilliseconds: 60_000, intervalMilliseconds: 200, lastSeen: () => JSON.stringify(seen) },
      );
    }
    await declare();
    const { exitCode, flows, places, gaps } = await planned(web("Cut"));
    expect(exitCode).toBe(3);
    expect(flows).toMatchObject([
      {
        effect: "Cut",
        certainty: "Certain",
        port: served.hostPort,
        peer: stranger,
        connections: 4,
        nodes,
        policy: "web",
      },
    ]);
    const closed = places
      .filter(({ change, family }: Record<string, unknown>) => change === "Narrowed" || family === 6)
      .map(({ change, kind, port, names, nodes: on }: Record<string, unknown>) => [change, kind, port, names, on]);
    expect(closed).toEqual(
      expect.arrayContaining([
        ["Narrowed", "Listener", served.hostPort, expect.anything(), nodes],
        ["Narrowed", "NodePort", served.nodePort, ["default/shop"], nodes],
        ["Narrowed", "HealthCheck", 31900, ["default/shop"], nodes],
        ["Narrowed", "HostPort", 12345, ["default/web"], ["node1"]],
        ["Narrowed", "HostNetwork", 12346, ["default/exporter"], ["node2"]],
        ["Closed", "HostNetwork", 12346, ["default/exporter"], ["node2"]],
      ]),
    );
    expect(gaps.map(({ reason }: { reason: string }) => reason)).toContain("OnlyTcpOfTheNode");
  });

  it("says what becomes of these connections: it was applied, and so it is", async () => {
    const { stdout } = await plan(web("Cut"));
    expect(stdout).toMatch(
      new RegExp(
        `^ {2}would cut (at least )?4 connections to ${served.hostPort}/tcp \\(.*\\) from ${stranger} on node1, node2`,
        "m",
      ),
    );
    await cluster.apply(JSON.stringify(web("Cut")));
    await cluster.controlPlane.kubectl(["wait", "--for=condition=Ready", "phpol/web", "--timeout=60s"]);
    const outcomes = () => Promise.all(open.map((one) => one.exchange(1_000)));
    const expected = nodes.flatMap(() => ["silent", "silent", "echoed"]);
    // What is open is looked at right after the rules.
    await expect.poll(outcomes, { timeout: 60_000 }).toEqual(expected);
  });

  it("has no change where it is applied, and opens where it goes", async () => {
    expect(await plan(web("Cut"))).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^no change on 2 nodes$/m),
    });
    const { exitCode, places } = await planned("", ["--delete", "web", "--node", "node2"]);
    expect(exitCode).toBe(2);
    expect(places).toEqual(
      expect.arrayContaining([expect.objectContaining({ change: "Opened", kind: "NodePort", nodes: ["node2"] })]),
    );
  });

  it("is told from an Observe policy what enforcing it would do", async () => {
    const deny = [{ name: "out", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
    const tried = policy("tried", { mode: "Observe", firewall: { inbound: { deny } } });
    expect(await planned(tried)).toMatchObject({ exitCode: 2, flows: [] });
    const { exitCode, flows } = await planned(tried, ["--enforce"]);
    expect(exitCode).toBe(3);
    expect(flows).toMatchObject([{ effect: "Refused", peer: office, connections: 2, policy: "tried", entry: "out" }]);
  });

  it("is told in statuses, by the nodes themselves, while the policy observes", async () => {
    const deny = [{ name: "out", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
    await cluster.apply(
      JSON.stringify(policy("tried", { mode: "Observe", firewall: { existing: "Cut", inbound: { deny } } })),
    );
    const path = "--for=jsonpath={.status.existingConnections.kept}=2";
    await cluster.controlPlane.kubectl(["wait", path, "phpol/tried", "--timeout=60s"]);
    const tried = (await statusOf("node1")).policies?.find(({ name }) => name === "tried");
    expect(tried?.existingConnections).toMatchObject({
      kept: 1,
      cut: 0,
      top: [{ direction: "Inbound", peer: office, protocol: "TCP", port: served.hostPort, connections: 1 }],
    });
    expect(await open[2]?.exchange(10_000)).toBe("echoed");
    await cluster.controlPlane.kubectl(["delete", "phpol", "tried"]);
  });

  it("works with rights to policies and nodes alone, and says what it could not see", async () => {
    const resources = "nodes,porthardeningpolicies,porthardeningnodestates,porthardeningaddressgroups";
    const { kubectl, kubeconfigFor } = cluster.controlPlane;
    await kubectl(["create", "serviceaccount", "author"]);
    await kubectl(["create", "clusterrole", "author", "--verb=list", `--resource=${resources}`]);
    await kubectl([
      "create",
      "clusterrolebinding",
      "author",
      "--clusterrole=author",
      "--serviceaccount=default:author",
    ]);
    const server = (await cluster.controlPlane.forward()).server;
    const author = await kubeconfigFor({ namespace: "default", name: "author" }, server);
    const { exitCode, gaps } = await planned(web("Keep"), [], author);
    expect(exitCode).toBe(2);
    expect(gaps).toEqual(
      expect.arrayContaining([
        { reason: "ServicesNotRead", nodes },
        { reason: "PodsNotRead", nodes },
      ]),
    );
  });

  it("names a node or a policy that is not there", async () => {
    expect(await plan(web("Cut"), ["--node", "node9"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no node node9/),
    });
    expect(await plan("", ["--delete", "none"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no policy none/),
    });
  });
});

/** A Service behind a load balancer, and pods that a scheduler has placed. */
async function declare(): Promise<void> {
  const metadata = (name: string) => ({ name, namespace: "default" });
  const pod = (name: string, nodeName: string, more: object, port: object) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata(name),
    spec: { nodeName, ...more, containers: [{ name: "it", image: "none.invalid/it", ports: [port] }] },
  });
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata("shop"),
    spec: {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 31900,
      selector: { app: "shop" },
      ports: [{ port: 443, nodePort: served.nodePort }],
    },
  };
  // What a controller manager makes.
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata("default") };
  for (const object of [
    account,
    service,
    pod("web", "node1", {}, { containerPort: 80, hostPort: 12345 }),
    pod("exporter", "node2", { hostNetwork: true }, { containerPort: 12346, hostPort: 12346 }),
  ])
    await cluster.apply(JSON.stringify(object));
}
