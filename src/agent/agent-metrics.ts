import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ApplyResult } from "../kernel/kernel.ts";
import { LOCAL_RESERVED_PORTS } from "../plan/port-sysctls.ts";
import type { DropReader } from "./drop-reader.ts";
import type { LimitFill } from "./limit-fill.ts";
import { NODE_PROBLEMS, type NodeProblem, type PolicyOutcome } from "./node-status.ts";

/** What the agent says to Prometheus. Labels are bounded by what is assigned to the node. */
export interface AgentMetrics {
  applied(result: ApplyResult): void;
  applyFailed(): void;
  repaired(repair: { readonly milliseconds: number }): void;
  policies(outcomes: readonly PolicyOutcome[]): void;
  /** Those that stand now. */
  problems(problems: readonly NodeProblem[]): void;
  statusWritten(): void;
  statusWriteFailed(): void;
  drops(read: Pick<DropReader, "counts" | "observed">): void;
  limitFills(fills: readonly LimitFill[]): void;
  verified(at: number | undefined): void;
  /** Those with a single number as value. */
  sysctls(values: ReadonlyMap<string, string | undefined>): void;
  /** NaN where conntrack is not loaded. */
  conntrack(entries: number, max: number): void;
}

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function agentMetrics(registry: Registry): AgentMetrics {
  const registers = [registry];
  const applies = new Counter({
    name: "port_hardening_applies_total",
    help: "Times that the kernel was made to match what is assigned, by whether something had to be written.",
    labelNames: ["written"],
    registers,
  });
  const failures = new Counter({
    name: "port_hardening_apply_failures_total",
    help: "Times that the kernel could not be made to match.",
    registers,
  });
  const duration = new Histogram({
    name: "port_hardening_apply_duration_seconds",
    help: "Time to write and read back.",
    buckets: SECONDS,
    registers,
  });
  const repairs = new Counter({
    name: "port_hardening_drift_repairs_total",
    help: "Changes by others that were put right.",
    registers,
  });
  const repairDuration = new Histogram({
    name: "port_hardening_drift_repair_duration_seconds",
    help: "Time from seeing a change by others to having read back its repair.",
    buckets: SECONDS,
    registers,
  });
  const enforced = new Gauge({
    name: "port_hardening_policy_enforced",
    help: "1 where the policy was read back from the kernel at its current revision, else 0.",
    labelNames: ["policy"],
    registers,
  });
  const problem = new Gauge({
    name: "port_hardening_node_problem",
    help: "1 where something is wrong with the node as a whole, else 0.",
    labelNames: ["problem"],
    registers,
  });
  const statusWrites = new Counter({
    name: "port_hardening_status_writes_total",
    help: "Times that the status of the NodeState was written.",
    registers,
  });
  const statusWriteFailures = new Counter({
    name: "port_hardening_status_write_failures_total",
    help: "Times that it could not be written; it is tried again.",
    registers,
  });
  const dropped = new Counter({
    name: "port_hardening_dropped_packets_total",
    help: "Packets dropped or rejected, by direction, policy and entry; entry `default` is the default action.",
    labelNames: ["direction", "policy", "entry"],
    registers,
  });
  const existing = new Gauge({
    name: "port_hardening_existing_connections",
    help: "Connections from before that the policy would refuse if they were opened anew, by whether they live on.",
    labelNames: ["policy", "fate"],
    registers,
  });
  const wouldDrop = new Counter({
    name: "port_hardening_would_drop_packets_total",
    help: "Packets that passed and that a policy in mode Observe would drop or reject, by direction, policy and entry.",
    labelNames: ["direction", "policy", "entry"],
    registers,
  });
  const wouldOpen = new Counter({
    name: "port_hardening_would_open_packets_total",
    help: "Packets that were dropped or rejected and that a policy in mode Observe would let pass.",
    labelNames: ["direction", "policy", "entry"],
    registers,
  });
  const limitSources = new Gauge({
    name: "port_hardening_limit_sources",
    help: "Sources that a limit on new connections remembers; when it has no room left, new sources are refused.",
    labelNames: ["policy", "limit", "family"],
    registers,
  });
  const limitSourcesMax = new Gauge({
    name: "port_hardening_limit_sources_max",
    help: "Sources that it remembers at most.",
    labelNames: ["policy", "limit", "family"],
    registers,
  });
  const verified = new Gauge({
    name: "port_hardening_last_verified_timestamp_seconds",
    help: "When all rules, sets and sysctls were last found right.",
    registers,
  });
  const sysctl = new Gauge({
    name: "port_hardening_sysctl",
    help: "Measured value of a sysctl that is a number; of a range the `low` and the `high` end.",
    labelNames: ["key", "bound"],
    registers,
  });
  const conntrackEntries = new Gauge({
    name: "port_hardening_conntrack_entries",
    help: "Connections that conntrack knows.",
    registers,
  });
  const conntrackMax = new Gauge({
    name: "port_hardening_conntrack_entries_max",
    help: "Connections that conntrack takes at most.",
    registers,
  });

  return {
    applied({ unchanged, milliseconds }) {
      applies.inc({ written: unchanged ? "false" : "true" });
      duration.observe(milliseconds / 1000);
    },
    applyFailed: () => failures.inc(),
    repaired({ milliseconds }) {
      repairs.inc();
      repairDuration.observe(milliseconds / 1000);
    },
    policies(outcomes) {
      enforced.reset();
      existing.reset();
      for (const { name, state, existingConnections: connections } of outcomes) {
        enforced.set({ policy: name }, state === "Enforced" ? 1 : 0);
        if (connections === undefined) continue;
        existing.set({ policy: name, fate: "kept" }, connections.kept);
        existing.set({ policy: name, fate: "cut" }, connections.cut);
      }
    },
    problems(problems) {
      for (const type of NODE_PROBLEMS) {
        problem.set({ problem: type }, problems.some((standing) => standing.type === type) ? 1 : 0);
      }
    },
    statusWritten: () => statusWrites.inc(),
    statusWriteFailed: () => statusWriteFailures.inc(),
    drops({ counts, observed }) {
      for (const [counter, read] of [
        [dropped, counts],
        [wouldDrop, observed.Drop],
        [wouldOpen, observed.Open],
      ] as const) {
        counter.reset();
        for (const { packets, ...labels } of read.entries()) counter.inc({ ...labels }, packets);
      }
    },
    limitFills(fills) {
      limitSources.reset();
      limitSourcesMax.reset();
      for (const { policy, limit, family, sources, max } of fills) {
        const labels = { policy, limit, family: family === 4 ? "ipv4" : "ipv6" };
        limitSources.set(labels, sources);
        limitSourcesMax.set(labels, max);
      }
    },
    verified(at) {
      if (at === undefined) verified.remove({});
      else verified.set(at / 1000);
    },
    sysctls(values) {
      sysctl.reset();
      for (const [key, value] of values) {
        const numbers = key === LOCAL_RESERVED_PORTS ? [] : (value ?? "").trim().split(/\s+/).map(Number);
        if (!numbers.every(Number.isFinite)) continue;
        const [low, high, ...more] = numbers;
        if (low === undefined || more.length > 0) continue;
        sysctl.set({ key, bound: high === undefined ? "" : "low" }, low);
        if (high !== undefined) sysctl.set({ key, bound: "high" }, high);
      }
    },
    conntrack(entries, max) {
      conntrackEntries.set(entries);
      conntrackMax.set(max);
    },
  };
}
