import { createHash } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { RealNode } from "./real-cluster.ts";

/** What an operator may change on a node, as comparable text. */
export interface NodeSnapshot {
  /** All rules and chains that somebody made, but for those of kube-proxy, kubelet and CNI plugins, which follow Services and pods. */
  readonly rules: readonly string[];
  readonly sets: string;
  /** Tables of nft that are not iptables' or kube-proxy's own. */
  readonly tables: readonly string[];
  readonly sysctls: readonly string[];
  /** What was ever written, changed or removed below the node's /etc, with a hash of its content. */
  readonly etc: readonly string[];
}

export async function snapshotNode(node: RealNode): Promise<NodeSnapshot> {
  const [four, six, sets, tables, sysctls] = await Promise.all([
    node.exec("iptables-save", []),
    node.exec("ip6tables-save", []),
    node.exec("ipset", ["list"]),
    node.exec("nft", ["list", "tables"]),
    // Some settings are write-only, or another namespace's.
    node.tryExec("sysctl", ["-a"]),
  ]);
  return {
    rules: [...madeRules(four.stdout), ...madeRules(six.stdout).map((rule) => `ip6 ${rule}`)],
    sets: sets.stdout,
    tables: lines(tables.stdout).filter((line) => !/^table ip6? (raw|mangle|nat|filter|kube-proxy)$/.test(line)),
    sysctls: lines(sysctls.stdout).filter(isSteady),
    etc: await filesBelow(join(node.folder, "etc/upper")),
  };
}

function madeRules(save: string): string[] {
  // Empty base chains may come: the kernel keeps them. Counters differ all the time.
  const made = lines(save).filter((line) => line.startsWith("-A ") || /^:\S+ - /.test(line));
  return made.filter((line) => !/\b(KUBE|CNI)-/.test(line)).map((line) => line.replace(/ \[\d+:\d+\]/, ""));
}

/** Of the node's network, and neither a count nor of an interface that comes and goes with a pod. */
function isSteady(line: string): boolean {
  return line.startsWith("net.") && !/\.(conf|neigh)\.(veth|cni)|nf_conntrack_count/.test(line);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const described = entries
    .filter((entry) => !entry.isDirectory())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(folder.length);
      if (entry.isSymbolicLink()) return `${name} -> ${await readlink(path)}`;
      // A device stands for what was removed (overlayfs).
      if (!entry.isFile()) return `${name} removed`;
      return `${name} ${createHash("sha256")
        .update(await readFile(path))
        .digest("hex")}`;
    });
  return (await Promise.all(described)).toSorted();
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
