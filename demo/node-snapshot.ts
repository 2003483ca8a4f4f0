import { readdir } from "node:fs/promises";
import type { DemoNode } from "./demo-cluster.ts";

const SYSCTLS = ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_syncookies"];

/** What the operator may have changed on a node, as comparable text: rules, sets, sysctls, sysctl.d files. */
export async function nodeSnapshot(node: DemoNode): Promise<string> {
  const texts = await Promise.all([
    node.exec("iptables-nft-save", []),
    node.exec("ip6tables-nft-save", []),
    node.exec("ipset", ["save"]),
    node.exec("sysctl", SYSCTLS),
  ]);
  const [four, six, sets, sysctls] = texts.map(({ stdout }) => stdout);
  const files = await readdir(node.sysctlDirectory);
  return [rulesOnly(four ?? ""), rulesOnly(six ?? ""), sets, sysctls, files.join("\n")].join("\n--\n");
}

/**
 * Rules and chains somebody made: without counters, comments, and base chains (the kernel keeps empty ones). Those of kubelet,
 * kube-proxy and CNI plugins follow pods and Services.
 */
function rulesOnly(save: string): string {
  const kept = save.split("\n").filter((line) => /^(-A|:\S+ -)/.test(line) && !/\b(KUBE|CNI)-/.test(line));
  return kept.map((line) => line.replace(/\[\d+:\d+\]/, "")).join("\n");
}
