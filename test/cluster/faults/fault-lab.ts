import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { served } from "../../lab/operator-cluster.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, startAgentLab } from "../agent/agent-lab.ts";

export const allowed = "203.0.113.7";
export const refused = "192.0.2.7";
export const office = [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
/** Enforced before each of these tests. */
export const workers = assigned({ firewall: { inbound: { allow: office } } }, "workers");
/** Another revision of it, under which who is allowed and who is refused on the port that is served are the same. */
export const harmless = assigned({ firewall: { inbound: { ports: [served.hostPort], allow: office } } }, "workers");
/** Cuts the node off from its API server, which is no node here, and by another address than the agent knows. */
export const fatal = assigned(
  { firewall: { outbound: { protocols: ["TCP"], trustCluster: false } }, rollout: { confirmTimeoutSeconds: 8 } },
  "fatal",
);

type Predicate = (status: NodeStateStatus) => boolean;

export const outcome = (status: NodeStateStatus, name: string) =>
  status.policies?.find((policy) => policy.name === name);
export const is =
  (state: string, name = "workers", reason?: string): Predicate =>
  (status) =>
    outcome(status, name)?.state === state && (reason === undefined || outcome(status, name)?.reason === reason);
export const only: Predicate = ({ policies }) => policies?.length === 1;
/** This revision of `workers` is enforced, and nothing beside it. */
export const enforcesAlone =
  ({ hash }: { readonly hash: string }): Predicate =>
  (status) =>
    is("Enforced")(status) && only(status) && outcome(status, "workers")?.hash === hash;

/** One node with agent, guard, API server and kernel, on which `workers` is enforced when a test begins. */
export interface FaultLab {
  readonly lab: AgentLab;
  agent: LabProcess;
  /** In the folder that agent and guard share. */
  folder(...names: string[]): string;
  /** Whether a new connection from the node to its API server comes to stand. */
  reachesApiServer(): Promise<boolean>;
  /** Whether a new connection from outside to a port that policies judge comes to stand. */
  outsideReaches(from: string): Promise<boolean>;
  /** Until a change is in the kernel and not confirmed; its deadline. Polled without a pause: an agent decides within two seconds. */
  applied(): Promise<number>;
  /** Until the guard has rolled back; how long behind the deadline, in seconds. */
  rolledBackByGuard(deadline: number): Promise<number>;
}

/** Starts the lab before all tests of the file, and the agent before each. `flags`: of the agent. */
export function faultLab(through: () => readonly string[] = () => []): FaultLab {
  vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
  let lab: AgentLab | undefined;
  let agent: LabProcess | undefined;
  const folder = (...names: string[]) => join(one.lab.node.stateDirectory, "guard", ...names);
  const one: FaultLab = {
    get lab() {
      if (lab === undefined) throw new Error("the lab is not there yet");
      return lab;
    },
    get agent() {
      if (agent === undefined) throw new Error("no agent was started");
      return agent;
    },
    set agent(next) {
      agent = next;
    },
    folder,
    async reachesApiServer() {
      const { hostname, port } = new URL(one.lab.controlPlane.server);
      const traffic = await one.lab.node.traffic();
      return (await traffic.connect({ to: hostname, port: Number(port) })).outcome === "connected";
    },
    async outsideReaches(from) {
      const { node, outside } = one.lab;
      const traffic = await outside.traffic();
      return (await traffic.connect({ to: node.ipv4, port: served.hostPort, from })).outcome === "connected";
    },
    async applied() {
      await waitFor("the change to be applied", () => (existsSync(folder("armed", "applied")) ? true : undefined), {
        timeoutMilliseconds: 60_000,
        intervalMilliseconds: 1,
        lastSeen: () => one.agent.log().slice(-1_000),
      });
      return Number(readFileSync(folder("armed", "deadline"), "utf8"));
    },
    async rolledBackByGuard(deadline) {
      await waitFor("the guard to roll back", () => (existsSync(folder("rolled-back")) ? true : undefined), {
        timeoutMilliseconds: 90_000,
        intervalMilliseconds: 20,
      });
      return uptimeSeconds() - deadline;
    },
  };

  beforeAll(async () => {
    lab = await startAgentLab([`${allowed}/24`, `${refused}/24`], "Service");
  });
  afterAll(() => lab?.close());
  beforeEach(async () => {
    one.agent = await one.lab.startAgent([], through());
    await one.lab.assign([workers]);
    // Status may still be what an agent before wrote.
    await one.agent.waitForLog(/policies enforced/, 60_000);
    await one.lab.statusWhere("workers to be enforced alone", enforcesAlone(workers));
  });
  afterEach(async () => {
    agent?.signal("SIGCONT");
    lab?.node.guard.current?.signal("SIGCONT");
    await agent?.stop();
  });
  return one;
}

export function uptimeSeconds(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}
