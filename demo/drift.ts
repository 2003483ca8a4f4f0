import { createInterface } from "node:readline";
import type { NetworkNamespace } from "../test/lab/network-namespace.ts";
import { waitFor } from "../test/lab/wait-for.ts";

/**
 * Deletes the IPv4 mangle table by hand, with our chains and hook in it, and returns after how many milliseconds the hook
 * was back, by the kernel's own announcements (`nft monitor`).
 */
export async function deleteRulesAndTime(node: NetworkNamespace): Promise<number> {
  const others = await netfilterListeners(node);
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
    await waitFor(
      "nft monitor to listen",
      async () => (await netfilterListeners(node)).some((one) => !others.includes(one)) || undefined,
      { timeoutMilliseconds: 30_000, intervalMilliseconds: 10 },
    );
    await node.exec("nft", ["delete", "table", "ip", "mangle"]);
    return await waitFor(
      "the hook in PREROUTING to come back",
      () => (deletedAt !== undefined && backAt !== undefined ? backAt - deletedAt : undefined),
      {
        timeoutMilliseconds: 30_000,
        intervalMilliseconds: 5,
        lastSeen: () => `deleted at ${deletedAt}, back at ${backAt}`,
      },
    );
  } finally {
    await monitor.stop(500);
  }
}

/**
 * The port ids of netlink sockets that listen to netfilter (protocol 12) with a multicast group. A monitor says nothing when it is
 * ready; that its socket has come does.
 */
async function netfilterListeners(node: NetworkNamespace): Promise<readonly string[]> {
  const { stdout } = await node.exec("cat", ["/proc/net/netlink"]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([, protocol, port, groups]) =>
    protocol === "12" && port !== undefined && !/^0*$/.test(groups ?? "") ? [port] : [],
  );
}
