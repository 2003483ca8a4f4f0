import type { Resource } from "./types.ts";

const GROUP = "porthardening.io";

/** The kinds that the operator reads or writes. */
export const resources = {
  policies: own("porthardeningpolicies", "PortHardeningPolicy"),
  nodeStates: own("porthardeningnodestates", "PortHardeningNodeState"),
  addressGroups: own("porthardeningaddressgroups", "PortHardeningAddressGroup"),
  podRanges: own("porthardeningpodranges", "PortHardeningPodRange"),
  nodes: { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false },
  services: { group: "", version: "v1", plural: "services", kind: "Service", namespaced: true },
  endpointSlices: {
    group: "discovery.k8s.io",
    version: "v1",
    plural: "endpointslices",
    kind: "EndpointSlice",
    namespaced: true,
  },
  serviceCidrs: {
    group: "networking.k8s.io",
    version: "v1",
    plural: "servicecidrs",
    kind: "ServiceCIDR",
    namespaced: false,
  },
  events: { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", namespaced: true },
  mutatingAdmissionPolicies: admission("mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
  mutatingAdmissionPolicyBindings: admission("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
  pods: { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true },
  clusterReports: {
    group: "openreports.io",
    version: "v1alpha1",
    plural: "clusterreports",
    kind: "ClusterReport",
    namespaced: false,
  },
  leases: { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true },
} as const satisfies Record<string, Resource>;

function admission(plural: string, kind: string): Resource {
  return { group: "admissionregistration.k8s.io", version: "v1", plural, kind, namespaced: false };
}

function own(plural: string, kind: string): Resource {
  return { group: GROUP, version: "v1alpha1", plural, kind, namespaced: false };
}
