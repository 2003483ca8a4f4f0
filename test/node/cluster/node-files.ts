import { stringify } from "yaml";

/** Where a node and its programs find each other. */
export interface NodePlace {
  readonly name: string;
  readonly ipv4: string;
  readonly podCidr: string;
  /** The cgroup that all of the node's pods are in, without the leading slash. */
  readonly cgroup: string;
  readonly authority: string;
  readonly kubelet: { readonly certificate: string; readonly key: string };
  readonly resolvConf: string;
  readonly proxyKubeconfig: string;
}

export const PAUSE_IMAGE = "localhost/port-hardening/pause:1";

/** containerd 1.6, as Debian 12 has it. */
export const containerdToml = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Root may lack CAP_SYS_RESOURCE where this runs; without it a lower score than one's own is refused.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
`;

export function kubeletYaml({ cgroup, authority, kubelet, resolvConf }: NodePlace): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    cgroupsPerQOS: true,
    oomScoreAdj: 0,
    enforceNodeAllocatable: ["pods"],
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: kubelet.certificate,
    tlsPrivateKeyFile: kubelet.key,
    resolvConf,
    clusterDomain: "cluster.local",
    failSwapOn: false,
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      "memory.available": "1Mi",
      "nodefs.available": "0%",
      "imagefs.available": "0%",
      "nodefs.inodesFree": "0%",
    },
    nodeStatusUpdateFrequency: "2s",
    syncFrequency: "5s",
    registerNode: true,
  });
}

export function kubeProxyYaml({ proxyKubeconfig }: NodePlace): string {
  return stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: proxyKubeconfig },
    clusterCIDR: "198.19.0.0/17",
    mode: "iptables",
    oomScoreAdj: 0,
    // Left as they are: they are the machine's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  });
}

export function cniConflist({ podCidr }: NodePlace): string {
  return JSON.stringify({
    cniVersion: "0.4.0",
    name: "lab",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/run/cni-ipam",
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
}
