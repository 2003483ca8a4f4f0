import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import { ForbiddenError } from "../../../src/kube/errors.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { renewLease } from "../../../src/kube/lease.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, namespace, startControllerLab } from "./controller-lab.ts";

let lab: ControllerLab;
let bound: KubeClient;
let unbound: KubeClient;

const account = { namespace, name: "port-hardening-agent" };

beforeAll(async () => {
  lab = await startControllerLab();
  await lab.startController();
  for (const node of ["mine", "other"]) {
    await lab.addNode(node);
    await lab.policiesBecome(node, []);
  }
  bound = kubeClient(
    loadKubeConfig(await lab.controlPlane.kubeconfigFor({ ...account, node: "mine" }, lab.api.server)),
  );
  unbound = kubeClient(loadKubeConfig(await lab.controlPlane.kubeconfigFor(account, lab.api.server)));
  // Admission policies take effect a moment after they were made.
  await waitFor(
    "the admission policy to be in force",
    async () => ((await refusal(() => report(unbound, "mine"))) === undefined ? undefined : true),
    { timeoutMilliseconds: 30_000 },
  );
});
afterAll(async () => {
  await bound?.close();
  await unbound?.close();
  await lab?.close();
});

/** As the agent writes its status. */
const report = (client: KubeClient, name: string) =>
  client.apply(
    resources.nodeStates,
    {
      apiVersion: "porthardening.io/v1alpha1",
      kind: "PortHardeningNodeState",
      metadata: { name },
      status: { agentVersion: "1.2.3" },
    } as KubeObject,
    { fieldManager: "agent", subresource: "status" },
  );
const renew = (client: KubeClient, name: string) =>
  renewLease(client, { namespace, name, holder: name, durationSeconds: 180 }, new Date());

async function refusal(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ForbiddenError) return error.message;
    throw error;
  }
}

describe("an agent", () => {
  it("writes the status and the Lease of its own node", async () => {
    expect(await refusal(() => report(bound, "mine"))).toBeUndefined();
    // Once to create it, once to renew it.
    expect(await refusal(() => renew(bound, "mine"))).toBeUndefined();
    expect(await refusal(() => renew(bound, "mine"))).toBeUndefined();
  });

  it("writes neither status nor Lease of another node", async () => {
    const reason = "the agent of node mine writes only objects named mine";
    expect(await refusal(() => report(bound, "other"))).toContain(reason);
    expect(await refusal(() => renew(bound, "other"))).toContain(reason);
  });

  it("writes nothing with a token that is bound to no node", async () => {
    expect(await refusal(() => report(unbound, "mine"))).toContain("not bound to a node");
    expect(await refusal(() => renew(unbound, "mine"))).toContain("not bound to a node");
  });

  it("cannot change what it is told to enforce", async () => {
    const current = await lab.admin.get(resources.nodeStates, { name: "mine" });
    if (current === undefined) throw new Error("there is no NodeState");
    expect(await refusal(() => bound.replace(resources.nodeStates, current))).toContain("cannot update resource");
    expect(await refusal(() => bound.delete(resources.nodeStates, { name: "mine" }))).toContain(
      "cannot delete resource",
    );
  });
});

it("binds nobody else: an administrator writes any Lease", async () => {
  expect(await refusal(() => renew(lab.admin, "other"))).toBeUndefined();
});

describe("the cluster's own addresses", () => {
  const group = (name: string, labels: Record<string, string> = {}) => ({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningAddressGroup",
    metadata: { name, labels },
    spec: { addresses: ["203.0.113.0/24"] },
  });
  const trusted = { "porthardening.io/cluster": "nodes" };
  const reason = "the label porthardening.io/cluster marks the cluster's own addresses";

  it("are made by the controller alone: nobody else makes a source trusted", async () => {
    await waitFor(
      "the admission policy to be in force",
      async () => {
        const said = await refusal(() =>
          lab.admin.create(resources.addressGroups, group(`try-${Date.now()}`, trusted)),
        );
        return said?.includes(reason) ? true : undefined;
      },
      { timeoutMilliseconds: 30_000 },
    );
    const selected = {
      "porthardening.io/cluster": "selected-nodes",
      "porthardening.io/node-selector": "0123456789abcdef",
    };
    const name = "cluster-selected-nodes-0123456789abcdef-0";
    expect(await refusal(() => lab.admin.create(resources.addressGroups, group(name, selected)))).toContain(reason);
    await lab.admin.create(resources.addressGroups, group("partners"));
    const apply = lab.admin.apply(resources.addressGroups, group("partners", trusted), { fieldManager: "test" });
    expect(await refusal(() => apply)).toContain(reason);
  });

  it("cannot be changed by others either", async () => {
    const own = await waitFor(
      "the controller to publish the API server's addresses",
      async () =>
        (
          await lab.admin.list(resources.addressGroups, { labelSelector: "porthardening.io/cluster=apiservers" })
        ).items.at(0),
      { timeoutMilliseconds: 10_000 },
    );
    expect(
      await refusal(() =>
        lab.admin.replace(resources.addressGroups, {
          ...own,
          ...group(own.metadata.name),
          metadata: { ...own.metadata, labels: {} },
        }),
      ),
    ).toContain(reason);
  });
});

describe("rights that are not given", () => {
  it.each([
    ["port-hardening-agent", "list", "secrets"],
    ["port-hardening-agent", "list", "pods"],
    ["port-hardening-agent", "get", "nodes"],
    ["port-hardening-agent", "create", "events"],
    ["port-hardening-agent", "list", "porthardeningpolicies.porthardening.io"],
    ["port-hardening-agent", "update", "porthardeningpodranges.porthardening.io"],
    ["port-hardening-controller", "list", "secrets"],
    ["port-hardening-controller", "update", "pods"],
    ["port-hardening-controller", "create", "mutatingadmissionpolicies.admissionregistration.k8s.io"],
    ["port-hardening-controller", "watch", "pods"],
    ["port-hardening-controller", "delete", "events.events.k8s.io"],
    ["port-hardening-controller", "update", "nodes"],
    ["port-hardening-controller", "update", "porthardeningpolicies.porthardening.io"],
    ["port-hardening-controller", "delete", "customresourcedefinitions.apiextensions.k8s.io"],
  ])("%s cannot %s %s", async (name, verb, resource) => {
    const as = `system:serviceaccount:${namespace}:${name}`;
    const answer = await lab.controlPlane.tryKubectl(["auth", "can-i", verb, resource, "--as", as, "--all-namespaces"]);
    expect(answer.stdout.trim()).toBe("no");
  });
});

describe("the roles that are added to view and edit", () => {
  it.each([
    ["port-hardening-view", "view", { get: "yes", create: "no" }],
    ["port-hardening-edit", "edit", { get: "no", create: "yes" }],
  ])("%s", async (role, group, expected) => {
    const { stdout } = await lab.controlPlane.kubectl([
      "get",
      "clusterrole",
      role,
      "-o",
      "jsonpath={.metadata.labels}",
    ]);
    expect(JSON.parse(stdout)).toHaveProperty([`rbac.authorization.k8s.io/aggregate-to-${group}`], "true");
    const subject = `${role}-tester`;
    await lab.controlPlane.kubectl(["create", "clusterrolebinding", subject, "--clusterrole", role, "--user", subject]);
    for (const [verb, answer] of Object.entries(expected)) {
      const canI = ["auth", "can-i", verb, "porthardeningpolicies.porthardening.io", "--as", subject];
      await waitFor(
        `${verb} to be answered ${answer}`,
        async () => {
          const { stdout: said } = await lab.controlPlane.tryKubectl(canI);
          return said.trim() === answer ? true : undefined;
        },
        { timeoutMilliseconds: 30_000 },
      );
    }
    const states = ["auth", "can-i", "update", "porthardeningnodestates.porthardening.io", "--as", subject];
    expect((await lab.controlPlane.tryKubectl(states)).stdout.trim()).toBe("no");
  });
});
