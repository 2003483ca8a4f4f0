/** The names under which the kinds are served. All are cluster-scoped. */
export const API_GROUP = "porthardening.io";
export const API_VERSION_NAME = "v1alpha1";
export const API_VERSION = "porthardening.io/v1alpha1";

export const POLICY_KIND = "PortHardeningPolicy";
export const NODE_STATE_KIND = "PortHardeningNodeState";
export const ADDRESS_GROUP_KIND = "PortHardeningAddressGroup";
export const POD_RANGE_KIND = "PortHardeningPodRange";

export const POLICY_PLURAL = "porthardeningpolicies";
export const NODE_STATE_PLURAL = "porthardeningnodestates";
export const ADDRESS_GROUP_PLURAL = "porthardeningaddressgroups";
export const POD_RANGE_PLURAL = "porthardeningpodranges";

/** Label of the address groups that the controller publishes; its value is the role. */
export const CLUSTER_ADDRESSES_LABEL = "porthardening.io/cluster";
export const CLUSTER_ADDRESS_ROLES = ["nodes", "pods", "apiservers", "service-cidrs", "vips"] as const;
export type ClusterAddressRole = (typeof CLUSTER_ADDRESS_ROLES)[number];

/** Value of that label on the groups that hold the addresses of the nodes which a policy selects as peers. */
export const SELECTED_NODES = "selected-nodes" as const;
/** Label of those: which selector it is, as a hash. The selector itself stands in the annotation of the same name. */
export const NODE_SELECTOR_LABEL = "porthardening.io/node-selector";
