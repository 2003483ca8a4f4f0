import { expect, it } from "vitest";
import { parseCgroup } from "../../../../src/audit/listeners/cgroup.ts";

const id = "3f2a9c4b".repeat(8);
const outer = "0123abcd".repeat(8);
const pod = "9b2f6c1e-77aa-4b0e-8c55-0d1f2e3a4b5c";
const podInSlice = pod.replaceAll("-", "_");

it.each([
  [
    "containerd, systemd driver",
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${podInSlice}.slice/cri-containerd-${id}.scope`,
    id,
    pod,
  ],
  ["containerd, cgroupfs driver", `/kubepods/besteffort/pod${pod}/${id}`, id, pod],
  [
    "containerd with slices by name",
    `/system.slice/containerd.service/kubepods-burstable-pod${podInSlice}.slice:cri-containerd:${id}`,
    id,
    pod,
  ],
  ["CRI-O", `/kubepods.slice/kubepods-pod${podInSlice}.slice/crio-${id}.scope`, id, pod],
  ["CRI-O with a group beneath", `/kubepods.slice/kubepods-pod${podInSlice}.slice/crio-${id}.scope/container`, id, pod],
  ["Docker, systemd driver", `/system.slice/docker-${id}.scope`, id, undefined],
  ["Docker, cgroupfs driver", `/docker/${id}`, id, undefined],
  ["Podman", `/machine.slice/libpod-${id}.scope/container`, id, undefined],
  ["seen from a cgroup namespace", `/../cri-containerd-${id}.scope`, id, undefined],
  ["a node in a container (kind)", `/docker/${outer}/kubelet/kubepods/pod${pod}/${id}`, id, pod],
  ["CRI-O's conmon, which is beside the container", `/system.slice/crio-conmon-${id}.scope`, undefined, undefined],
  ["Podman's conmon", `/machine.slice/libpod-conmon-${id}.scope`, undefined, undefined],
  ["a service", "/system.slice/nginx.service", undefined, undefined],
  ["a login", "/user.slice/user-0.slice/session-3.scope", undefined, undefined],
])("finds container and pod: %s", (_, path, containerId, podUid) => {
  const place = parseCgroup(`0::${path}\n`);
  expect(place.cgroup).toBe(path);
  expect(place.containerId).toBe(containerId);
  expect(place.podUid).toBe(podUid);
});

it("takes version 1, where the unified hierarchy is empty or absent", () => {
  const hybrid = `12:memory:/docker/${id}\n1:name=systemd:/system.slice/docker.service\n0::/\n`;
  expect(parseCgroup(hybrid).cgroup).toBe("/system.slice/docker.service");
  expect(parseCgroup(`12:pids:/\n4:cpu,cpuacct:/docker/${id}\n1:name=systemd:/\n`)).toEqual({
    cgroup: `/docker/${id}`,
    containerId: id,
  });
  expect(parseCgroup("0::/\n")).toEqual({ cgroup: "/" });
});
