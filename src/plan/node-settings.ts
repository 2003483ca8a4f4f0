import { DEFAULT_FAILSAFES } from "./failsafes.ts";
import type { Failsafes } from "./node-plan.ts";

/** What holds for a node whatever its policies say: fixed at install, completed by what the node shows at run time. */
export interface NodeSettings {
  readonly failsafes: Failsafes;
  /** Interface patterns of pods and overlays: a pod CIDR as source is trusted only on these. */
  readonly podInterfaces: readonly string[];
  /** Routing to pods is native: pod CIDRs are trusted on the uplink too (DESIGN 4, trustCluster). */
  readonly podsOnUplink: boolean;
  /** Why inbound traffic cannot be rejected on this node, so that it is dropped instead; undefined: it can. */
  readonly rejectObstacle: string | undefined;
  /** One bit of packets' marks, by which what is to be rejected is told. */
  readonly markBit: number;
}

/** Free of the bits of kube-proxy (0x4000, 0x8000), Calico (0xffff0000) and Cilium (0x0f00). */
export const DEFAULT_MARK_BIT = 0x1000;

/** The names that CNI plugins give to pod and overlay interfaces. */
const POD_INTERFACES =
  "cni+ cali+ lxc+ eni+ azv+ vethwe+ flannel+ vxlan.calico vxlan-v6.calico tunl0 wireguard.cali wg-v6.cali cilium_+ " +
  "antrea-gw0 genev_sys_+ ovn-k8s-mp0";

export const DEFAULT_NODE_SETTINGS: NodeSettings = {
  failsafes: DEFAULT_FAILSAFES,
  podInterfaces: POD_INTERFACES.split(" "),
  podsOnUplink: false,
  rejectObstacle: undefined,
  markBit: DEFAULT_MARK_BIT,
};
