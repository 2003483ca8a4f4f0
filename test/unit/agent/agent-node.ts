import { Registry } from "prom-client";
import { agentMetrics } from "../../../src/agent/agent-metrics.ts";
import { auditMetrics } from "../../../src/agent/audit-metrics.ts";
import type { Charges } from "../../../src/agent/charges.ts";
import type { Disengagement } from "../../../src/agent/disengage-file.ts";
import { disengaged } from "../../../src/agent/disengaged.ts";
import type { FoundFile } from "../../../src/agent/found-file.ts";
import type { NodeStateRecord } from "../../../src/agent/inputs.ts";
import { nodeAudits } from "../../../src/agent/node-audits.ts";
import type { Sight } from "../../../src/agent/node-sight.ts";
import { type Reconciler, reconciler } from "../../../src/agent/reconciler.ts";
import type { LastApplied, LoadedState, StateDirectory } from "../../../src/agent/state-directory.ts";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import { fakeKernel } from "../../../src/kernel/fake-kernel.ts";
import type { DriftEvent, Kernel } from "../../../src/kernel/kernel.ts";
import { type MemoryHost, memoryHost } from "../../../src/kernel/memory-host.ts";
import type { FoundFact } from "../../../src/plan/found-failsafes.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { hostView } from "../audit/recorded-host.ts";
import { type MemoryGuard, type MemoryProbing, memoryGuard, memoryProbing } from "./memory-guard.ts";

/** What the controller publishes at least: the address of the node itself. */
const ownNodes: GroupAddresses = {
  name: "cluster-nodes-0",
  labels: { "porthardening.io/cluster": "nodes" },
  addresses: ["198.18.0.11/32"],
};

/** A state directory in memory; `refuse` makes it a disk that is full. */
export interface MemoryDirectory extends StateDirectory {
  stored: LoadedState;
  charges: readonly Charges[];
  refuse: Error | undefined;
  saves: number;
}

/** A node in memory with its agent's reconciler: the API server is `server`, time is `clock`. */
export interface AgentNode {
  readonly host: MemoryHost;
  readonly kernel: Kernel;
  readonly directory: MemoryDirectory;
  readonly guard: MemoryGuard;
  readonly probing: MemoryProbing;
  readonly server: {
    synced: boolean;
    refusals: readonly string[];
    nodeState: NodeStateRecord | undefined;
    groups: readonly GroupAddresses[];
    revision: number;
  };
  /** `set`: by how much somebody has moved the wall clock. */
  readonly clock: { now: number; set: number };
  /** What the node shows of itself; at first nothing. */
  readonly sight: { now: Sight; readonly file: FoundFile };
  /** Paths of files that are there. */
  readonly files: Set<string>;
  /** What a person on the node said, who switched us off. */
  readonly switchedOff: { now: Disengagement | undefined };
  /** Every status that was handed over, the newest last. */
  readonly published: NodeStateStatus[];
  readonly metrics: Registry;
  /** The newest. */
  status(): NodeStateStatus;
  /** A new spec from the controller; the API server keeps what the agent last published. */
  assign(policies: readonly unknown[] | undefined): void;
  /** Beside the cluster's own, unless `clusterGroups` says otherwise. */
  setGroups(groups: readonly GroupAddresses[], clusterGroups?: readonly GroupAddresses[]): void;
  /** One pass. Returns in how many milliseconds the next is due. */
  pass(): Promise<number>;
  drift(by?: string): void;
  /** The agent anew on the same node and disk. */
  restart(): void;
  reconciler(): Reconciler;
  /** Tools that wrote to the kernel since the last call. */
  writes(): string[];
  /** Every line of the log. */
  logged(): readonly Readonly<Record<string, unknown>>[];
}

export interface AgentNodeOptions {
  readonly primeSeconds?: number;
  /** Wraps the kernel, for errors that the memory host cannot make. */
  readonly wrap?: (kernel: Kernel) => Kernel;
}

export function agentNode({ primeSeconds = 30, wrap = (kernel) => kernel }: AgentNodeOptions = {}): AgentNode {
  const host = memoryHost();
  // Something else on the node has conntrack running, unless a test says otherwise.
  host.rules[4].restore("*mangle\n-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n", () => true);
  const clock = { now: Date.parse("2026-01-01T00:00:00Z"), set: 0 };
  let kept: readonly FoundFact[] = [];
  const file: FoundFile = {
    load: async () => kept,
    forget: () => Promise.reject(new Error("no agent does that")),
    save: async (facts) => {
      kept = facts;
    },
  };
  const switchedOff: AgentNode["switchedOff"] = { now: undefined };
  const disengageFile = {
    read: async () => switchedOff.now,
    disengage: () => Promise.reject(new Error("no agent does that")),
    engage: () => Promise.reject(new Error("no agent does that")),
  };
  const files = new Set<string>();
  const sight: AgentNode["sight"] = { now: new Map(), file };
  const directory = memoryDirectory();
  const guard = memoryGuard({ kernel: () => kernel, directory });
  const probing = memoryProbing();
  const published: NodeStateStatus[] = [];
  const server: AgentNode["server"] = {
    synced: true,
    refusals: [],
    nodeState: undefined,
    groups: [ownNodes],
    revision: 0,
  };
  let metrics = new Registry();
  let generation = 0;
  let written: string[] = [];
  const lines: string[] = [];
  const watchWrites: MemoryHost["run"] = (command, args, options) => {
    const writesSets = args[0] === "restore" && /^(?!list )\S/m.test(options.input ?? "");
    if (command.endsWith("-restore") || writesSets) written.push(command);
    return host.run(command, args, options);
  };
  const observed: MemoryHost = { ...host, run: watchWrites };

  function start(): { kernel: Kernel; agent: Reconciler } {
    const kernel = wrap(fakeKernel({ host: observed, now: () => clock.now }));
    metrics = new Registry();
    const inputs = {
      get synced() {
        return server.synced;
      },
      get missing() {
        return server.synced ? [] : ["the node's state was not read yet"];
      },
      get refusals() {
        return server.refusals;
      },
      get revision() {
        return server.revision;
      },
      nodeState: () => server.nodeState,
      groups: () => server.groups,
    };
    // It makes no checks here: nothing runs it.
    const audits = nodeAudits({
      inputs,
      host: hostView({ files: {} }),
      changer: unchangeable,
      reports: { write: async () => undefined, remove: async () => undefined },
      metrics: auditMetrics(metrics),
      sockets: { listening: async () => [], connections: async () => [] },
      checks: CHECKS,
      nodeName: "node-1",
      log: createLogger({ name: "agent", level: "fatal" }),
      now: () => clock.now,
      onChange: () => undefined,
    });
    const log = createLogger({
      name: "agent",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const agent = reconciler({
      kernel,
      inputs,
      disengaged: disengaged(disengageFile, log),
      host: { modifiedAt: async (path) => (files.has(path) ? 0 : undefined) },
      found: { sight: { look: async () => sight.now }, file: sight.file },
      guard,
      probing,
      measuring: { follow: () => {}, status: () => ({}) },
      pods: { follow: () => {}, counts: () => undefined },
      directory,
      settings: DEFAULT_NODE_SETTINGS,
      agentVersion: "1.2.3",
      primeMilliseconds: primeSeconds * 1000,
      log,
      metrics: agentMetrics(metrics),
      audits,
      clock: { now: () => clock.now, wallOf: (moment) => moment + clock.set },
      publish: (_uid, status) => published.push(status),
    });
    return { kernel, agent };
  }
  let { kernel, agent } = start();

  return {
    host,
    get kernel() {
      return kernel;
    },
    directory,
    guard,
    probing,
    server,
    clock,
    sight,
    files,
    switchedOff,
    published,
    get metrics() {
      return metrics;
    },
    status() {
      const last = published.at(-1);
      if (last === undefined) throw new Error("no status was published");
      return last;
    },
    assign(policies) {
      generation += 1;
      server.revision += 1;
      const status = published.at(-1);
      server.nodeState = { uid: "state-1", generation, policies, probes: [], probeAnswers: [], status };
    },
    setGroups(groups, clusterGroups = [ownNodes]) {
      server.revision += 1;
      server.groups = [...clusterGroups, ...groups];
    },
    pass: async () => (await agent.reconcile()) - clock.now,
    drift: (by) => agent.noticed({ by, at: clock.now } satisfies DriftEvent),
    restart() {
      ({ kernel, agent } = start());
      if (server.nodeState !== undefined) server.nodeState = { ...server.nodeState, status: published.at(-1) };
    },
    reconciler: () => agent,
    writes: () => written.splice(0),
    logged: () => lines.map((line) => JSON.parse(line)),
  };
}

const refuse = () => Promise.reject(new Error("no policy of these tests changes the host"));
const unchangeable = { writeFile: refuse, removeFile: refuse, systemctl: refuse };

function memoryDirectory(): MemoryDirectory {
  const directory: MemoryDirectory = {
    stored: { kind: "None" },
    refuse: undefined,
    saves: 0,
    load: async () => directory.stored,
    async save(last: LastApplied) {
      if (directory.refuse !== undefined) throw directory.refuse;
      directory.saves += 1;
      directory.stored = { kind: "Found", last: structuredClone(last) };
    },
    charges: [],
    loadCharges: async () => directory.charges,
    async saveCharges(charges) {
      if (directory.refuse !== undefined) throw directory.refuse;
      directory.charges = structuredClone(charges);
    },
    async forget() {
      directory.stored = { kind: "None" };
      directory.charges = [];
    },
  };
  return directory;
}
