import { join } from "node:path";
import type { LabProcess } from "../test/lab/lab-process.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { type ShownKubectl, shownKubectl } from "./kubectl.ts";
import { policyName } from "./policy.ts";
import type { Show } from "./show.ts";

const PORT = 8080;
const FINDING = "protocols.plaintext-http";
const EVENT = "ProtocolsPlaintextHttp";
/** Agents look every 5 s, give a newcomer 1 s to stay and 1 s to speak first; the rest is for a machine with more to do. */
const WITHIN_SECONDS = 30;

const findings = 'jsonpath={range .status.audit.top[*]}{.severity} {.id}: {.subject} {.evidence}{"\\n"}{end}';
const message = 'jsonpath={.status.conditions[?(@.type=="Audited")].message}';

/** A server in plain text comes and goes: how soon kubectl says so, and where. */
export async function showAudit(show: Show, { controlPlane }: DemoCluster, node: DemoNode): Promise<void> {
  const shown = shownKubectl(show, controlPlane);
  show.step(`Somebody starts a web server without TLS on ${node.name}`);
  await audited(shown);
  const server = await startServer(node);
  const came = performance.now();
  show.note(`node web-server.ts ${PORT}   (on ${node.name})`);
  await audited(shown, "=false");
  const cameSeconds = secondsSince(came);
  await shown("get", "phpol", policyName, "-o", "wide");
  await shown("get", "phpol", policyName, "-o", message);
  const found = await shown("get", "phnode", node.name, "-o", findings);
  show.check(
    `the audit of ${node.name}`,
    `finds plain text on port ${PORT} within ${WITHIN_SECONDS} s; the policy is no longer Audited`,
    `${found.includes(FINDING) ? FINDING : "no such finding"} after ${cameSeconds.toFixed(1)} s`,
    found.includes(FINDING) && cameSeconds < WITHIN_SECONDS,
  );
  await showEvent(show, shown, controlPlane, node);

  await server.stop();
  const went = performance.now();
  show.note("the web server is stopped");
  await audited(shown);
  let left = "";
  // Of the two findings the one that the policy requires not to be may go first.
  const isGone = await waitFor(
    "the findings to go",
    async () => {
      const { stdout } = await controlPlane.kubectl(["get", "phnode", node.name, "-o", findings]);
      left = stdout
        .split("\n")
        .filter((line) => line.includes(`:${PORT} `))
        .join("\n");
      return left === "" || undefined;
    },
    { timeoutMilliseconds: 30_000 },
  ).catch(() => false);
  const wentSeconds = secondsSince(went);
  await shown("get", "phpol", policyName, "-o", "wide");
  show.check(
    "what was found",
    `is gone within ${WITHIN_SECONDS} s; the policy is Audited again`,
    isGone ? `gone after ${wentSeconds.toFixed(1)} s` : left.trimEnd(),
    isGone && wentSeconds < WITHIN_SECONDS,
  );
}

async function showEvent(
  show: Show,
  shown: ShownKubectl,
  { kubectl }: DemoCluster["controlPlane"],
  { name }: DemoNode,
): Promise<void> {
  const command = ["events", "--for", `phnode/${name}`];
  // The controller makes Events beside its other work.
  const made = await waitFor("an Event", async () => (await kubectl(command)).stdout.includes(EVENT) || undefined, {
    timeoutMilliseconds: 30_000,
  }).catch(() => false);
  await shown(...command);
  show.check(`an Event on ${name}`, "says it", made ? EVENT : "none came", made);
}

/** Until the policy is Audited, or with `=false`, until it is not. */
async function audited(shown: ShownKubectl, value = ""): Promise<void> {
  await shown("wait", `--for=condition=Audited${value}`, `phpol/${policyName}`, "--timeout=60s");
}

async function startServer(node: DemoNode): Promise<LabProcess> {
  const script = join(import.meta.dirname, "web-server.ts");
  const server = await node.spawn("web-server", process.execPath, [script, `${PORT}`]);
  await server.waitForLog(/listening/, 30_000);
  return server;
}

function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000;
}
