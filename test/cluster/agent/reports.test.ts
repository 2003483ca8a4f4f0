import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditReport, type ClusterReport, RESULTS_MAX } from "../../../src/agent/audit-report.ts";
import { type ClusterReports, clusterReports, ForeignReportError } from "../../../src/agent/cluster-reports.ts";
import { reportWriter } from "../../../src/agent/report-writer.ts";
import type { AuditState } from "../../../src/audit/audit-state.ts";
import { kubeClient } from "../../../src/kube/client.ts";
import { ForbiddenError, NotServedError } from "../../../src/kube/errors.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { type ControlPlane, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { auditState, check, finding, found, longestFinding } from "../../unit/agent/audit-states.ts";

const project = join(import.meta.dirname, "../../..");
/** As the OpenReports project publishes it; scripts/setup.sh fetches it. */
const definition = join(project, ".cache/clusterreports.yaml");
const never = new AbortController().signal;

let lab: Lab;
let controlPlane: ControlPlane;
let agents: Record<"node1" | "node2", KubeClient>;
let node1: ClusterReports;

/** A client with the rights that an agent on this node has. */
async function agentOf(node: string, server: string): Promise<KubeClient> {
  const account = { namespace: "port-hardening", name: "port-hardening-agent", node };
  return kubeClient(loadKubeConfig(await controlPlane.kubeconfigFor(account, server)));
}

beforeAll(async () => {
  await readFile(definition).catch((cause: Error) => {
    throw new Error(`${definition} is not there; fetch it with: npm run setup`, { cause });
  });
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "--server-side", "-f", join(project, "crds")]);
  await controlPlane.kubectl(["apply", "-k", join(project, "deploy")]);
  for (const name of ["node1", "node2"]) {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name } };
    await controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(node) });
  }
  const { server } = await controlPlane.forward();
  agents = { node1: await agentOf("node1", server), node2: await agentOf("node2", server) };
  node1 = reportsOf("node1");
});
afterAll(async () => {
  await Promise.all([agents?.node1.close(), agents?.node2.close()]);
  await lab?.close();
});

function reportsOf(name: "node1" | "node2"): ClusterReports {
  return clusterReports(agents[name], name, "port-hardening-agent");
}

function report(nodeName: string, state: AuditState = someFindings, nodeStateUid = "5f3c"): ClusterReport {
  return auditReport(state, { nodeName, nodeStateUid });
}

const someFindings = auditState({
  findings: [finding(), finding({ id: "protocols.tls-unseen", severity: "info", check: "protocols" })],
  checks: [
    check("listeners", found(3)),
    check("protocols", found(3)),
    check("conntrack", found(1)),
    check("pending-updates", { status: "NotChecked", reason: "no package lists on this host" }),
  ],
});

async function stored(name = "node1"): Promise<ClusterReport | undefined> {
  const { stdout } = await controlPlane.kubectl(["get", "clusterreport", name, "--ignore-not-found", "-o", "json"]);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

/** Before anything else: the definition is not there yet. */
describe("a cluster without OpenReports", () => {
  it("is told apart from one without the report, and has nothing to remove", async () => {
    await expect(node1.write(report("node1"), never)).rejects.toThrow(NotServedError);
    await expect(node1.remove(never)).resolves.toBeUndefined();
  });

  it("gets its report soon after the definition is installed, and loses it when nobody asks any more", async () => {
    const stop = new AbortController();
    const writer = reportWriter({
      nodeName: "node1",
      reports: node1,
      log: createLogger({ name: "agent", level: "fatal" }),
      now: Date.now,
      pace: { lookAgainMilliseconds: 200 },
    });
    const ended = writer.run(stop.signal);
    writer.publish(someFindings, "5f3c");
    await controlPlane.kubectl(["apply", "--server-side", "-f", definition]);
    await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
    await waitFor("the report to be there", () => stored(), { timeoutMilliseconds: 10_000 });
    writer.withdraw();
    await waitFor("the report to be gone", async () => ((await stored()) === undefined ? true : undefined), {
      timeoutMilliseconds: 10_000,
    });
    stop.abort();
    await ended;
  });
});

describe("the report of a node, in the API", () => {
  beforeEach(() => node1.write(report("node1"), never));

  it("holds each field that was written: the definition knows them all", async () => {
    const { metadata, ...rest } = report("node1");
    expect(await stored()).toMatchObject({ ...rest, metadata });
    const input = JSON.stringify(report("strict"));
    const strict = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
    await expect(controlPlane.kubectl(strict, { input })).resolves.toMatchObject({ exitCode: 0 });
  });

  it("shows by kubectl what was found, and -o wide of which node", async () => {
    const { stdout } = await controlPlane.kubectl(["get", "clusterreports", "-o", "wide"]);
    const [head, row] = stdout.split("\n").map((line) => line.trim().split(/\s+/));
    expect(head).toEqual(["NAME", "KIND", "NAME", "PASS", "FAIL", "WARN", "ERROR", "SKIP", "AGE"]);
    expect(row?.slice(0, -1)).toEqual(["node1", "Node", "node1", "1", "1", "1", "0", "1"]);
  });

  it("holds no finding any more that is mended", async () => {
    await node1.write(report("node1", { ...someFindings, findings: [] }), never);
    expect(await stored()).toMatchObject({ summary: { pass: 3, fail: 0, warn: 0, error: 0, skip: 1 } });
    expect((await stored())?.results.map(({ result }) => result)).toEqual(["skip", "pass", "pass", "pass"]);
  });

  it("is taken at its largest", async () => {
    const findings = Array.from({ length: 5_000 }, (_, number) => longestFinding(number, "<"));
    await node1.write(report("node1", auditState({ findings })), never);
    expect((await stored())?.summary["fail"]).toBe(5_000);
    const short = auditState({ findings: Array.from({ length: RESULTS_MAX + 1 }, () => finding()) });
    await node1.write(report("node1", short), never);
    expect((await stored())?.results).toHaveLength(RESULTS_MAX);
  });

  it("is applied again without being stored again where nothing changed", async () => {
    const version = (await stored())?.metadata.resourceVersion;
    await node1.write(report("node1"), never);
    expect((await stored())?.metadata.resourceVersion).toBe(version);
  });

  it("is left alone where it is somebody else's", async () => {
    const other = { apiVersion: "openreports.io/v1alpha1", kind: "ClusterReport", metadata: { name: "node2" } };
    await controlPlane.kubectl(["create", "-f", "-"], {
      input: JSON.stringify({ ...other, source: "another scanner" }),
    });
    const node2 = reportsOf("node2");
    await expect(node2.write(report("node2"), never)).rejects.toThrow(ForeignReportError);
    await node2.remove(never);
    expect(await stored("node2")).toMatchObject({ source: "another scanner" });
    await controlPlane.kubectl(["delete", "clusterreport", "node2"]);
  });
});

describe("an agent of another node", () => {
  beforeEach(() => node1.write(report("node1"), never));

  it("can neither change, replace nor delete the report, nor make one for a third node", async () => {
    const how = { fieldManager: "port-hardening-agent" };
    const mine = resources.clusterReports;
    const changed = report("node1", auditState());
    await expect(agents.node2.apply(mine, changed, how)).rejects.toThrow(/agent of node node2 writes only/);
    await expect(agents.node2.delete(mine, { name: "node1" })).rejects.toThrow(/agent of node node2 writes only/);
    await expect(agents.node2.replace(mine, changed)).rejects.toThrow(ForbiddenError);
    await expect(agents.node2.create(mine, report("node3"))).rejects.toThrow(/agent of node node2 writes only/);
    await expect(agents.node2.apply(mine, report("node3"), how)).rejects.toThrow(/agent of node node2 writes only/);
    expect(await stored()).toMatchObject({ summary: report("node1").summary });
    expect(await stored("node3")).toBeUndefined();
  });

  it("cannot list or read along all reports by a watch", async () => {
    await expect(agents.node2.list(resources.clusterReports, {})).rejects.toThrow(ForbiddenError);
  });
});
