/** Where a process belongs, as /proc/PID/cgroup tells. */
export interface CgroupPlace {
  /** The path of its control group, `/system.slice/nginx.service`. */
  readonly cgroup: string;
  /** 64 hex digits, where a container runtime made the group. */
  readonly containerId?: string;
  /** Of the Kubernetes pod. */
  readonly podUid?: string;
}

/**
 * Reads /proc/PID/cgroup (cgroups(7)), lines `hierarchy:controllers:path`. The unified one counts; where it is empty
 * (version 1, and the hybrid set-up) systemd's, then any other that places the process.
 */
export function parseCgroup(text: string): CgroupPlace {
  const paths = text
    .split("\n")
    .map((line) => /^(\d+):([^:]*):(\/.*)$/.exec(line))
    .flatMap((match) => (match?.[3] === undefined ? [] : [{ controllers: match[2] ?? "", path: match[3] }]))
    .toSorted((a, b) => rank(a.controllers) - rank(b.controllers));
  const cgroup = (paths.find(({ path }) => path !== "/") ?? paths[0])?.path ?? "/";
  const containerId = containerIn(cgroup);
  const podUid = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})/.exec(cgroup)?.[1]?.replaceAll("_", "-");
  return { cgroup, ...(containerId !== undefined && { containerId }), ...(podUid !== undefined && { podUid }) };
}

function rank(controllers: string): number {
  if (controllers === "") return 0;
  return controllers === "name=systemd" ? 1 : 2;
}

/**
 * The id in the names that runtimes give: `cri-containerd-ID.scope`, `crio-ID.scope`, `docker-ID.scope`, `libpod-ID.scope`,
 * `SLICE:cri-containerd:ID`, or the bare id. The innermost counts. A conmon is beside its container, not in it.
 */
function containerIn(cgroup: string): string | undefined {
  const ids = cgroup.split("/").flatMap((part) => {
    const [, prefix = "", id] = /^(.*?)([0-9a-f]{64})(?:\.scope)?$/.exec(part) ?? [];
    return id === undefined || prefix.endsWith("conmon-") ? [] : [id];
  });
  return ids.at(-1);
}
