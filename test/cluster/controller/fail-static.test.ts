import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, condition, type RunningController, startControllerLab } from "./controller-lab.ts";

const crds = resolve(import.meta.dirname, "../../../crds");
const POLICIES = "porthardeningpolicies.porthardening.io";
const NODE_STATES = "porthardeningnodestates.porthardening.io";
const policiesCrd = join(crds, "porthardening.io_porthardeningpolicies.yaml");
const nodeStatesCrd = join(crds, "porthardening.io_porthardeningnodestates.yaml");

let lab: ControllerLab;
let controller: RunningController;
let node: string;
let nodes = 0;

beforeAll(async () => {
  lab = await startControllerLab();
  controller = await lab.startController();
  await lab.addPolicy("first");
  await lab.addPolicy("second", { sysctls: { "net.ipv4.tcp_syncookies": "1" } });
});
afterAll(async () => {
  await lab?.close();
});
beforeEach(async () => {
  nodes += 1;
  node = `node-${nodes}`;
  await lab.addNode(node);
  await lab.policiesBecome(node, ["first", "second"]);
});

/** From here on every spec that an agent could see must hold both policies. */
function watchFromHere(): () => readonly string[][] {
  const start = lab.agents.specsSeen(node).length;
  return () => lab.agents.specsSeen(node).slice(start);
}

const kubectl = (...args: string[]) => lab.controlPlane.kubectl(args);
const uidOf = async () => (await lab.admin.get(resources.nodeStates, { name: node }))?.metadata.uid;

it("makes a NodeState that somebody deleted anew, with the whole spec in one write", async () => {
  const seen = watchFromHere();
  const before = await uidOf();
  await kubectl("delete", "phnode", node);
  await lab.policiesBecome(node, ["first", "second"]);
  expect(await uidOf()).not.toBe(before);
  await waitFor("the agent to see it", () => (seen().length > 0 ? true : undefined), { timeoutMilliseconds: 30_000 });
  expect(new Set(seen().map(String))).toEqual(new Set(["first,second"]));
});

it("makes a NodeState anew when its Node was registered anew, never an empty one", async () => {
  await controller.stop();
  const seen = watchFromHere();
  const before = await uidOf();
  await kubectl("delete", "node", node);
  await lab.addNode(node);
  controller = await lab.startController();
  await waitFor("a new NodeState", async () => ((await uidOf()) === before ? undefined : await uidOf()), {
    timeoutMilliseconds: 10_000,
    lastSeen: () => controller.log(),
  });
  const state = await lab.admin.get(resources.nodeStates, { name: node });
  const owner = await lab.admin.get(resources.nodes, { name: node });
  expect(state?.metadata.ownerReferences).toEqual([
    { apiVersion: "v1", kind: "Node", name: node, uid: owner?.metadata.uid },
  ]);
  await waitFor("the agent to see it", () => (seen().length > 0 ? true : undefined), { timeoutMilliseconds: 30_000 });
  expect(new Set(seen().map(String))).toEqual(new Set(["first,second"]));
});

it.each([
  ["a plan whose hash was left as it is", { op: "add", path: "/spec/policies/0/plan/sysctls", value: { "vm.x": "1" } }],
  ["a priority", { op: "add", path: "/spec/policies/0/priority", value: 7 }],
  ["all policies, taken out", { op: "replace", path: "/spec/policies", value: [] }],
  [
    "a policy that nobody wrote",
    {
      op: "add",
      path: "/spec/policies/-",
      value: { name: "zz-foreign", uid: "u", hash: "0123456789abcdef", priority: 0, mode: "Enforce", plan: {} },
    },
  ],
  ["the owner, taken out", { op: "remove", path: "/metadata/ownerReferences" }],
])("repairs what somebody edited in a NodeState: %s", async (_what, patch) => {
  const original = await lab.policiesOn(node);
  const owners = (await lab.admin.get(resources.nodeStates, { name: node }))?.metadata.ownerReferences;
  await kubectl("patch", "phnode", node, "--type=json", "-p", JSON.stringify([patch]));
  await waitFor(
    "the repair",
    async () => {
      const state = await lab.admin.get(resources.nodeStates, { name: node });
      const { spec } = state as unknown as { readonly spec: { readonly policies: unknown } };
      const whole = JSON.stringify([spec.policies, state?.metadata.ownerReferences]);
      return whole === JSON.stringify([original, owners]) ? true : undefined;
    },
    { timeoutMilliseconds: 30_000, lastSeen: () => controller.log().slice(-2_000) },
  );
});

it("keeps on the nodes what a policy was before it asked for a sysctl that is not allowed", async () => {
  await lab.addPolicy("third", { sysctls: { "net.ipv4.tcp_syncookies": "1" } });
  const before = (await lab.policiesBecome(node, ["first", "second", "third"])).find(({ name }) => name === "third");
  // Admission says so first, where it is there.
  await kubectl("delete", "validatingadmissionpolicybinding", "port-hardening-sysctls");
  const unlisted = () => patchPolicy("third", { sysctls: { "net.ipv4.ip_forward": "0" } });
  await waitFor(
    "admission to let it pass",
    () =>
      unlisted().then(
        () => true,
        () => undefined,
      ),
    {
      timeoutMilliseconds: 20_000,
    },
  );
  const status = await lab.statusWhere("third", (seen) => seen.status === "InvalidPolicy");
  expect(status.message).toContain("spec.sysctls[net.ipv4.ip_forward]");
  expect(condition(status, "Stalled")).toBe("True");
  expect(condition(status, "Ready")).toBe("False");
  expect((await lab.policiesOn(node)).find(({ name }) => name === "third")).toEqual(before);
  await lab.statusWhere("first", (seen) => seen.status === "Ready");
  await kubectl("delete", "phpol", "third");
  await lab.policiesBecome(node, ["first", "second"]);
});

it("keeps a policy that a looser CRD let through malformed, and goes on with the others", async () => {
  const [, before] = await lab.policiesOn(node);
  await loosenPolicies();
  try {
    await waitFor(
      "the looser CRD to be served",
      () => patchPolicy("second", { firewall: { inbound: { ports: "all" } } }),
      {
        timeoutMilliseconds: 10_000,
      },
    );
    const status = await lab.statusWhere("second", (seen) => seen.status === "InvalidPolicy");
    expect(status.message).toContain("spec.firewall.inbound.ports: must be a list");
    expect(status.message).toContain("Nodes that enforced it before keep that revision.");
    await patchPolicy("first", { priority: 3 });
    await lab.statusWhere("first", (seen) => seen.observedGeneration === 2 && condition(seen, "Ready") === "True");
    expect((await lab.policiesOn(node))[1]).toEqual(before);
    await patchPolicy("second", { firewall: null, priority: 4 });
    await lab.statusWhere("second", (seen) => condition(seen, "Ready") === "True");
    expect((await lab.policiesOn(node))[1]).toMatchObject({ name: "second", priority: 4 });
  } finally {
    await kubectl("replace", "-f", policiesCrd);
  }
});

it("empties nothing while the policies' CRD is being deleted or absent, and starts no differently", async () => {
  const seen = watchFromHere();
  // The controller's watch is there again after the CRD was replaced: it sees the policies go.
  await patchPolicy("first", { priority: 5 });
  await lab.statusWhere("first", (status) => status.observedGeneration === 3 && condition(status, "Ready") === "True");
  await kubectl("delete", "crd", POLICIES, "--wait=true");
  await waitFor("removal to be refused", () => (/RemovalRefusedError/.test(controller.log()) ? true : undefined), {
    timeoutMilliseconds: 20_000,
    lastSeen: () => controller.log(),
  });
  await controller.stop();
  controller = await lab.startController();
  await waitFor(
    "the controller to have seen that policies are not served",
    () => (/"resource":"porthardeningpolicies"/.test(controller.log()) ? true : undefined),
    { timeoutMilliseconds: 10_000 },
  );
  expect((await lab.policiesOn(node)).map(({ name }) => name)).toEqual(["first", "second"]);
  expect(seen().filter((names) => names.length < 2)).toEqual([]);
  await controller.stop();
  await kubectl("create", "-f", policiesCrd);
  await kubectl("wait", "--for=condition=Established", "crd", POLICIES, "--timeout=20s");
  await lab.addPolicy("first");
  await lab.addPolicy("second");
  controller = await lab.startController();
  await lab.statusWhere("second", (status) => condition(status, "Ready") === "True");
  expect(seen().filter((names) => names.length < 2)).toEqual([]);
});

it("makes whole NodeStates again after their CRD was deleted", async () => {
  const seen = watchFromHere();
  await kubectl("delete", "crd", NODE_STATES, "--wait=true");
  await kubectl("create", "-f", nodeStatesCrd);
  await waitFor("NodeStates to be served", () => lab.policiesBecome(node, ["first", "second"]), {
    timeoutMilliseconds: 30_000,
    lastSeen: () => controller.log(),
  });
  expect(seen().filter((names) => names.length < 2)).toEqual([]);
});

async function patchPolicy(name: string, spec: object): Promise<true> {
  await kubectl("patch", "phpol", name, "--type=merge", "-p", JSON.stringify({ spec }));
  return true;
}

/** What an older CRD may have been: the same kind, and any spec at all. */
async function loosenPolicies(): Promise<void> {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const openAPIV3Schema = { type: "object", properties: { spec: anything, status: anything } };
  const patch = [{ op: "replace", path: "/spec/versions/0/schema", value: { openAPIV3Schema } }];
  await kubectl("patch", "crd", POLICIES, "--type=json", "-p", JSON.stringify(patch));
}
