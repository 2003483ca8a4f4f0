/**
 * `npm run demo`: the main job, end to end, on three nodes in network namespaces and a real API server. With `--kubelet`, on two nodes
 * with real kubelet, containerd and kube-proxy, installed with Helm. `--keep` leaves the cluster up.
 */
import { once } from "node:events";
import { join } from "node:path";
import { execa } from "execa";
import { createLab, type Lab } from "../test/lab/lab.ts";
import { served } from "../test/lab/operator-cluster.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import { showAudit } from "./audit.ts";
import { showCommitConfirm } from "./commit-confirm.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { deleteRulesAndTime } from "./drift.ts";
import { shownKubectl } from "./kubectl.ts";
import { startKubeletCluster } from "./kubelet-cluster.ts";
import { startNamespaceCluster } from "./namespace-cluster.ts";
import { nodeSnapshot } from "./node-snapshot.ts";
import { showDropLog, showEphemeralRange, showOldConnection, showRateLimit, showWhoPasses } from "./packets.ts";
import { showPlan } from "./plan.ts";
import { groupYaml, policyName, policyYaml, sources } from "./policy.ts";
import { createShow, type Show } from "./show.ts";

const OUTSIDE_PORT = 7000;
/** It takes a tenth of a second; the rest is for a machine with more to do. */
const DRIFT_SECONDS = 5;
const options = ["keep", "kubelet"] as const;

async function main({ keep, kubelet }: Record<(typeof options)[number], boolean>): Promise<number> {
  const show = createShow(
    (text) => process.stdout.write(text),
    process.stdout.isTTY === true && !process.env["NO_COLOR"],
  );
  // `npm run demo` has made ready what both kinds of cluster need.
  if (kubelet) await execa("sh", [join(import.meta.dirname, "../scripts/setup.sh"), "node"], { stdio: "inherit" });
  await using lab = await createLab();

  show.step(`A cluster: ${kubelet ? "two nodes with kubelets" : "three nodes"}, a control plane, the operator`);
  const cluster = await (kubelet ? startKubeletCluster : startNamespaceCluster)(lab, show);
  const before = await Promise.all(cluster.workers.map(nodeSnapshot));
  await cluster.install();
  await shownKubectl(show, cluster.controlPlane)("get", "nodes");

  await showTheMainJob(show, lab, cluster);
  if (keep) {
    await keepUntilInterrupted(show, cluster);
    return 0;
  }
  await showRemoval(show, cluster, before);

  show.step(show.failures.length === 0 ? "All as expected" : `${show.failures.length} not as expected`);
  for (const failure of show.failures) show.note(failure);
  return show.failures.length === 0 ? 0 : 1;
}

async function showTheMainJob(show: Show, lab: Lab, cluster: DemoCluster): Promise<void> {
  const [first, second] = cluster.workers;
  if (first === undefined || second === undefined) throw new Error("the demo needs two nodes");
  const outside = await cluster.outside.traffic();
  await outside.listen("tcp", [OUTSIDE_PORT]);
  const place = { to: first.ipv4, port: served.hostPort };
  const old = await outside.open({ from: sources.stranger, ...place });
  const offices = [
    await outside.open({ from: sources.office, ...place }),
    await outside.open({ from: sources.office, ...place }),
  ] as const;

  show.step("A policy, applied with kubectl");
  show.command("cat policy.yaml", policyYaml);
  show.command("kubectl apply -f blocklist.yaml", await cluster.apply(groupYaml));
  const started = performance.now();
  show.command("kubectl apply -f policy.yaml", await cluster.apply(policyYaml));
  const applied = performance.now();
  const kubectl = shownKubectl(show, cluster.controlPlane);
  await kubectl("wait", "--for=condition=Ready", `phpol/${policyName}`, "--timeout=60s");
  show.note(
    `apply took ${Math.round(applied - started)} ms; Ready was seen ${Math.round(performance.now() - applied)} ms after it`,
  );
  for (const kind of ["porthardeningpolicies", "phnode"]) await kubectl("get", kind);

  show.step(`Packets decide (${first.name}, ${first.ipv4}, ${first.ipv6})`);
  await showWhoPasses(show, outside, { node: first, nodePortsOverIpv6: cluster.nodePortsOverIpv6 });
  await showRateLimit(show, outside, second);
  await showEphemeralRange(show, first, { address: cluster.outside.ipv4, port: OUTSIDE_PORT });
  await showOldConnection(show, old);
  await showDrift(show, cluster, first);
  await showDropLog(show, first);
  await showAudit(show, cluster, second);
  await showPlan(show, lab, cluster, { node: first, connections: offices.length });
  await showCommitConfirm(show, lab, cluster, { node: first, outside, open: offices[0] });
}

async function showDrift(show: Show, { controlPlane }: DemoCluster, node: DemoNode): Promise<void> {
  show.step(`Somebody deletes our rules on ${node.name}`);
  const milliseconds = await deleteRulesAndTime(node);
  show.note(`nft delete table ip mangle   (on ${node.name})`);
  show.check(
    "the rules",
    `come back by themselves, within ${DRIFT_SECONDS} s`,
    `back after ${milliseconds.toFixed(0)} ms`,
    milliseconds < DRIFT_SECONDS * 1_000,
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
    { timeoutMilliseconds: 30_000, lastSeen: () => seen },
  );
  show.command(line, said);
  show.check(
    "status.drift of the node",
    "names who did it and what was gone",
    said.split(":")[0] ?? "",
    said.includes("(nft)"),
  );
}

async function showRemoval(show: Show, cluster: DemoCluster, before: readonly string[]): Promise<void> {
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
      { timeoutMilliseconds: 30_000 },
    ).catch(() => false);
    show.check(
      `${worker.name}: iptables-save, ipset, sysctls, sysctl.d`,
      "as before the policy",
      same ? "the same" : `differs:\n${now}\n--- was ---\n${before[index]}`,
      same,
    );
  }
}

async function keepUntilInterrupted(show: Show, { controlPlane }: DemoCluster): Promise<void> {
  const api = await controlPlane.forward();
  show.step("Kept for you, until Ctrl-C");
  show.note(`export KUBECONFIG=${api.kubeconfig}`);
  show.note("kubectl get porthardeningpolicies,phnode -o wide");
  await once(process, "SIGINT");
  await api.close();
}

const given = process.argv.slice(2);
const unknown = given.filter((argument) => !options.some((option) => argument === `--${option}`));
if (unknown.length > 0) {
  process.stderr.write(
    `demo: unknown argument ${unknown.join(" ")}; there are --keep, which leaves the cluster up, and --kubelet, for real nodes\n`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = await main({ keep: given.includes("--keep"), kubelet: given.includes("--kubelet") });
}
