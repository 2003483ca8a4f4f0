/** Addresses of the cluster that come to be, and whether the controller publishes them. */
import { CLUSTER_ADDRESSES_LABEL, NODE_SELECTOR_LABEL } from "../../../src/api/group.ts";
import { fieldAt, stringsAt } from "../../../src/controller/wire-fields.ts";
import { resources } from "../../../src/kube/resources.ts";
import { nodeSelectorHash } from "../../../src/plan/selected-nodes.ts";
import type { ControllerLab } from "../controller/controller-lab.ts";
import { addressOf, onlyOn } from "./controller-steps.ts";
import { create, type Look, type Step, serialOf } from "./steps.ts";

/** Whether the list of this role holds what `find` says. */
function published(role: string, find: (lab: ControllerLab, name: string) => unknown): Look<ControllerLab> {
  const labelSelector = `${CLUSTER_ADDRESSES_LABEL}=${role}`;
  return async (lab, name) => {
    const { items } = await lab.admin.list(resources.addressGroups, { labelSelector });
    const wanted = String(await find(lab, name));
    return items.some((group) => stringsAt(fieldAt(group, "spec"), "addresses").includes(wanted));
  };
}

export const nodePublished = published("nodes", (_, name) => `${addressOf(name)}/32`);

const FIRST_OF_NODES = { name: "cluster-nodes-0" };
export const removeNodes: Step<ControllerLab> = ({ admin }) => admin.delete(resources.addressGroups, FIRST_OF_NODES);
export const nodesAreThere: Look<ControllerLab> = async ({ admin }) =>
  (await admin.get(resources.addressGroups, FIRST_OF_NODES)) !== undefined;

export const addService = create(resources.services, (name) => ({
  metadata: { name, namespace: "default" },
  spec: { ports: [{ port: 80 }] },
}));
export const servicePublished = published("vips", async ({ admin }, name) => {
  const service = await admin.get(resources.services, { name, namespace: "default" });
  return `${fieldAt(fieldAt(service, "spec"), "clusterIP")}/32`;
});

const serviceCidrOf = (name: string) => `198.19.${serialOf(name)}.0/24`;
export const addServiceCidr = create(resources.serviceCidrs, (name) => ({
  metadata: { name },
  spec: { cidrs: [serviceCidrOf(name)] },
}));
export const serviceCidrPublished = published("service-cidrs", (_, name) => serviceCidrOf(name));

const apiServerOf = (name: string) => `10.97.0.${serialOf(name)}`;
export const addApiServer = create(resources.endpointSlices, (name) => ({
  metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
  addressType: "IPv4",
  endpoints: [{ addresses: [apiServerOf(name)] }],
  ports: [{ port: 6443 }],
}));
export const apiServerPublished = published("apiservers", (_, name) => `${apiServerOf(name)}/32`);

/** A policy whose peers are the nodes with a label of its own. */
export const addPeers: Step<ControllerLab> = (lab, name) =>
  lab.addPolicy(name, {
    ...onlyOn(name),
    firewall: { inbound: { allow: [{ name: "peers", from: [{ nodes: { matchLabels: { only: name } } }] }] } },
  });
export const peersPublished: Look<ControllerLab> = async ({ admin }, name) => {
  const labelSelector = `${NODE_SELECTOR_LABEL}=${nodeSelectorHash({ matchLabels: { only: name } })}`;
  return (await admin.list(resources.addressGroups, { labelSelector })).items.length > 0;
};
