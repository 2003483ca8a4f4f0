import { beforeEach, expect, it } from "vitest";
import { confirmRemoval, RemovalRefusedError } from "../../../src/controller/removal-guard.ts";
import { ConnectionError, NotServedError } from "../../../src/kube/errors.ts";
import { policyObject } from "./facts.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";

const CRD = "porthardeningpolicies.porthardening.io";
const { signal } = new AbortController();

let api: FakeApi;
beforeEach(() => {
  api = fakeApi();
  const crd = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: CRD } };
  api.put("customresourcedefinitions", crd);
});

it("passes where the CRD stands and the policy is really gone", async () => {
  await expect(confirmRemoval(api, ["gone"], signal)).resolves.toBeUndefined();
});

it("refuses for a policy that exists, whatever the cache thought", async () => {
  api.put("porthardeningpolicies", policyObject("there"));
  await expect(confirmRemoval(api, ["gone", "there"], signal)).rejects.toThrow(RemovalRefusedError);
});

it("refuses where policies are not served any more by the time of the question", async () => {
  const get: FakeApi["get"] = async (resource, key) => {
    if (resource.plural !== "porthardeningpolicies") return api.get(resource, key);
    throw new NotServedError("the server could not find the requested resource", { request: "GET", status: 404 });
  };
  await expect(confirmRemoval({ ...api, get }, ["gone"], signal)).rejects.toThrow(RemovalRefusedError);
});

it("passes on the error of an API server that cannot be asked", async () => {
  const get: FakeApi["get"] = async () => {
    throw new ConnectionError("connection refused", { request: "GET" });
  };
  await expect(confirmRemoval({ ...api, get }, [], signal)).rejects.toThrow(ConnectionError);
});
