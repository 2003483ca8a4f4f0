import { afterAll, beforeAll, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import type { ForwardedApi } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { agentsReady, type OperatorCluster, startOperatorCluster } from "../../lab/operator-cluster.ts";
import { type Roles, rolesOf, serviceAccount } from "./roles.ts";

const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "all" },
  spec: { mode: "Enforce", ephemeralPorts: { range: "40000-50000" }, rollout: { strategy: "Immediate" } },
};

/** What the hook of `helm uninstall` does by the rights of the controller, which has gone by then. */
const needed = [
  "get leases port-hardening-controller",
  "update leases port-hardening-controller",
  "delete porthardeningpodranges",
  "list porthardeningnodestates",
  "get porthardeningnodestates",
  "update porthardeningnodestates",
];

let lab: Lab;
let cluster: OperatorCluster;
let api: ForwardedApi;
let admin: KubeClient;
let roles: Roles;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startOperatorCluster(lab, { workers: 1, sources: [] });
  api = await cluster.controlPlane.forward();
  admin = kubeClient(loadKubeConfig(api.kubeconfig));
  roles = await rolesOf(await serviceAccount("port-hardening-controller", admin), admin, api.kubeconfig);
  const controller = await cluster.startController();
  await cluster.workers[0]?.startAgent();
  await agentsReady(cluster);
  await cluster.apply(JSON.stringify(policy));
  await cluster.controlPlane.kubectl(["wait", "--for=condition=Ready", "phpol/all", "--timeout=60s"]);
  await controller.stop();
});
afterAll(async () => {
  await roles?.close();
  await admin?.close();
  await api?.close();
  await lab?.close();
});

const range = async () =>
  (await cluster.workers[0]?.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"]))?.stdout.trim();

it.each(needed)(
  "without the right to %s uninstall fails, says why and the ways out, and the nodes stay as they are",
  async (text) => {
    const right = roles.rights.find((one) => one.text === text);
    if (right === undefined) return expect.unreachable(`nothing gives the right to ${text}`);
    await roles.withdraw(right);
    const { exitCode, stderr } = await cluster.uninstall(["--timeout-seconds", "5"]);
    await roles.giveBack(right);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`cannot ${right.verb} resource "${right.resource}"`);
    expect(stderr).toMatch(/helm upgrade.*helm uninstall --no-hooks.*porthardening cleanup/);
    expect(await range()).toBe("40000\t50000");
  },
);

it("with these rights alone it clears every node", async () => {
  for (const right of roles.rights) if (!needed.includes(right.text)) await roles.withdraw(right);
  const { exitCode, stderr } = await cluster.uninstall(["--timeout-seconds", "30"]);
  expect(exitCode, stderr).toBe(0);
  expect(await range()).not.toBe("40000\t50000");
});
