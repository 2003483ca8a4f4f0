import type { Values } from "./helm.ts";

/** The values that make objects differ in form; each is rendered, linted and shown to a real API server. */
export const combinations: Readonly<Record<string, Values>> = {
  "the defaults": {},
  "a private registry": {
    image: { repository: "registry.example:5000/team/port-hardening", tag: "1.2.3", pullPolicy: "Always" },
    imagePullSecrets: [{ name: "registry" }],
  },
  "an image by digest": { image: { digest: `sha256:${"0123456789abcdef".repeat(4)}` } },
  "one controller": { controller: { replicas: 1 } },
  "three controllers without a budget": { controller: { replicas: 3, podDisruptionBudget: false } },
  "names of one's own": { fullnameOverride: "hardening" },
  "kinds that somebody else installs": { crds: { install: false } },
  "lists of one's own": {
    allowedSysctls: ["net.ipv4.tcp_syncookies", "net.*.conf.all.accept_redirects"],
    failsafes: {
      inbound: [{ name: "backup", protocol: "TCP", ports: [9102, "9200-9300"], peers: "Nodes" }],
      outbound: [{ name: "syslog", protocol: "UDP", ports: ["514"], peers: "Everybody" }],
    },
    podInterfaces: ["pod+", "wg0"],
    podsOnUplink: true,
  },
  "no sysctls at all": { allowedSysctls: [] },
  "pods left alone": { podRange: { enabled: false } },
  "pods left alone in more namespaces": { podRange: { excludedNamespaces: ["kube-system", "build"] } },
  "pods placed by hand": {
    controller: {
      nodeSelector: { pool: "system" },
      tolerations: [{ key: "system", operator: "Equal", value: "yes", effect: "NoSchedule" }],
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: "zone", operator: "Exists" }] } },
          ],
        },
      },
      podAnnotations: { "example.com/team": "platform" },
      resources: {},
    },
    agent: {
      nodeSelector: { hardened: "yes" },
      tolerations: [],
      podAnnotations: { "example.com/team": "platform" },
      resources: { requests: { cpu: 0.1, memory: "64Mi" } },
      updateStrategy: { type: "OnDelete" },
    },
  },
  "everything to watch it by": {
    agent: { healthHost: "NodeAddress" },
    metrics: {
      serviceMonitor: { enabled: true, labels: { release: "prometheus" }, interval: "15s" },
      prometheusRule: { enabled: true, labels: { release: "prometheus" } },
      dashboard: { enabled: true, labels: { grafana: "yes" } },
    },
  },
  "metrics on all addresses": { agent: { healthHost: "0.0.0.0", healthPort: 19471 } },
  "nodes left as they are": { uninstall: { clearNodes: false } },
};
