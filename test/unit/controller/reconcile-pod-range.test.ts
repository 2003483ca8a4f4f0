import { beforeEach, describe, expect, it } from "vitest";
import { reconcilePodRange } from "../../../src/controller/reconcile-pod-range.ts";
import { RemovalRefusedError } from "../../../src/controller/removal-guard.ts";
import { ForbiddenError, NotServedError } from "../../../src/kube/errors.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { policyFacts, store } from "./facts.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";

const RANGES = "porthardeningpodranges";
const NAME = "pod-range";
const POLICIES = "mutatingadmissionpolicies";
const BINDINGS = "mutatingadmissionpolicybindings";

let api: FakeApi;
beforeEach(() => {
  api = fakeApi();
  put(POLICIES, {});
  put(BINDINGS, { spec: { policyName: NAME, paramRef: { name: "cluster" } } });
  api.put("customresourcedefinitions", object("porthardeningpolicies.porthardening.io", {}));
});

function object(name: string, rest: object): KubeObject {
  return { apiVersion: "v1", kind: "X", metadata: { name }, ...rest };
}
const put = (plural: string, rest: object) => api.put(plural, object(NAME, rest));
const asks = (name: string, spec: object = {}) =>
  policyFacts(name, { ephemeralPorts: { range: "50000-60000", pods: "Inject" }, ...spec });
const refused = (name: string) => asks(name, { sysctls: { "kernel.panic": "1" } });

const pass = (policies: readonly ReturnType<typeof asks>[], client: FakeApi = api) =>
  reconcilePodRange({
    client,
    stores: { policies: store(policies) },
    name: NAME,
    signal: new AbortController().signal,
  });
const stored = () => (api.stored(RANGES, "cluster") as { readonly spec?: object } | undefined)?.spec;
const given = { range: "50000-60000", policy: "p" };

describe("what pods get", () => {
  it("is the range of the policy that wins, written once", async () => {
    const low = asks("a", { priority: -1, ephemeralPorts: { range: "40000-60000", pods: "Inject" } });
    expect(await pass([low])).toEqual({ given: { range: "40000-60000", policy: "a" } });
    expect(await pass([low, asks("p")])).toEqual({ given });
    expect(stored()).toEqual(given);
    await pass([low, asks("p")]);
    expect(api.writes).toEqual([`CREATE ${RANGES}/cluster`, `PUT ${RANGES}/cluster`]);
  });

  it.each([
    ["only observes", asks("p", { mode: "Observe" })],
    ["leaves pods alone", asks("p", { ephemeralPorts: { range: "50000-60000" } })],
  ])("is nothing by a policy that %s, also where it asked before", async (_, policy) => {
    expect(await pass([policy])).toEqual({});
    expect(api.writes).toEqual([]);
    await pass([asks("p")]);
    expect(await pass([policy])).toEqual({});
    expect(stored()).toBeUndefined();
  });

  it("is nothing when the policy is gone, but not while that is in doubt", async () => {
    await pass([asks("p")]);
    api.remove("customresourcedefinitions", "porthardeningpolicies.porthardening.io");
    await expect(pass([])).rejects.toThrow(RemovalRefusedError);
    await expect(pass([asks("q", { ephemeralPorts: { range: "40000-50000", pods: "Inject" } })])).rejects.toThrow(
      RemovalRefusedError,
    );
    expect(stored()).toEqual(given);
    api.put("customresourcedefinitions", object("porthardeningpolicies.porthardening.io", {}));
    expect(await pass([])).toEqual({});
    expect(stored()).toBeUndefined();
  });

  it("stays what a policy gave that cannot be compiled any more, as on nodes", async () => {
    await pass([asks("p")]);
    expect(await pass([refused("p")])).toEqual({ given });
    expect(await pass([refused("p"), asks("q")])).toEqual({
      given,
      problem: "policy p, which cannot be compiled, keeps the range that it gave them (50000-60000)",
    });
    expect(stored()).toEqual(given);
  });

  it("is mended where somebody else wrote it", async () => {
    await pass([asks("p")]);
    api.put(RANGES, object("cluster", { spec: { range: "1024-65535", policy: "p" } }));
    expect(await pass([asks("p")])).toEqual({ given });
    expect(stored()).toEqual(given);
  });
});

describe("that pods do not get it is said where", () => {
  /** The API server with another answer to a get of this kind. */
  const failing = (plural: string, error: Error): FakeApi => ({
    ...api,
    get: async (resource, key) => {
      if (resource.plural === plural) throw error;
      return api.get(resource, key);
    },
  });
  const fields = { request: "GET /x", status: 404 };

  it("the kind is not served", async () => {
    const { problem } = await pass([asks("p")], failing(POLICIES, new NotServedError("404", fields)));
    expect(problem).toBe(
      "the API server does not serve MutatingAdmissionPolicy in admissionregistration.k8s.io/v1: Kubernetes 1.36 and later do",
    );
  });

  it("the CRD of what they get is older than the controller", async () => {
    const client = failing(RANGES, new NotServedError("404", fields));
    expect((await pass([asks("p")], client)).problem).toContain("its CRD is missing");
    expect(await pass([], client)).toEqual({});
  });

  it.each([
    [POLICIES, "MutatingAdmissionPolicy pod-range is not there"],
    [BINDINGS, "MutatingAdmissionPolicyBinding pod-range is not there"],
  ])("one of %s is missing", async (plural, says) => {
    api.remove(plural, NAME);
    expect((await pass([asks("p")])).problem).toContain(says);
  });

  it.each([
    { policyName: "another", paramRef: { name: "cluster" } },
    { policyName: NAME, paramRef: { name: "other" } },
    { policyName: NAME },
  ])("the binding goes by something else: %j", async (spec) => {
    put(BINDINGS, { spec });
    expect((await pass([asks("p")])).problem).toContain(
      "MutatingAdmissionPolicyBinding pod-range binds something else",
    );
  });

  const error = new ForbiddenError("cannot get resource", { ...fields, status: 403 });

  it("the controller may not look what they get; where nobody asks for anything that is an error, as no status says it", async () => {
    const client = failing(RANGES, error);
    expect((await pass([asks("p")], client)).problem).toContain("may not read PortHardeningPodRange");
    await expect(pass([], client)).rejects.toThrow(error);
  });

  it("the controller may not look", async () => {
    expect((await pass([asks("p")], failing(BINDINGS, error))).problem).toContain(
      "may not read MutatingAdmissionPolicyBinding",
    );
  });

  it("and not where the API server is away: the pass fails, and is repeated", async () => {
    await expect(pass([asks("p")], failing(BINDINGS, new Error("away")))).rejects.toThrow("away");
  });
});
