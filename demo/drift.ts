import { createInterface } from "node:readline";
import type { WorkerNode } from "../test/lab/operator-cluster.ts";
import { waitFor } from "../test/lab/wait-for.ts";

/**
 * Deletes the IPv4 mangle table by hand, with our chains and hook in it, and returns after how many milliseconds the hook
 * was back, by the kernel's own announcements (`nft monitor`).
 */
export async function deleteRulesAndTime(node: WorkerNode): Promise<number> {
  const monitor = await node.spawn("monitor", "nft", ["monitor"], { stdio: "pipe" });
  const { stdout } = monitor.child;
  if (stdout === null) throw new Error("nft monitor has no output");
  let deletedAt: number | undefined;
  let backAt: number | undefined;
  createInterface({ input: stdout }).on("line", (line) => {
    if (line === "delete table ip mangle") deletedAt ??= performance.now();
    if (deletedAt !== undefined && /^add rule ip mangle PREROUTING .*jump PH-PRE/.test(line))
      backAt ??= performance.now();
  });
  try {
    await waitFor("nft monitor to listen", () => listens(node, monitor.pid), {
      timeoutMilliseconds: 5_000,
      intervalMilliseconds: 10,
    });
    await node.exec("nft", ["delete", "table", "ip", "mangle"]);
    return await waitFor(
      "the hook in PREROUTING to come back",
      () => (deletedAt !== undefined && backAt !== undefined ? backAt - deletedAt : undefined),
      {
        timeoutMilliseconds: 10_000,
        intervalMilliseconds: 5,
        lastSeen: () => `deleted at ${deletedAt}, back at ${backAt}`,
      },
    );
  } finally {
    await monitor.stop(500);
  }
}

/** It says nothing when it is ready; its netlink socket with a multicast group does (protocol 12 is netfilter). */
async function listens(node: WorkerNode, pid: number): Promise<true | undefined> {
  const { stdout } = await node.exec("cat", ["/proc/net/netlink"]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return (
    rows.some(([, protocol, owner, groups]) => protocol === "12" && owner === `${pid}` && !/^0*$/.test(groups ?? "")) ||
    undefined
  );
}
