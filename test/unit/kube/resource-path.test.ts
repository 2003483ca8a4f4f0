import { expect, it } from "vitest";
import { collectionPath, objectPath, queryText } from "../../../src/kube/resource-path.ts";
import { resources } from "../../../src/kube/resources.ts";

it("puts core kinds under /api and all others under /apis", () => {
  expect(collectionPath(resources.nodes, undefined)).toBe("/api/v1/nodes");
  expect(collectionPath(resources.policies, undefined)).toBe("/apis/porthardening.io/v1alpha1/porthardeningpolicies");
  expect(objectPath(resources.leases, { namespace: "port-hardening", name: "n1" })).toBe(
    "/apis/coordination.k8s.io/v1/namespaces/port-hardening/leases/n1",
  );
});

it("lets no name leave its place in the path", () => {
  expect(objectPath(resources.nodes, { name: "../secrets?a" })).toBe("/api/v1/nodes/..%2Fsecrets%3Fa");
});

it.each([
  ["a namespaced kind without a namespace", resources.leases, { name: "n1" }],
  ["a cluster-scoped kind with one", resources.nodes, { name: "n1", namespace: "default" }],
  ["no name", resources.nodes, { name: "" }],
])("refuses %s", (_case, resource, key) => {
  expect(() => objectPath(resource, key)).toThrow(TypeError);
});

it("leaves out what is not given", () => {
  expect(queryText({ limit: 10, continue: undefined, fieldSelector: "metadata.name=n1" })).toBe(
    "?limit=10&fieldSelector=metadata.name%3Dn1",
  );
  expect(queryText({ limit: undefined })).toBe("");
});
