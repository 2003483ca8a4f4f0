import { readdir } from "node:fs/promises";
import { expect } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import type { PolicyStatus } from "../../../src/api/policy.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { type LabProcess, tail } from "../../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
} from "../../lab/operator-cluster.ts";
import type { OperatorProgram } from "../../lab/operator-program.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { startPacketStream } from "../../node/cluster/packet-stream.ts";
import { releases } from "./releases.ts";

export const office = "203.0.113.7";
export const stranger = "198.51.100.9";
export const TIMEOUT = { timeoutMilliseconds: 120_000, intervalMilliseconds: 100 };

export interface NodeState {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly policies: readonly {
      readonly name: string;
      readonly hash: string;
      readonly plan: { readonly format: number };
    }[];
  };
  readonly status?: NodeStateStatus;
}

/** Two nodes with real agents and a controller, each of whatever release; two policies are enforced. */
export interface SkewLab {
  readonly cluster: OperatorCluster;
  readonly first: WorkerNode;
  readonly second: WorkerNode;
  readonly nodes: readonly WorkerNode[];
  /** In place of the one that ran. */
  runController(release: OperatorProgram): Promise<void>;
  stopController(): Promise<void>;
  runAgent(on: WorkerNode, release: OperatorProgram): Promise<void>;
  agentOn(node: WorkerNode): LabProcess;
  stateOf(node: WorkerNode): Promise<NodeState>;
  nodeWhere(node: WorkerNode, what: string, holds: (state: NodeState) => boolean): Promise<NodeState>;
  /** Every plan is in this format, and the agent says of each that it is enforced at this very revision. */
  enforcedIn(node: WorkerNode, format: number): Promise<NodeState>;
  agentReads(node: WorkerNode, formats: readonly number[]): Promise<NodeState>;
  statusWhere(policy: string, holds: (status: PolicyStatus) => boolean): Promise<PolicyStatus>;
  ready(policy: string): Promise<PolicyStatus>;
  bothReady(): Promise<void>;
  reaches(from: string, node: WorkerNode): Promise<string>;
  /** Strangers knock all the while and none may get in; no rule is written anew; the office is let in before and after. */
  expectNoGapWhile(act: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export const condition = (status: PolicyStatus, type: string) =>
  status.conditions?.find((candidate) => candidate.type === type);

/** A file of the agent's own that it could not read. */
export async function hasSetAside({ stateDirectory }: WorkerNode): Promise<boolean> {
  return (await readdir(stateDirectory)).includes("last.json.unusable");
}

/** Lets the office in, and nobody else. */
export function letsOfficeIn(name: string, port: number): string {
  const allow = [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [port] }];
  return policy(name, { firewall: { inbound: { allow } } });
}

function policy(name: string, spec: object): string {
  const apiVersion = "porthardening.io/v1alpha1";
  return JSON.stringify({
    apiVersion,
    kind: "PortHardeningPolicy",
    metadata: { name },
    spec: { mode: "Enforce", ...spec },
  });
}

export async function startSkewLab(): Promise<SkewLab> {
  const lab = await createLab();
  try {
    return await startIn(lab);
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function startIn(lab: Lab): Promise<SkewLab> {
  const cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${stranger}/24`] });
  const { workers: nodes, controlPlane } = cluster;
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error("two workers were asked for");
  const outside = await cluster.outside.traffic();
  const agents = new Map<string, LabProcess>();
  let controller: LabProcess | undefined;

  async function get<T>(...what: readonly string[]): Promise<T> {
    return JSON.parse((await controlPlane.kubectl(["get", ...what, "-o", "json"])).stdout) as T;
  }
  const logs = (...processes: readonly (LabProcess | undefined)[]) =>
    processes.map((one) => (one === undefined ? "" : tail(one.log(), 5))).join("\n");
  const rulesOf = async (node: WorkerNode) => {
    const families = ["ip", "ip6"].flatMap((family) => ["mangle", "filter"].map((table) => [family, table]));
    const lists = await Promise.all(families.map((table) => node.tryExec("nft", ["-a", "list", "table", ...table])));
    // With their handles, which are new ones where a rule is written anew.
    return lists.map(({ stdout }) => stdout.replaceAll(/counter packets \d+ bytes \d+/g, "counter")).join("");
  };

  const it: SkewLab = {
    cluster,
    first,
    second,
    nodes,
    async runController(release) {
      await it.stopController();
      // One that is killed would keep the next waiting for its lease.
      controller = await cluster.startController(["--no-leader-elect"], release);
    },
    async stopController() {
      await controller?.stop(20_000);
    },
    async runAgent(on, release) {
      await agents.get(on.name)?.stop(20_000);
      agents.set(on.name, await on.startAgent([], release));
    },
    agentOn({ name }) {
      const agent = agents.get(name);
      if (agent === undefined) throw new Error(`no agent was started on ${name}`);
      return agent;
    },
    stateOf: ({ name }) => get<NodeState>("phnode", name),
    async nodeWhere(node, what, holds) {
      let seen: NodeState | undefined;
      const look = async () => {
        seen = await it.stateOf(node);
        return holds(seen) ? seen : undefined;
      };
      const lastSeen = () => `${JSON.stringify(seen)}\n${logs(controller, agents.get(node.name))}`;
      return waitFor(`${node.name} ${what}`, look, { ...TIMEOUT, lastSeen });
    },
    enforcedIn: (node, format) =>
      it.nodeWhere(node, `to enforce plans of format ${format}`, ({ spec, status }) =>
        spec.policies.every(
          ({ name, hash, plan }) =>
            plan.format === format &&
            status?.policies?.some((one) => one.name === name && one.hash === hash && one.state === "Enforced"),
        ),
      ),
    agentReads: (node, formats) =>
      it.nodeWhere(
        node,
        `to read plan formats ${formats.join()}`,
        ({ status }) => status?.planFormats?.join() === formats.join(),
      ),
    async statusWhere(name, holds) {
      let seen: PolicyStatus | undefined;
      const look = async () => {
        const found = await get<{ metadata: { generation: number }; status?: PolicyStatus }>("phpol", name);
        seen = found.status ?? {};
        return seen.observedGeneration === found.metadata.generation && holds(seen) ? seen : undefined;
      };
      const lastSeen = () => `${JSON.stringify(seen)}\n${logs(controller)}`;
      return waitFor(`the status of ${name}`, look, { ...TIMEOUT, lastSeen });
    },
    ready: (name) => it.statusWhere(name, (status) => condition(status, "Ready")?.status === "True"),
    async bothReady() {
      for (const name of ["workers", "settings"]) await it.ready(name);
    },
    async reaches(from, { ipv4: to }) {
      const attempt = { from, to, port: served.hostPort };
      return (await outside.connect(attempt, { timeoutMilliseconds: 5_000 })).outcome;
    },
    async expectNoGapWhile(act) {
      const claims = nodes.map(({ ipv4: to }) => ({
        from: stranger,
        to,
        port: served.hostPort,
        outcome: "timeout" as const,
      }));
      const before = await Promise.all(nodes.map(rulesOf));
      for (const node of nodes) expect(await it.reaches(office, node)).toBe("connected");
      const stream = startPacketStream(outside, claims);
      try {
        await act();
      } finally {
        const { made, broken } = await stream.stop();
        expect(broken.slice(0, 20)).toEqual([]);
        expect(made).toBeGreaterThan(0);
      }
      expect(await Promise.all(nodes.map(rulesOf))).toEqual(before);
      for (const text of before) expect(text).toContain("chain PH-J");
      for (const node of nodes) expect(await it.reaches(office, node)).toBe("connected");
    },
    close: () => lab.close(),
  };

  await it.runController(releases.today);
  for (const node of nodes) await it.runAgent(node, releases.today);
  await agentsReady(cluster, TIMEOUT.timeoutMilliseconds);
  const limit = { name: "per-source", newConnections: { limit: 1000, per: "Second", burst: 1000 } };
  await cluster.apply(letsOfficeIn("workers", served.hostPort));
  await cluster.apply(policy("settings", { sysctls: { "net.ipv4.tcp_syncookies": "2" }, rateLimits: [limit] }));
  await it.bothReady();
  return it;
}
