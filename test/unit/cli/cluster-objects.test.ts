import { expect, it } from "vitest";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { clusterObjects } from "../../../src/cli/cluster-objects.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { fakeApi } from "../controller/fake-api.ts";

const policy = (name: string, spec: object = { mode: "Enforce" }) => ({
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name },
  spec,
});

function cluster(): ReturnType<typeof fakeApi> {
  const api = fakeApi();
  api.put("nodes", { apiVersion: "v1", kind: "Node", metadata: { name: "a", labels: { role: "worker" } } });
  for (const name of ["one", "two", "three"]) api.put("porthardeningpolicies", policy(name));
  return api;
}

/** Lists come in pages of one object. */
function paged(api: KubeClient): KubeClient {
  return {
    ...api,
    async list(resource, options, signal) {
      const { items, resourceVersion } = await api.list(resource, options, signal);
      const at = Number(options.continue ?? 0);
      return { items: items.slice(at, at + 1), resourceVersion, continue: at + 1 < items.length ? `${at + 1}` : "" };
    },
  };
}

it("reads every page", async () => {
  const { policies, groups, node } = await clusterObjects(paged(cluster()), "a");
  expect(policies.map(({ metadata }) => metadata.name)).toEqual(["one", "two", "three"]);
  expect({ groups, node }).toEqual({ groups: [], node: { name: "a", labels: { role: "worker" } } });
});

it("does not explain around a policy that it cannot read", async () => {
  const api = cluster();
  api.put("porthardeningpolicies", policy("newer", { mode: "Enforce", later: true }));
  await expect(clusterObjects(api, "a")).rejects.toBeInstanceOf(SchemaError);
});
