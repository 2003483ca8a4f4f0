import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait-for.ts";
import { IMAGE_VARIABLE } from "./build-image.ts";
import { type ClusterToInstallInto, NAMESPACE, startClusterToInstallInto } from "./cluster/cluster-to-install-into.ts";
import { imageArchive } from "./cluster/image.ts";
import { webObjects } from "./cluster/servers.ts";

const RANGE = "50000\t60000";
const FILE = "/proc/sys/net/ipv4/ip_local_port_range";

// One cluster, from the first test to the last: each goes on where the one before ended.
let lab: Lab;
let cluster: ClusterToInstallInto;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startClusterToInstallInto(lab, {
    archive: imageArchive(process.env[IMAGE_VARIABLE] ?? ""),
    sources: [],
    servers: webObjects,
  });
  await cluster.install();
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) =>
  (await cluster.controlPlane.kubectl(args, { timeoutMilliseconds: 130_000 })).stdout;

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
}

/** In each of the web server's pods that run: what a process there reads. */
async function rangesInPods(): Promise<readonly string[]> {
  const { items } = await cluster.get<{ items: readonly Pod[] }>("pods", "-l", "app=web");
  const running = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return Promise.all(
    running.map(async ({ metadata: { name } }) =>
      (
        await kubectl("exec", name, "--", "node", "-p", `require("fs").readFileSync("${FILE}", "utf8").trim()`)
      ).trimEnd(),
    ),
  );
}

interface Pods {
  readonly running: number;
  readonly withRange: number;
}

async function countsBecome(what: string, are: (pods: Pods) => boolean): Promise<void> {
  let seen: unknown;
  await waitFor(
    what,
    async () => {
      const { status } = await cluster.get<{ status?: { pods?: Pods } }>("phpol", "pods");
      seen = status;
      return (status?.pods !== undefined && are(status.pods)) || undefined;
    },
    { timeoutMilliseconds: 180_000, intervalMilliseconds: 1_000, lastSeen: () => JSON.stringify(seen) },
  );
}

it("leaves pods that run as they are, and counts that they have another range", async () => {
  const before = await rangesInPods();
  expect(before).toHaveLength(2);
  expect(before).not.toContain(RANGE);
  await cluster.apply({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "pods" },
    spec: { mode: "Enforce", ephemeralPorts: { range: "50000-60000", pods: "Inject" } },
  });
  await kubectl("wait", "--for=condition=Ready", "phpol/pods", "--timeout=120s");
  expect(await rangesInPods()).toEqual(before);
  // The two, and the controllers; agents are in the node's network.
  await countsBecome("no pod to be counted with the range", (pods) => pods.running >= 4 && pods.withRange === 0);
}, 360_000);

it("gives the range to the pods that are made from then on, which run with it", async () => {
  await waitFor(
    "the API server to go by what it was given",
    async () => {
      const run = [
        "run",
        "tried",
        "--image=none",
        "--dry-run=server",
        "-o",
        "jsonpath={.spec.securityContext.sysctls[0].value}",
      ];
      return (await kubectl(...run)) === RANGE.replace("\t", " ") || undefined;
    },
    { timeoutMilliseconds: 90_000, intervalMilliseconds: 500 },
  );
  await kubectl("rollout", "restart", "deployment/web");
  await kubectl("rollout", "status", "deployment/web", "--timeout=120s");
  expect(await rangesInPods()).toEqual([RANGE, RANGE]);
  await countsBecome("the new pods to be counted", ({ withRange }) => withRange > 0);
}, 420_000);

it("leaves the operator's own pods alone", async () => {
  const path = "jsonpath={.items[*].spec.securityContext.sysctls}";
  expect(await kubectl("get", "pods", "-n", NAMESPACE, "-o", path)).toBe("");
});

it("gives nothing to new pods when the policy goes", async () => {
  await kubectl("delete", "phpol", "pods");
  await kubectl("wait", "--for=delete", "phpods/cluster", "--timeout=60s");
  const run = ["run", "tried", "--image=none", "--dry-run=server", "-o", "jsonpath={.spec.securityContext.sysctls}"];
  await waitFor("new pods without it", async () => (await kubectl(...run)) === "" || undefined, {
    timeoutMilliseconds: 60_000,
  });
}, 180_000);
