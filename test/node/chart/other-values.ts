import type { Values } from "./helm.ts";

interface OtherValue {
  readonly other: unknown;
  /** What must be set besides for it to matter. */
  readonly where?: Values;
}

const reachable = { agent: { healthHost: "NodeAddress" } };
const monitors = { ...reachable, metrics: { serviceMonitor: { enabled: true } } };
const rules = { metrics: { prometheusRule: { enabled: true } } };
const dashboard = { metrics: { dashboard: { enabled: true } } };

/** For each value of the chart another one than its default. */
export const otherValues: Readonly<Record<string, OtherValue>> = {
  "image.repository": { other: "elsewhere/port-hardening" },
  "image.tag": { other: "9.9.9" },
  "image.digest": { other: `sha256:${"0".repeat(64)}` },
  "image.pullPolicy": { other: "Always" },
  imagePullSecrets: { other: [{ name: "registry" }] },
  fullnameOverride: { other: "hardening" },
  "crds.install": { other: false },
  allowedSysctls: { other: ["net.ipv4.tcp_syncookies"] },
  "failsafes.inbound": { other: [{ name: "backup", protocol: "TCP", ports: [9102], peers: "Nodes" }] },
  "failsafes.outbound": { other: [{ name: "backup", protocol: "TCP", ports: [9102], peers: "Nodes" }] },
  podInterfaces: { other: ["pod+"] },
  podsOnUplink: { other: true },
  "podRange.enabled": { other: false },
  "podRange.excludedNamespaces": { other: ["kube-system", "build"] },
  "controller.replicas": { other: 3 },
  "controller.leaderElection.leaseDurationSeconds": { other: 30 },
  "controller.serviceNodePortRange": { other: "20000-22767" },
  "controller.logLevel": { other: "debug" },
  "controller.resources": { other: { limits: { memory: "1Gi" } } },
  "controller.nodeSelector": { other: { pool: "system" } },
  "controller.tolerations": { other: [{ operator: "Exists" }] },
  "controller.affinity": { other: { podAffinity: {} } },
  "controller.podAnnotations": { other: { a: "b" } },
  "controller.priorityClassName": { other: "high" },
  "controller.podDisruptionBudget": { other: false },
  "agent.logLevel": { other: "debug" },
  "agent.resources": { other: { limits: { memory: "1Gi" } } },
  "agent.guard.resources": { other: { limits: { memory: "1Gi" } } },
  "agent.nodeSelector": { other: { pool: "system" } },
  "agent.tolerations": { other: [] },
  "agent.podAnnotations": { other: { a: "b" } },
  "agent.priorityClassName": { other: "high" },
  "agent.updateStrategy": { other: { rollingUpdate: { maxUnavailable: 1 } } },
  "agent.primeSeconds": { other: 0 },
  "agent.markBit": { other: "0x2000" },
  "agent.stateDirectory": { other: "/var/lib/elsewhere" },
  "agent.healthHost": { other: "0.0.0.0" },
  "agent.healthPort": { other: 19471 },
  "uninstall.clearNodes": { other: false },
  "uninstall.timeoutSeconds": { other: 600 },
  "metrics.serviceMonitor.enabled": { other: true, where: reachable },
  "metrics.serviceMonitor.labels": { other: { release: "prometheus" }, where: monitors },
  "metrics.serviceMonitor.interval": { other: "15s", where: monitors },
  "metrics.prometheusRule.enabled": { other: true },
  "metrics.prometheusRule.labels": { other: { release: "prometheus" }, where: rules },
  "metrics.dashboard.enabled": { other: true },
  "metrics.dashboard.labels": { other: { grafana: "yes" }, where: dashboard },
};
