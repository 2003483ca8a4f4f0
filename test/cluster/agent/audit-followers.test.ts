import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ClusterReport } from "../../../src/agent/audit-report.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { writeHost } from "../../unit/agent/host-tree.ts";
import { fedora } from "../../unit/audit/updates/hosts/red-hat.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, nodeName, startAgentLab } from "./agent-lab.ts";

const definition = join(import.meta.dirname, "../../../.cache/clusterreports.yaml");
const dropIn = "etc/systemd/system/timers.target.d/porthardening.conf";
const audited = (name: string, automatic: "Ensure" | "Report") =>
  assigned({ audit: { securityUpdates: { pending: "Ignore", automatic }, exposure: "Ignore" } }, name);

let lab: AgentLab;
let agent: LabProcess;

/** Fedora without automatic updates, as its files show it. The tests follow each other. */
beforeAll(async () => {
  lab = await startAgentLab([]);
  await lab.controlPlane.kubectl(["apply", "--server-side", "-f", definition]);
  await lab.controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  const files = Object.entries(fedora.files).filter(([path]) => !path.startsWith("/proc/"));
  await writeHost(lab.node.hostRoot, { ...fedora, files: Object.fromEntries(files) });
  agent = await lab.startAgent();
});
afterAll(() => lab?.close());

async function report(): Promise<ClusterReport | undefined> {
  const args = ["get", "clusterreport", nodeName, "--ignore-not-found", "-o", "json"];
  const { stdout } = await lab.controlPlane.kubectl(args);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

function reportWhere(what: string, holds: (report: ClusterReport | undefined) => boolean): Promise<true> {
  let seen: ClusterReport | undefined;
  return waitFor(
    what,
    async () => {
      seen = await report();
      return holds(seen) ? true : undefined;
    },
    { timeoutMilliseconds: 45_000, lastSeen: () => `${JSON.stringify(seen)}\n${agent.log().slice(-2_000)}` },
  );
}

const automatic = (found: ClusterReport | undefined) =>
  found?.results.find(({ policy }) => policy === "automatic-updates");

it("reports each check of an audit, and what was found", async () => {
  await lab.assign([audited("looking", "Report")]);
  await reportWhere("automatic updates to be off", (found) => automatic(found)?.rule === "updates.automatic-off");
  expect(await report()).toMatchObject({
    metadata: { ownerReferences: [{ kind: "PortHardeningNodeState", name: nodeName }] },
    scope: { kind: "Node", name: nodeName },
  });
  await expect(access(join(lab.node.hostRoot, dropIn))).rejects.toThrow("ENOENT");
});

it("switches automatic updates on where a policy asks for it, and finds them on", async () => {
  await lab.assign([audited("ensuring", "Ensure")]);
  await reportWhere("automatic updates to be on", (found) => automatic(found)?.result === "pass");
  expect(await readFile(join(lab.node.hostRoot, dropIn), "utf8")).toContain("Ensure): ensuring.");
});

it("leaves both as they are while it is stopped and started again", async () => {
  const before = await report();
  await agent.stop();
  agent = await lab.startAgent();
  await agent.waitForLog(/"audited"/, 45_000);
  expect((await report())?.metadata.uid).toBe(before?.metadata.uid);
  expect(await readFile(join(lab.node.hostRoot, dropIn), "utf8")).toContain("Ensure): ensuring.");
});

it("takes both back when no policy asks any more", async () => {
  await lab.assign([assigned({ ephemeralPorts: { range: "49152-65535" } }, "plain")]);
  await reportWhere("the report to be gone", (found) => found === undefined);
  await waitFor(
    "the files to be gone",
    () =>
      access(join(lab.node.hostRoot, dropIn)).then(
        () => undefined,
        () => true,
      ),
    {
      timeoutMilliseconds: 10_000,
    },
  );
});
