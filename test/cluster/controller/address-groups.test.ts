import { afterAll, beforeAll, expect, it } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, startControllerLab } from "./controller-lab.ts";

let lab: ControllerLab;

beforeAll(async () => {
  lab = await startControllerLab();
  await lab.startController();
});
afterAll(async () => {
  await lab?.close();
});

type Group = KubeObject & { readonly spec: { readonly addresses: readonly string[] } };
const group = async (name: string) => (await lab.admin.get(resources.addressGroups, { name })) as Group | undefined;

async function addressesBecome(name: string, holds: (addresses: readonly string[]) => boolean): Promise<Group> {
  let seen: Group | undefined;
  const probe = async () => {
    seen = await group(name);
    return seen !== undefined && holds(seen.spec.addresses) ? seen : undefined;
  };
  return waitFor(`group ${name}`, probe, { timeoutMilliseconds: 10_000, lastSeen: () => JSON.stringify(seen?.spec) });
}

const exactly =
  (...wanted: string[]) =>
  (addresses: readonly string[]) =>
    addresses.join() === wanted.toSorted().join();

it("publishes the addresses of the API server, the service CIDRs and the VIPs, each under its role", async () => {
  const apiservers = await addressesBecome("cluster-apiservers-0", exactly("198.18.0.1/32"));
  expect(apiservers.metadata.labels).toEqual({ "porthardening.io/cluster": "apiservers" });
  await addressesBecome("cluster-service-cidrs-0", exactly("198.19.240.0/20"));
  await addressesBecome("cluster-vips-0", exactly("198.19.240.1/32"));
});

it("publishes node addresses and pod CIDRs of both families, and follows them", async () => {
  const node = (name: string, octet: number): object => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    spec: { podCIDR: `198.19.${octet}.0/24`, podCIDRs: [`198.19.${octet}.0/24`, `2001:db8:0:${octet}::/64`] },
    status: {
      addresses: [
        { type: "InternalIP", address: `198.18.1.${octet}` },
        { type: "InternalIP", address: `2001:db8::${octet}` },
        { type: "ExternalIP", address: `203.0.113.${octet}` },
        { type: "Hostname", address: name },
      ],
    },
  });
  await lab.admin.create(resources.nodes, node("one", 1) as KubeObject);
  await lab.admin.create(resources.nodes, node("two", 2) as KubeObject);
  await addressesBecome(
    "cluster-pods-0",
    exactly("198.19.1.0/24", "2001:db8:0:1::/64", "198.19.2.0/24", "2001:db8:0:2::/64"),
  );
  const one = ["198.18.1.1/32", "2001:db8::1/128", "203.0.113.1/32"];
  await addressesBecome("cluster-nodes-0", exactly(...one, "198.18.1.2/32", "2001:db8::2/128", "203.0.113.2/32"));
  await lab.admin.delete(resources.nodes, { name: "two" });
  await addressesBecome("cluster-nodes-0", exactly(...one));
  await addressesBecome("cluster-pods-0", exactly("198.19.1.0/24", "2001:db8:0:1::/64"));
});

it("deletes a group that has nothing left to say", async () => {
  await lab.admin.delete(resources.nodes, { name: "one" });
  const gone = async () => ((await group("cluster-nodes-0")) === undefined ? true : undefined);
  await waitFor("cluster-nodes-0 to go", gone, { timeoutMilliseconds: 30_000 });
});

it("spreads more than a group holds over shards, and leaves the others alone when a Service goes", async () => {
  const addresses = (block: number) => Array.from({ length: 600 }, (_, i) => `198.18.${block + (i >> 8)}.${i & 255}`);
  for (const [index, block] of [10, 20, 30].entries()) {
    await lab.controlPlane.kubectl(["create", "-f", "-"], {
      input: JSON.stringify({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: `many-${index}`, namespace: "default" },
        spec: { ports: [{ port: 80 }], externalIPs: addresses(block) },
      }),
    });
    await waitFor(
      "all of them to be published",
      async () => ((await total()) >= 600 * (index + 1) ? true : undefined),
      {
        timeoutMilliseconds: 10_000,
      },
    );
  }
  const first = await addressesBecome("cluster-vips-0", (list) => list.length === 1_000);
  await addressesBecome("cluster-vips-1", (list) => list.length > 800);
  await lab.controlPlane.kubectl(["delete", "service", "many-2"]);
  await addressesBecome("cluster-vips-1", (list) => list.length < 300);
  expect((await group("cluster-vips-0"))?.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  await lab.controlPlane.kubectl(["delete", "service", "many-1", "many-0"]);
  await waitFor("shard 1 to go", async () => ((await group("cluster-vips-1")) === undefined ? true : undefined), {
    timeoutMilliseconds: 30_000,
  });
});

it.each([
  ["addresses", { op: "replace", path: "/spec/addresses", value: ["0.0.0.0/0"] }],
  ["label", { op: "remove", path: "/metadata/labels/porthardening.io~1cluster" }],
])("repairs the %s of a group that somebody edited where admission did not stop it", async (_what, patch) => {
  const binding = ["validatingadmissionpolicybinding", "port-hardening-cluster-addresses"];
  await lab.controlPlane.kubectl(["delete", ...binding, "--ignore-not-found"]);
  const name = "cluster-apiservers-0";
  const args = ["patch", "phag", name, "--type=json", "-p", JSON.stringify([patch])];
  await waitFor(
    "the edit to be let in",
    async () => ((await lab.controlPlane.tryKubectl(args)).exitCode === 0 ? true : undefined),
    { timeoutMilliseconds: 10_000 },
  );
  await waitFor(
    "the repair",
    async () => {
      const current = await group(name);
      const whole = current?.metadata.labels?.["porthardening.io/cluster"] === "apiservers";
      return whole && exactly("198.18.0.1/32")(current.spec.addresses) ? true : undefined;
    },
    { timeoutMilliseconds: 30_000 },
  );
});

it("makes a deleted group anew, and never touches users' own", async () => {
  const own = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningAddressGroup",
    metadata: { name: "office" },
  };
  const before = await lab.admin.create(resources.addressGroups, {
    ...own,
    spec: { addresses: ["192.0.2.0/24"] },
  } as KubeObject);
  await lab.controlPlane.kubectl(["delete", "phag", "cluster-service-cidrs-0"]);
  await addressesBecome("cluster-service-cidrs-0", exactly("198.19.240.0/20"));
  expect((await group("office"))?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

async function total(): Promise<number> {
  const { items } = await lab.admin.list(resources.addressGroups, { labelSelector: "porthardening.io/cluster=vips" });
  return items.reduce((sum, item) => sum + (item as Group).spec.addresses.length, 0);
}
