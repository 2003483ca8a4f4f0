import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, labAddress } from "../test/lab/lab.ts";
import { served } from "../test/lab/operator-cluster.ts";
import type { AttemptResult } from "../test/lab/traffic/protocol.ts";
import type { OpenConnection, Traffic } from "../test/lab/traffic/traffic.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { shownKubectl } from "./kubectl.ts";
import { hastyYaml, policyName, policyYaml, sources, unforeseenPorts } from "./policy.ts";
import { startReach } from "./reach.ts";
import type { Show } from "./show.ts";

/** It takes a fraction of one; the rest is for a machine with more to do. */
const BEHIND_SECONDS = 15;
/** What the row shows of before and after. */
const SHOWN_SECONDS = 0.8;
const LIMITS = { timeoutMilliseconds: 60_000, intervalMilliseconds: 20 } as const;

interface CutNode {
  readonly node: DemoNode;
  readonly outside: Traffic;
  /** The office's, from before. */
  readonly open: OpenConnection;
}

/** A change that cuts a node off, and its agent killed in the midst of it: the guard takes it back, and status says so. */
export async function showCommitConfirm(
  show: Show,
  lab: Pick<Lab, "root">,
  cluster: DemoCluster,
  cut: CutNode,
): Promise<void> {
  const { node } = cut;
  show.step(`It is applied all the same, and the agent of ${node.name} is killed before it can take it back`);
  const { from, to } = unforeseenPorts;
  const firewall = ["-s", node.ipv4, "-p", "tcp", "--syn", "--sport", `${from}:${to}`, "-j", "DROP"];
  show.note(`A firewall before the API server drops new connections from ports ${from}-${to}, which the edit brings.`);
  await lab.root.exec("iptables-nft", ["-w", "10", "-I", "INPUT", ...firewall]);
  try {
    await showTimeline(show, cluster, cut);
    await node.agent.start();
    await showWhoWasCharged(show, cluster, node);
  } finally {
    await lab.root.exec("iptables-nft", ["-w", "10", "-D", "INPUT", ...firewall]);
  }
  show.command("kubectl apply -f policy.yaml", await cluster.apply(policyYaml));
  const kubectl = shownKubectl(show, cluster.controlPlane);
  await kubectl("wait", "--for=condition=Ready", `phpol/${policyName}`, "--timeout=60s");
}

/** What was sent, when it was cut off, when it was back, and who did it. */
async function showTimeline(show: Show, cluster: DemoCluster, { node, outside, open }: CutNode): Promise<void> {
  const reach = startReach(outside, { from: sources.monitor, to: node.ipv4, port: served.hostPort });
  const event = (at: number, text: string) => show.note(`${at.toFixed(1).padStart(5)} s  ${text}`);
  const inside = await node.traffic();
  const asksApi = async () => (await inside.connect({ to: labAddress.ipv4, port: 6443 })).outcome;
  const api = `${node.name} -> API server`;
  const way = `${sources.monitor} -> ${node.name} port ${served.hostPort}`;

  event(await reach.until(true, 0), `${way}: connects`);
  await reach.until(true, SHOWN_SECONDS);
  const killing = node.agent.killOnceApplied().then((how) => {
    const at = reach.now();
    return { at, how, deadline: at + deadlineOf(node) - uptimeSeconds() };
  });
  event(reach.now(), "kubectl apply -f hasty.yaml");
  const [killed] = await Promise.all([killing, cluster.apply(hastyYaml)]);
  const by = `${killed.deadline.toFixed(1)} s`;
  event(killed.at, `the edit is in the kernel, to be confirmed by ${by}; ${killed.how}`);
  const [cutAt, apiMeanwhile] = await Promise.all([reach.until(false, killed.at), asksApi()]);
  event(cutAt, `${way}: no answer; ${api}: ${words(apiMeanwhile)}`);
  await waitFor("the guard", () => existsSync(join(node.guard.folder, "rolled-back")) || undefined, LIMITS);
  const rolledBack = reach.now();
  event(rolledBack, "the guard has taken it back");
  const againAt = await reach.until(true, cutAt);
  const apiAgain = await asksApi();
  event(againAt, `${way}: connects; ${api}: ${words(apiAgain)}`);
  const exchange = await open.exchange();
  await reach.until(true, againAt + SHOWN_SECONDS);
  await reach.stop();
  show.note(`one sign each 0.2 s    ${reach.row()}`);

  show.check(
    `${way}`,
    `cut, and back by itself at the deadline (${by})`,
    `cut at ${cutAt.toFixed(1)} s, back at ${againAt.toFixed(1)} s`,
    againAt > cutAt && rolledBack - killed.deadline < BEHIND_SECONDS,
  );
  show.check(
    `${api}, by a new connection`,
    "no answer meanwhile; then connects",
    `${words(apiMeanwhile)}; then ${words(apiAgain)}`,
    apiMeanwhile === "timeout" && apiAgain === "connected",
  );
  show.check("the office's connection, open all the time", "still flows", exchange, exchange === "echoed");
}

/** The agent that is started again finds what the guard has done. */
async function showWhoWasCharged(show: Show, { controlPlane }: DemoCluster, node: DemoNode): Promise<void> {
  const kubectl = shownKubectl(show, controlPlane);
  show.note(`the agent of ${node.name} is started again`);
  const path = `jsonpath={.status.policies[?(@.name=="${policyName}")].message}`;
  let said = "";
  await waitFor(
    "the node's status to tell of it",
    async () => {
      said = (await controlPlane.kubectl(["get", "phnode", node.name, "-o", path])).stdout;
      return said.startsWith("rolled back") || undefined;
    },
    { timeoutMilliseconds: 90_000, lastSeen: () => said },
  );
  const log = await node.guard.log();
  const did = "guard: not confirmed (expired): rolling back";
  show.command(node.guard.logCommand, log);
  show.check("who did it", "the guard, at the deadline", log.includes(did) ? did : log, log.includes(did));
  await kubectl("get", "phnode", node.name, "-o", path);
  await kubectl("wait", "--for=condition=Stalled", `phpol/${policyName}`, "--timeout=60s");
  const shown = await kubectl("get", "phpol", policyName, "-o", "wide");
  show.check(
    "status",
    `charges the edit with it, and its roll-out halts at ${node.name}`,
    `${said.split(":")[0]}; ${shown.includes("RolloutHalted") ? "RolloutHalted" : "no halt"}`,
    said.startsWith("rolled back by the guard") && shown.includes("RolloutHalted"),
  );
}

function words(outcome: AttemptResult["outcome"]): string {
  return { connected: "connects", timeout: "no answer", refused: "refused", failed: "failed" }[outcome];
}

/** In seconds since boot, as the guard goes by. */
function deadlineOf({ guard }: DemoNode): number {
  return Number(readFileSync(join(guard.folder, "armed", "deadline"), "utf8"));
}

function uptimeSeconds(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}
