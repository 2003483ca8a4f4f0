import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { createLab, type Lab } from "../lab/lab.ts";
import { agentsReady, type OperatorCluster, startOperatorCluster } from "../lab/operator-cluster.ts";
import { waitFor } from "../lab/wait-for.ts";

const project = resolve(import.meta.dirname, "../..");
const components = ["controller", "agent"] as const;
type Component = (typeof components)[number];

const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "all" },
  spec: {
    mode: "Enforce",
    ephemeralPorts: { range: "49152-65535", pods: "Inject" },
    firewall: { inbound: { allow: [{ name: "peers", from: [{ nodes: { matchLabels: { role: "worker" } } }] }] } },
    audit: { schedule: "0 3 * * *", mandatoryAccessControl: "Report", exposure: "Ignore" },
  },
};

let lab: Lab;
let cluster: OperatorCluster;
let auditLog: string;

beforeAll(async () => {
  lab = await createLab();
  const folder = join(lab.root.folder, "audit-log");
  await mkdir(folder);
  auditLog = join(folder, "audit.log");
  const users = components.map((name) => `system:serviceaccount:port-hardening:port-hardening-${name}`);
  const file = join(folder, "policy.yaml");
  // JSON is YAML.
  const rules = [{ level: "Metadata", users }];
  await writeFile(
    file,
    JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules }),
  );
  const apiServerFlags = [`--audit-policy-file=${file}`, `--audit-log-path=${auditLog}`];
  cluster = await startOperatorCluster(lab, { workers: 2, sources: [], apiServerFlags });
  await kubectl("apply", "--server-side", "-f", join(project, ".cache/clusterreports.yaml"));
  await kubectl("apply", "-f", join(project, "deploy/pod-range.yaml"));
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) => (await cluster.controlPlane.kubectl(args)).stdout;

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string };
  readonly responseStatus: { readonly code: number };
}

/** `verb resource.group` of what was not refused. That there is no such object is an answer too. */
async function used(component: Component): Promise<ReadonlySet<string>> {
  const events = (await readFile(auditLog, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditEvent => JSON.parse(line));
  return new Set(
    events.flatMap(({ verb, user, objectRef, responseStatus: { code } }) => {
      if (objectRef === undefined || code === 403 || !user.username.endsWith(`-${component}`)) return [];
      const { apiGroup = "", resource, subresource } = objectRef;
      const what = `${resource}${subresource === undefined ? "" : `/${subresource}`}.${apiGroup}`;
      // An apply that makes an object needs the right to create it.
      return verb === "patch" && code === 201 ? [`patch ${what}`, `create ${what}`] : [`${verb} ${what}`];
    }),
  );
}

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[];
}

async function granted(component: Component): Promise<readonly string[]> {
  const text = await readFile(join(project, "deploy/rbac.yaml"), "utf8");
  const roles = parseAllDocuments(text).map((document) => document.toJS() as Role);
  return roles
    .filter(({ kind, metadata }) => kind.endsWith("Role") && metadata.name.endsWith(`-${component}`))
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((it) => verbs.map((verb) => `${verb} ${it}.${group}`))),
    );
}

/** Used where a listener of a pod is found: test/cluster/controller/audits.test.ts. */
const shownElsewhere = ["list pods."];

it("controller, agents and uninstall use every right that they are given, in the life of a small cluster", async () => {
  const [first, second] = cluster.workers;
  if (first === undefined || second === undefined) throw new Error("two workers were asked for");
  const controller = await cluster.startController(["--leader-elect-lease-duration", "6"]);
  const agents = [await first.startAgent(), await second.startAgent()];
  await agentsReady(cluster);
  await cluster.apply(JSON.stringify(policy));
  await kubectl("wait", "--for=condition=Ready", "phpol/all", "--timeout=30s");
  const reports = () => kubectl("get", "clusterreports", "-o", "name");
  await waitFor("both reports", async () => (await reports()).split("\n").length === 3 || undefined, {
    timeoutMilliseconds: 60_000,
    lastSeen: () => agents.map((agent) => agent.log().slice(-1_000)).join("\n"),
  });
  // One that starts again renews the Lease that it finds.
  await agents[0]?.stop();
  await first.startAgent();
  await agents[1]?.stop();
  await kubectl("delete", "node", second.name);
  await kubectl("wait", "--for=delete", `phnode/${second.name}`, "--timeout=30s");
  const range = { spec: { ephemeralPorts: { range: "50000-65535" } } };
  await kubectl("patch", "phpol", "all", "--type=merge", "-p", JSON.stringify(range));
  await kubectl("wait", "--for=jsonpath={.spec.range}=50000-65535", "phpods/cluster", "--timeout=30s");
  await kubectl("delete", "phpol", "all");
  await waitFor("the report to go", async () => !(await reports()).includes(first.name) || undefined, {
    timeoutMilliseconds: 30_000,
  });
  const { exitCode, stderr } = await cluster.uninstall(["--timeout-seconds", "30"]);
  expect(exitCode, stderr).toBe(0);
  await controller.exited;

  for (const component of components) {
    const rights = await granted(component);
    const seen = await used(component);
    expect(rights.length).toBeGreaterThan(5);
    const idle = rights.filter((right) => !seen.has(right) && !shownElsewhere.includes(right));
    expect(idle, component).toEqual([]);
  }
});
