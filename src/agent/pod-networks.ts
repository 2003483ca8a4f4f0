import type { HostView } from "../audit/host-view.ts";
import { parseCgroup } from "../audit/listeners/cgroup.ts";

/** The network of a pod that runs on this node, and is not the node's own. */
export interface PodNetwork {
  readonly podUid: string;
  /** `net:[4026532008]`; the numbers come again. */
  readonly namespace: string;
  /** Its first process. */
  readonly pid: number;
}

type View = Pick<HostView, "readFile" | "readFolder" | "readLink">;

/** By the control groups that kubelet makes for pods. The first process of a pod makes its network, and the others join. */
export async function podNetworks(view: View): Promise<readonly PodNetwork[]> {
  const own = await view.readLink("/proc/self/ns/net");
  const found = new Map<string, PodNetwork>();
  const pids = ((await view.readFolder("/proc")) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids.toSorted((a, b) => a - b)) {
    // A walk over all processes must not hold everything else up.
    await new Promise((resolve) => setImmediate(resolve));
    const { podUid } = parseCgroup((await view.readFile(`/proc/${pid}/cgroup`)) ?? "");
    if (podUid === undefined || found.has(podUid)) continue;
    const namespace = await view.readLink(`/proc/${pid}/ns/net`);
    if (namespace !== undefined) found.set(podUid, { podUid, namespace, pid });
  }
  return [...found.values()].filter(({ namespace }) => namespace !== own);
}
