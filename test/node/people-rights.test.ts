import { resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { kubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import type { KubeClient } from "../../src/kube/types.ts";
import { expectLossForEach } from "../cluster/rights/loss.ts";
import { clusterRole, type Roles, rolesOf } from "../cluster/rights/roles.ts";
import { type ControlPlane, type ForwardedApi, startControlPlane } from "../lab/control-plane.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait-for.ts";
import { startControllerManager } from "./cluster/controller-manager.ts";

const project = resolve(import.meta.dirname, "../..");
/** What the right is for, as people do it. */
interface Doing {
  readonly right: string;
  /** Arguments of kubectl. */
  readonly command: string;
  /** What kubectl reads from its standard input. */
  readonly object?: object;
  /** It is there before. */
  readonly finds?: object;
}

const made = (kind: string, name: string, spec: object) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: `PortHardening${kind}`,
  metadata: { name },
  spec,
});
const someObjects = [
  made("Policy", "some", { mode: "Observe" }),
  made("NodeState", "some", { policies: [] }),
  made("AddressGroup", "some", { addresses: ["192.0.2.1/32"] }),
  made("PodRange", "cluster", { range: "40000-50000", policy: "some" }),
];
const plurals = [
  "porthardeningpolicies",
  "porthardeningnodestates",
  "porthardeningaddressgroups",
  "porthardeningpodranges",
];

const viewing: readonly Doing[] = plurals.flatMap((plural, index) => {
  const watched = `/apis/porthardening.io/v1alpha1/${plural}?watch=true&timeoutSeconds=1`;
  return [
    { right: `get ${plural}`, command: `get ${plural} ${someObjects[index]?.metadata.name}` },
    { right: `list ${plural}`, command: `get ${plural}` },
    // As `kubectl wait` and `kubectl get --watch` do after they have listed.
    { right: `watch ${plural}`, command: `get --raw ${watched}` },
  ];
});
const edited = [
  { plural: "porthardeningpolicies", kind: "Policy", spec: { mode: "Observe" } },
  { plural: "porthardeningaddressgroups", kind: "AddressGroup", spec: { addresses: ["192.0.2.1/32"] } },
];
const editing: readonly Doing[] = edited.flatMap(({ plural, kind, spec }) => {
  const own = (name: string) => made(kind, name, spec);
  return [
    { right: `create ${plural}`, command: "create -f -", object: own("new") },
    { right: `update ${plural}`, command: "replace -f -", object: own("replaced"), finds: own("replaced") },
    { right: `patch ${plural}`, command: "apply -f -", object: own("applied"), finds: own("applied") },
    // One by one: the right to delete a collection is not needed for that.
    { right: `delete ${plural}`, command: `delete ${plural} --all --wait=false`, finds: own("deleted") },
  ];
});

let lab: Lab;
let controlPlane: ControlPlane;
let api: ForwardedApi;
let admin: KubeClient;
const held = new Map<string, Roles>();

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  await startControllerManager(lab, controlPlane, ["clusterrole-aggregation-controller"]);
  await controlPlane.kubectl(["apply", "--server-side", "-f", resolve(project, "crds")]);
  await controlPlane.kubectl(["apply", "-k", resolve(project, "deploy")]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  for (const object of someObjects) await create(object);
  api = await controlPlane.forward();
  admin = kubeClient(loadKubeConfig(api.kubeconfig));
  for (const builtIn of ["view", "edit", "admin"]) {
    const binding = ["create", "clusterrolebinding", `${builtIn}-tester`, "--clusterrole", builtIn];
    await controlPlane.kubectl([...binding, "--user", `${builtIn}-tester`]);
    const roles = builtIn === "view" ? ["port-hardening-view"] : ["port-hardening-view", "port-hardening-edit"];
    const holder = { user: `${builtIn}-tester`, roles: roles.map(clusterRole) };
    held.set(builtIn, await rolesOf(holder, admin, api.kubeconfig));
  }
});
afterAll(async () => {
  for (const roles of held.values()) await roles.close();
  await admin?.close();
  await api?.close();
  await lab?.close();
});

async function create(object: object): Promise<void> {
  const create = () => controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(object) });
  // For a moment after its CRD was made an API server refuses a kind, and admission policies are not there at once.
  await waitFor("an object to be made", create, { timeoutMilliseconds: 30_000 });
}

function rolesOfTester(builtIn: string): Roles {
  const roles = held.get(builtIn);
  if (roles === undefined) throw new Error(`nobody has ${builtIn}`);
  return roles;
}

it("there is something that people do for every right", () => {
  expectLossForEach(rolesOfTester("view").rights, viewing);
  expectLossForEach(rolesOfTester("edit").rights, [...viewing, ...editing]);
});

it.each([
  ...viewing.map((doing) => ({ builtIn: "view", ...doing })),
  ...editing.map((doing) => ({ builtIn: "edit", ...doing })),
])(
  "whoever has the role $builtIn needs $right for: kubectl $command",
  async ({ builtIn, right, command, object, finds }) => {
    const roles = rolesOfTester(builtIn);
    const one = roles.rights.find(({ text }) => text === right);
    if (one === undefined) return expect.unreachable(`nothing gives the right to ${right}`);
    const input = object === undefined ? {} : { input: JSON.stringify(object) };
    const run = () => controlPlane.tryKubectl([...command.split(" "), "--as", `${builtIn}-tester`], input);
    if (finds !== undefined) await create(finds);
    await roles.withdraw(one);
    const without = await run();
    await roles.giveBack(one);
    expect(without.stderr).toContain(`cannot ${one.verb} resource "${one.resource}"`);
    expect(without.exitCode).not.toBe(0);
    const { exitCode, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining("forbidden") });
  },
);

// Both throw where the API server does not follow.
it.each(["edit", "admin"])("whoever has the role %s has all of these rights by ours alone", async (builtIn) => {
  const roles = rolesOfTester(builtIn);
  for (const right of roles.rights) {
    await roles.withdraw(right);
    await roles.giveBack(right);
  }
  expect(roles.rights).toHaveLength(viewing.length + editing.length);
});
