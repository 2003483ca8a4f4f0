import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubeClient } from "../../../src/kube/client.ts";
import { ForbiddenError } from "../../../src/kube/errors.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, condition, namespace, startControllerLab } from "./controller-lab.ts";

const name = "port-hardening-pod-range";
const manifest = resolve(import.meta.dirname, "../../../deploy/pod-range.yaml");

// One install from the first test to the last: each goes on where the one before ended.
let lab: ControllerLab;

beforeAll(async () => {
  lab = await startControllerLab();
  await kubectl("create", "serviceaccount", "default", "-n", "default");
  await lab.startController({ podRangeLookMilliseconds: 500 });
  for (const node of ["a", "b"]) await lab.addNode(node);
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) => (await lab.controlPlane.kubectl(args)).stdout;
const range = (from: number) => ({ ephemeralPorts: { range: `${from}-60000`, pods: "Inject" } });

const isGiven = (from: number, policy: string) => ({ range: `${from}-60000`, policy });

async function given(): Promise<object | undefined> {
  const object = await lab.admin.get(resources.podRanges, { name: "cluster" });
  return (object as { readonly spec?: object } | undefined)?.spec;
}

async function rangesBecome(wanted: object | undefined): Promise<void> {
  let seen: unknown;
  await waitFor(
    `${JSON.stringify(wanted)} to be given`,
    async () => {
      seen = await given();
      return isDeepStrictEqual(seen, wanted) || undefined;
    },
    { timeoutMilliseconds: 30_000, lastSeen: () => JSON.stringify(seen) },
  );
}

const newPod = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "new" },
  spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "pause" }] },
});

/** The range that a new pod would get. */
async function podsGet(value: string | undefined): Promise<void> {
  const create = ["create", "--dry-run=server", "-n", "default", "-o", "json", "-f", "-"];
  let seen: unknown;
  await waitFor(
    `new pods to get ${value}`,
    async () => {
      const { stdout } = await lab.controlPlane.kubectl(create, { input: newPod });
      seen = JSON.parse(stdout).spec.securityContext.sysctls?.[0]?.value;
      return seen === value || undefined;
    },
    { timeoutMilliseconds: 60_000, intervalMilliseconds: 200, lastSeen: () => String(seen) },
  );
}

describe("a policy that asks for its range in pods", () => {
  it("is not Ready where that is not installed, though its nodes enforce it", async () => {
    await lab.addPolicy("p", range(50_000));
    const status = await lab.statusWhere("p", ({ status }) => status === "PartlyEnforced");
    expect(status.nodes).toMatchObject({ selected: 2, enforced: 2 });
    expect(condition(status, "Stalled")).toBe("True");
    expect(status.message).toContain(
      `New pods do not get the range: MutatingAdmissionPolicy ${name} is not there: install it (the chart's podRange.enabled`,
    );
  });

  it("is Ready once it is, and new pods have the range", async () => {
    await kubectl("apply", "-f", manifest);
    const status = await lab.statusWhere("p", ({ status }) => status === "Ready");
    expect(condition(status, "Stalled")).toBe("False");
    expect(await given()).toEqual(isGiven(50_000, "p"));
    await podsGet("50000 60000");
  });

  it("says so when somebody takes away the binding, and when it is back", async () => {
    await kubectl("delete", "mutatingadmissionpolicybinding", name);
    await lab.statusWhere("p", ({ message = "" }) =>
      message.includes(`MutatingAdmissionPolicyBinding ${name} is not there`),
    );
    await kubectl("apply", "-f", manifest);
    await lab.statusWhere("p", ({ status }) => status === "Ready");
  });

  it("has what others wrote there mended", async () => {
    await kubectl("patch", "phpods", "cluster", "--type=merge", "-p", JSON.stringify({ spec: { range: "1024-2047" } }));
    await rangesBecome(isGiven(50_000, "p"));
    await kubectl("delete", "phpods", "cluster");
    await rangesBecome(isGiven(50_000, "p"));
  });

  it("loses to one of higher priority, and both say so", async () => {
    await lab.addPolicy("q", { priority: 1, ...range(40_000) });
    await rangesBecome(isGiven(40_000, "q"));
    const lost = await lab.statusWhere("p", (status) => condition(status, "Conflicted") === "True");
    expect(lost.conditions?.find(({ type }) => type === "Conflicted")?.message).toContain(
      "spec.ephemeralPorts.pods: policy q wins on a, b",
    );
    const won = await lab.statusWhere("q", ({ status }) => status === "Ready");
    expect(condition(won, "Conflicted")).toBe("False");
    await podsGet("40000 60000");
  });

  it("wins again when the other only observes", async () => {
    await kubectl("patch", "phpol", "q", "--type=merge", "-p", JSON.stringify({ spec: { mode: "Observe" } }));
    await rangesBecome(isGiven(50_000, "p"));
  });

  it("leaves nothing to new pods when it goes", async () => {
    await kubectl("delete", "phpol", "p", "q");
    await rangesBecome(undefined);
    await podsGet(undefined);
  });
});

describe("the controller's rights", () => {
  let own: KubeClient;
  beforeAll(async () => {
    const account = { namespace, name: "port-hardening-controller" };
    own = kubeClient(loadKubeConfig(await lab.controlPlane.kubeconfigFor(account, lab.api.server)));
  });
  afterAll(() => own?.close());

  it.each(["mutatingAdmissionPolicies", "mutatingAdmissionPolicyBindings"] as const)(
    "show it that one of the %s, and let it change none",
    async (plural) => {
      const resource = resources[plural];
      expect((await own.get(resource, { name }))?.metadata.name).toBe(name);
      await expect(own.get(resource, { name: "another" })).rejects.toThrow(ForbiddenError);
      const there = await lab.admin.get(resource, { name });
      if (there === undefined) throw new Error(`there is no ${name}`);
      await expect(own.replace(resource, there)).rejects.toThrow(ForbiddenError);
      const apply = own.apply(resource, { ...there, metadata: { name } }, { fieldManager: "test" });
      await expect(apply).rejects.toThrow(ForbiddenError);
      await expect(own.delete(resource, { name })).rejects.toThrow(ForbiddenError);
    },
  );

  it("let nobody else decide what pods get: who may edit policies may look only", async () => {
    for (const role of ["view", "edit"]) {
      await kubectl("create", "clusterrolebinding", role, "--clusterrole", `port-hardening-${role}`, "--user", role);
    }
    const can = async (as: string, verb: string, resource: string) =>
      (await lab.controlPlane.tryKubectl(["auth", "can-i", verb, resource, "--as", as])).stdout.trim();
    const mayBecome = (...right: Parameters<typeof can>) =>
      waitFor(right.join(" "), async () => (await can(...right)) === "yes" || undefined, {
        timeoutMilliseconds: 30_000,
      });
    await mayBecome("view", "get", "porthardeningpodranges");
    await mayBecome("edit", "create", "porthardeningpolicies");
    for (const verb of ["create", "update", "delete"])
      expect(await can("edit", verb, "porthardeningpodranges")).toBe("no");
  });
});
