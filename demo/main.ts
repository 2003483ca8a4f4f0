/** `npm run demo`: the main job, end to end, on three nodes in network namespaces and a real API server. */
import { once } from "node:events";
import { createLab } from "../test/lab/lab.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
} from "../test/lab/operator-cluster.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import { showAudit } from "./audit.ts";
import { deleteRulesAndTime } from "./drift.ts";
import { shownKubectl } from "./kubectl.ts";
import { nodeSnapshot } from "./node-snapshot.ts";
import { showDropLog, showEphemeralRange, showOldConnection, showRateLimit, showWhoPasses } from "./packets.ts";
import { groupYaml, policyName, policyYaml, sourcePrefixes, sources } from "./policy.ts";
import { createShow, type Show } from "./show.ts";

const OUTSIDE_PORT = 7000;

async function main(keep: boolean): Promise<number> {
  const show = createShow(
    (text) => process.stdout.write(text),
    process.stdout.isTTY === true && !process.env["NO_COLOR"],
  );
  await using lab = await createLab();

  show.step("A cluster: three nodes, a control plane, the operator");
  const cluster = await startOperatorCluster(lab, { workers: 3, sources: sourcePrefixes, onProgress: show.note });
  const before = await Promise.all(cluster.workers.map(nodeSnapshot));
  show.note("starting the controller and an agent in each node's namespace");
  await cluster.startController();
  const agents = await Promise.all(cluster.workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster);
  await shownKubectl(show, cluster.controlPlane)("get", "nodes");

  await showTheMainJob(show, cluster, agents);
  if (keep) {
    await keepUntilInterrupted(show, cluster);
    return 0;
  }
  await showRemoval(show, cluster, before);

  show.step(show.failures.length === 0 ? "All as expected" : `${show.failures.length} not as expected`);
  for (const failure of show.failures) show.note(failure);
  return show.failures.length === 0 ? 0 : 1;
}

async function showTheMainJob(show: Show, cluster: OperatorCluster, agents: readonly LabProcess[]): Promise<void> {
  const [first, second] = cluster.workers;
  const [agent] = agents;
  if (first === undefined || second === undefined || agent === undefined) throw new Error("the demo needs two nodes");
  const outside = await cluster.outside.traffic();
  await outside.listen("tcp", [OUTSIDE_PORT]);
  const old = await outside.open({ from: sources.stranger, to: first.ipv4, port: served.hostPort });

  show.step("A policy, applied with kubectl");
  show.command("cat policy.yaml", policyYaml);
  show.command("kubectl apply -f blocklist.yaml", await cluster.apply(groupYaml));
  const started = performance.now();
  show.command("kubectl apply -f policy.yaml", await cluster.apply(policyYaml));
  const applied = performance.now();
  const kubectl = shownKubectl(show, cluster.controlPlane);
  await kubectl("wait", "--for=condition=Ready", `phpol/${policyName}`, "--timeout=20s");
  show.note(
    `apply took ${Math.round(applied - started)} ms; Ready was seen ${Math.round(performance.now() - applied)} ms after it`,
  );
  for (const kind of ["porthardeningpolicies", "phnode"]) await kubectl("get", kind);

  show.step(`Packets decide (${first.name}, ${first.ipv4}, ${first.ipv6})`);
  await showWhoPasses(show, outside, first);
  await showRateLimit(show, outside, second);
  await showEphemeralRange(show, first, { address: cluster.outside.ipv4, port: OUTSIDE_PORT });
  await showOldConnection(show, old);
  await showDrift(show, cluster, first);
  await showDropLog(show, agent, first);
  await showAudit(show, cluster, second);
}

async function showDrift(show: Show, { controlPlane }: OperatorCluster, node: WorkerNode): Promise<void> {
  show.step(`Somebody deletes our rules on ${node.name}`);
  const milliseconds = await deleteRulesAndTime(node);
  show.note(`nft delete table ip mangle   (on ${node.name})`);
  show.check(
    "the rules",
    "come back by themselves, within a second",
    `back after ${milliseconds.toFixed(0)} ms`,
    milliseconds < 1000,
  );
  const path = "jsonpath={.status.drift.last.by}: {range .status.drift.last.what[*]}{@}; {end}";
  const line = `kubectl get phnode ${node.name} -o '${path}'`;
  let seen = "";
  const said = await waitFor(
    "the node's status to tell of it",
    async () => {
      seen = (await controlPlane.kubectl(["get", "phnode", node.name, "-o", path])).stdout;
      return seen.startsWith(":") ? undefined : seen;
    },
    { timeoutMilliseconds: 10_000, lastSeen: () => seen },
  );
  show.command(line, said);
  show.check(
    "status.drift of the node",
    "names who did it and what was gone",
    said.split(":")[0] ?? "",
    said.includes("(nft)"),
  );
}

async function showRemoval(show: Show, cluster: OperatorCluster, before: readonly string[]): Promise<void> {
  show.step("The policy is deleted");
  await shownKubectl(show, cluster.controlPlane)("delete", "phpol", policyName);
  for (const [index, worker] of cluster.workers.entries()) {
    let now = "";
    const same = await waitFor(
      `${worker.name} to be as before`,
      async () => {
        now = await nodeSnapshot(worker);
        return now === before[index] ? true : undefined;
      },
      { timeoutMilliseconds: 10_000 },
    ).catch(() => false);
    show.check(
      `${worker.name}: iptables-save, ipset, sysctls, sysctl.d`,
      "as before the policy",
      same ? "the same" : `differs:\n${now}\n--- was ---\n${before[index]}`,
      same,
    );
  }
}

async function keepUntilInterrupted(show: Show, { controlPlane }: OperatorCluster): Promise<void> {
  const api = await controlPlane.forward();
  show.step("Kept for you, until Ctrl-C");
  show.note(`export KUBECONFIG=${api.kubeconfig}`);
  show.note("kubectl get porthardeningpolicies,phnode -o wide");
  await once(process, "SIGINT");
  await api.close();
}

const unknown = process.argv.slice(2).filter((argument) => argument !== "--keep");
if (unknown.length > 0) {
  process.stderr.write(`demo: unknown argument ${unknown.join(" ")}; there is --keep, which leaves the cluster up\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await main(process.argv.includes("--keep"));
}
