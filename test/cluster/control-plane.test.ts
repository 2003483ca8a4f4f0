import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../lab/control-plane.ts";
import { controlPlanePrograms } from "../lab/control-plane-programs.ts";
import { createLab, type Lab } from "../lab/lab.ts";

let lab: Lab;
let controlPlane: ControlPlane;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
});

afterAll(() => lab?.close());

it("serves the API that kubectl speaks", async () => {
  const { stdout } = await controlPlane.kubectl(["version", "--output=json"]);
  const { clientVersion, serverVersion } = JSON.parse(stdout);
  expect(serverVersion.gitVersion).toMatch(/^v1\.\d+\.\d+/);
  expect(clientVersion.gitVersion).toBe(serverVersion.gitVersion);
});

it("can be reached from a node of the lab, and through a forwarder from outside", async () => {
  const node = await lab.node("node1");
  const [file, ...kubectl] = controlPlanePrograms().kubectl;
  const args = [...kubectl, "get", "namespace", "default", "--output=name"];
  const env = { KUBECONFIG: controlPlane.kubeconfig };
  expect((await node.exec(file, args, { env })).stdout).toBe("namespace/default\n");

  const api = await controlPlane.forward();
  expect((await execa(file, args, { env: { KUBECONFIG: api.kubeconfig } })).stdout).toBe("namespace/default");
  expect(api.proxy.accepted).toBeGreaterThan(0);
  await api.close();
});

it("lets a service account do what its role says and no more", async () => {
  await controlPlane.kubectl(["create", "serviceaccount", "reader", "--namespace=default"]);
  await controlPlane.kubectl([
    "create",
    "role",
    "reader",
    "--verb=get",
    "--resource=configmaps",
    "--namespace=default",
  ]);
  await controlPlane.kubectl([
    "create",
    "rolebinding",
    "reader",
    "--role=reader",
    "--serviceaccount=default:reader",
    "--namespace=default",
  ]);
  const KUBECONFIG = await controlPlane.kubeconfigFor({ namespace: "default", name: "reader" });
  const may = (verb: string, resource: string) =>
    controlPlane.tryKubectl(["auth", "can-i", verb, resource, "--namespace=default"], { env: { KUBECONFIG } });
  expect((await may("get", "configmaps")).stdout).toBe("yes\n");
  expect((await may("get", "secrets")).stdout).toBe("no\n");
});

it("keeps its data over a restart", async () => {
  await controlPlane.kubectl(["create", "configmap", "kept", "--from-literal=key=value"]);
  await controlPlane.restart();
  const { stdout } = await controlPlane.kubectl(["get", "configmap", "kept", "--output=jsonpath={.data.key}"]);
  expect(stdout).toBe("value");
});

it("says what kubectl said when that fails", async () => {
  await expect(controlPlane.kubectl(["get", "nonsense"])).rejects.toThrow(/doesn't have a resource type "nonsense"/);
});

it("tells the log's tail when the API server does not start", async () => {
  const other = await createLab();
  try {
    await expect(startControlPlane(other, { apiServerFlags: ["--no-such-flag"] })).rejects.toThrow(/no-such-flag/);
  } finally {
    await other.close();
  }
});
