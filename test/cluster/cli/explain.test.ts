import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";

const tree = join(import.meta.dirname, "../../..");

let lab: Lab;
let controlPlane: ControlPlane;
let kubeconfig: string;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "-f", join(tree, "crds")]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  await controlPlane.kubectl(["apply", "-f", join(tree, "deploy/samples")]);
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node1", labels: { "kubernetes.io/os": "linux" } } };
  await controlPlane.kubectl(["apply", "-f", "-"], { input: JSON.stringify(node) });
  ({ kubeconfig } = await controlPlane.forward());
});
afterAll(() => lab?.close());

async function explain(node: string, packet: string) {
  const main = join(tree, "src/main.ts");
  const args = [main, "explain", "--kubeconfig", kubeconfig, "--node", node, packet];
  const { stdout, stderr } = await execa(process.execPath, args, { reject: false });
  return { stdout: stdout.split("\n")[0], stderr };
}

it("judges a packet by the policies, groups and node labels of a live cluster", async () => {
  expect((await explain("node1", "tcp 203.0.113.9 -> :8443 in eth0")).stdout).toBe(
    'passed, but may be limited: policy workers, allow "office"',
  );
  // blocklist.yaml has this address, workers.yaml denies that group.
  expect((await explain("node1", "tcp 203.0.113.200 -> :8443 in eth0")).stdout).toBe(
    'dropped: policy workers, deny "blocklist"',
  );
});

it("judges what a node sends by the same policies", async () => {
  expect((await explain("node1", "tcp -> 10.1.2.3:5432 out eth0")).stdout).toBe(
    'passed: policy workers, allow "private"',
  );
  expect((await explain("node1", "tcp -> 198.51.100.9:5432 out eth0")).stdout).toMatch(
    /^rejected: policy workers judges this port, .*defaultAction Reject/,
  );
});

it("says where there is no such node", async () => {
  expect(await explain("node9", "tcp 203.0.113.9 -> :8443 in eth0")).toEqual({
    stdout: "",
    stderr: "porthardening: there is no node node9: kubectl get nodes lists them",
  });
});
