import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsRunBy } from "../documentation/accounts.ts";
import { documentedObjects } from "../documentation/policies.ts";
import { blockOf, type ReaderShell, readerShell } from "../documentation/reader-shell.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import {
  agentsReady,
  type OperatorCluster,
  served,
  startOperatorCluster,
  type WorkerNode,
} from "../lab/operator-cluster.ts";
import type { Traffic } from "../lab/traffic/traffic.ts";
import { waitFor } from "../lab/wait-for.ts";
import { applyAll } from "./admission-kubectl.ts";

const FILE = "test/cluster/documented.test.ts";
const STARTED = "docs/getting-started.md";
const RECOVER = "docs/recover-a-node.md";
/** An address of the network that the first policy allows, and one of another. */
const office = "203.0.113.7";
const stranger = "198.51.100.9";
const PATIENCE = 60_000;

let lab: Lab;
let cluster: OperatorCluster;
let shell: ReaderShell;
let outside: Traffic;
let first: WorkerNode;
let firstAgent: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${stranger}/24`] });
  const { controlPlane, workers } = cluster;
  await cluster.startController();
  const [agent] = await Promise.all(workers.map((worker) => worker.startAgent()));
  await agentsReady(cluster, PATIENCE);
  const [node] = workers;
  if (node === undefined || agent === undefined) throw new Error("two workers were asked for");
  [first, firstAgent] = [node, agent];
  outside = await cluster.outside.traffic();
  const names = { NODE: node.name, NAME: "first", FILE: controlPlane.kubeconfig, PORT: String(served.hostPort) };
  const hosts = ["PEER", "CLIENT", "SOURCE", "PROMETHEUS", "DESTINATION"].map((name) => [name, stranger] as const);
  shell = await readerShell(lab, controlPlane, { names: { ...names, ...Object.fromEntries(hosts) } });
});
afterAll(() => lab?.close());

/** Another policy beside the one of the documents, under a name that they use too. */
const other = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "tried" },
  spec: { mode: "Enforce", sysctls: { "net.ipv4.tcp_syncookies": "1" } },
};

async function reaches(from: string): Promise<readonly string[]> {
  const attempts = cluster.workers.map(({ ipv4: to }) => ({ from, to, port: served.hostPort }));
  return (await outside.connectAll(attempts)).map(({ outcome }) => outcome);
}

const rangeOf = async (node: WorkerNode) => (await node.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"])).stdout;

async function rulesOn(node: WorkerNode): Promise<readonly string[]> {
  const saved = await Promise.all(["iptables-nft-save", "ip6tables-nft-save"].map((tool) => node.exec(tool, [])));
  return saved.flatMap(({ stdout }) => stdout.split("\n").filter((line) => /PH-|port-hardening/.test(line)));
}

async function waitForIt(what: string, probe: () => Promise<boolean>, lastSeen = () => ""): Promise<void> {
  await waitFor(what, async () => ((await probe()) ? true : undefined), { timeoutMilliseconds: PATIENCE, lastSeen });
}

describe("policies in README and docs", () => {
  it("are taken by the API server, all with the samples", async () => {
    const objects = documentedObjects().map(({ object }) => object);
    const { refusals, accepted } = await applyAll(cluster.controlPlane, objects, { folder: lab.folder, processes: 1 });
    expect([...refusals]).toEqual([]);
    expect(accepted).toBe(objects.length);
    const samples = await shell.run("kubectl apply --dry-run=server --validate=strict -f deploy/samples");
    expect(samples.match(/ created \(server dry run\)$/gm)).toHaveLength(3);
  });
});

// One reader, who goes on where the test before ended.
describe("docs/getting-started.md", { timeout: 200_000 }, () => {
  let rangeBefore: string;

  it("looks before anything is applied", async () => {
    rangeBefore = await rangeOf(first);
    await writeFile(join(shell.folder, "first.yaml"), blockOf(STARTED, "A first policy", "kind: PortHardeningPolicy"));
    const said = await shell.run(blockOf(STARTED, "Look first", "porthardening lint"));
    expect(said).toContain("0 errors, 0 warnings");
    expect(said).toContain("would be dropped by policy first");
  });

  it("observes, and shows whom and what the policy would hit", async () => {
    expect(await shell.run(blockOf(STARTED, "Look first", "kubectl apply"))).toMatch(
      /^first +Observe +2 .* Observing /m,
    );
    expect(await reaches(stranger)).toEqual(["connected", "connected"]);
    expect(await reaches(office)).toEqual(["connected", "connected"]);
    // Agents take a reading whenever they have verified everything: after each change, else once a minute.
    await cluster.apply(JSON.stringify(other));
    let seen = "";
    await waitFor(
      "the stranger's packets in status",
      async () => {
        seen = await shell.run(blockOf(STARTED, "Look first", "status.observed"));
        return /^Drop\tdefault\t2\t.*198\.51\.100\.9/m.test(seen) || undefined;
      },
      { timeoutMilliseconds: 120_000, intervalMilliseconds: 1_000, lastSeen: () => seen },
    );
    expect(seen).toMatch(/^net\.ipv4\.ip_local_port_range\t.* -> 49152[ \t]65535$/m);
    expect(await rangeOf(first)).toBe(rangeBefore);
  });

  it("enforces, and says so when it is so", async () => {
    const said = await shell.run(blockOf(STARTED, "Enforce it", "kubectl patch"));
    const shown = blockOf(STARTED, "Enforce it", "$ kubectl get phpol first").split("\n");
    const table = said.split("\n").slice(-3, -1);
    expect(table.map((line) => line.replace(/\S+ *$/, ""))).toEqual(
      shown.slice(1, 3).map((line) => line.replace(/\S+ *$/, "")),
    );
    expect(await reaches(stranger)).toEqual(["timeout", "timeout"]);
    expect(await reaches(office)).toEqual(["connected", "connected"]);
    expect(await rangeOf(first)).toBe("49152\t65535\n");
    expect(await shell.run(blockOf(STARTED, "Enforce it", "kubectl describe phnode"))).toContain('{"cut":0,"kept":0}');
  });
});

describe("docs/recover-a-node.md", { timeout: 200_000 }, () => {
  it("finds the rule that is in the way", async () => {
    const said = await shell.run(blockOf(RECOVER, "The API server answers", "porthardening explain"));
    expect(said).toContain("dropped: policy first judges this port, and no allow");
  });

  it("takes one node out of all policies, and back in", async () => {
    await shell.run(blockOf(RECOVER, "The API server answers", "skip=true"));
    await waitForIt("the stranger to get onto that node", async () => (await reaches(stranger))[0] === "connected");
    expect((await reaches(stranger))[1]).toBe("timeout");
    await shell.run(blockOf(RECOVER, "The API server answers", "skip-"));
    await waitForIt("the stranger to be refused again", async () => (await reaches(stranger))[0] === "timeout");
  });

  it("takes one node out of a policy, and leaves the others in", async () => {
    await shell.run(blockOf(RECOVER, "The API server answers", "kubectl label node"));
    const show = blockOf(RECOVER, "The API server answers", "kubectl get phnode");
    let seen = "";
    await waitForIt(
      "the node to have the other policy alone",
      async () => {
        seen = await shell.run(show);
        return /^node1 +1 +1 /m.test(seen) && (await rulesOn(first)).length === 0;
      },
      () => seen,
    );
    expect(await reaches(stranger)).toEqual(["connected", "timeout"]);
    await shell.run("kubectl label node node1 port-hardening-");
    await waitForIt("the stranger to be refused again", async () => (await reaches(stranger))[0] === "timeout");
  });

  it("asks for another try of a revision, which is nothing to nodes that enforce it", async () => {
    const generation = `kubectl get phnode ${first.name} -o jsonpath='{.metadata.generation}'`;
    const before = await shell.run(generation);
    await shell.run(blockOf(RECOVER, "A change that took itself back", "kubectl annotate"));
    const asked = await shell.run(
      "kubectl get phpol first -o jsonpath='{.metadata.annotations.porthardening\\.io/retry-at}'",
    );
    expect(asked).toMatch(/^20\d\d-/);
    await shell.run("kubectl wait phpol/first --for=condition=Ready --timeout=60s");
    expect(await shell.run(generation)).toBe(before);
  });

  it("takes rules and settings away in mode Observe, and keeps the policy", async () => {
    await shell.run(blockOf(RECOVER, "The API server answers", '"mode":"Observe"'));
    await waitForIt("everybody to get in", async () => (await reaches(stranger)).every((one) => one === "connected"));
    await waitForIt("the former range", async () => (await rangeOf(first)) !== "49152\t65535\n");
    expect(await shell.run("kubectl get phpol first")).toContain("Observe");
  });
});

describe("every other command in README and docs", () => {
  beforeAll(async () => {
    await writeFile(join(shell.folder, "policy.yaml"), blockOf(STARTED, "A first policy", "kind: PortHardeningPolicy"));
    await shell.run(`kubectl patch phpol first --type=merge -p '{"spec":{"audit":{"exposure":"Ignore"}}}'`);
    let seen = "";
    await waitForIt(
      "all nodes to have been audited",
      async () => {
        seen = await shell.run("kubectl get phpol first -o jsonpath='{.status.conditions}'");
        return /"status":"True","type":"Audited"/.test(seen);
      },
      () => seen,
    );
  }, 120_000);

  const others = commandsRunBy(FILE)
    .filter(({ file, heading }) => file !== STARTED && file !== RECOVER && heading !== "Take it off a node by hand")
    .map(({ text }) => text);

  it.each([...new Set(others.filter((text) => text.startsWith("kubectl ")))])("%s", async (text) => {
    const { exitCode, stderr } = await shell.try(text);
    const complaint = stderr.replace(/^No resources found.*\n$/, "");
    expect({ exitCode, complaint }).toEqual({ exitCode: 0, complaint: "" });
  });

  it.each([...new Set(others.filter((text) => /^porthardening (?:lint|explain|render) ./.test(text)))])(
    "%s",
    async (text) => {
      expect((await shell.run(text)).length).toBeGreaterThan(20);
    },
  );

  it("porthardening plan", async () => {
    const plans = [...new Set(others.filter((text) => text.startsWith("porthardening plan ")))];
    expect(plans.length).toBeGreaterThan(1);
    for (const text of plans) {
      const { exitCode, stdout, stderr } = await shell.try(text);
      // Changes or none: what was applied before decides.
      expect([0, 2, 3], stderr).toContain(exitCode);
      expect(stdout).toMatch(/"outcome"|^(?:no change|changes) on /m);
    }
  }, 120_000);

  it("porthardening audit", async () => {
    const audits = [...new Set(others.filter((text) => text.startsWith("porthardening audit")))];
    expect(audits.length).toBeGreaterThan(2);
    const results = await Promise.all(audits.map((text) => shell.try(text, first)));
    for (const { exitCode, stdout, stderr } of results) {
      // What this machine lacks is no matter here; 2 says of a policy's requirement that it could not be checked.
      expect(exitCode, stderr).toBeLessThan(3);
      expect(stdout).toMatch(/listeners/);
    }
  }, 120_000);
});

describe("docs/operations.md: taking it off a node by hand", { timeout: 200_000 }, () => {
  it("leaves nothing of ours in the kernel", async () => {
    await shell.run("kubectl delete phpol tried baseline");
    const rejects = JSON.stringify({ spec: { firewall: { inbound: { defaultAction: "Reject" } } } });
    await shell.run(`kubectl patch phpol first --type=merge -p '${rejects}'`);
    await shell.run(blockOf(STARTED, "Enforce it", "kubectl patch"));
    expect((await rulesOn(first)).length).toBeGreaterThan(10);
    expect((await reaches(stranger))[0]).toBe("refused");
    firstAgent.signal("SIGTERM");
    await firstAgent.exited;
    const commands = commandsRunBy(FILE).filter(({ heading }) => heading === "Take it off a node by hand");
    expect(commands).toHaveLength(3);
    for (const { text } of commands) await shell.run(text, first);
    // Empty base chains may stay.
    expect(await rulesOn(first)).toEqual([]);
    expect((await first.exec("ipset", ["list", "-n"])).stdout).toBe("");
    expect((await first.exec("nft", ["list", "tables"])).stdout).not.toContain("porthardening");
    expect((await reaches(stranger))[0]).toBe("connected");
  });

  it("docs/getting-started.md takes the policy back", async () => {
    await shell.run(blockOf(STARTED, "Take it back", "kubectl delete"));
    await waitForIt("the other node to be clear", async () => (await reaches(stranger))[1] === "connected");
  });
});

it("all of these commands were run", () => {
  expect(shell.missing(FILE)).toEqual([]);
});
