#!/bin/sh
# Process 1 of a node: a machine made of namespaces (network, mounts, processes, names), on which the unmodified containerd,
# kubelet and kube-proxy run. The usual paths (/run, /etc, /var/lib/kubelet, ...) are the node's own, so a DaemonSet with
# hostPath volumes works as on any machine; when this process ends, the kernel ends all that it started and drops every mount.
#   node.sh NAME FOLDER TOOLS PROGRAMS
# FOLDER holds the node's files: containerd.toml, kubelet.yaml, kube-proxy.yaml, cni.conflist, images/*.tar; TOOLS is where
# scripts/setup.sh extracted containerd, runc and the CNI plugins; PROGRAMS is the binary with kubelet and kube-proxy.
set -eu
name=$1 folder=$2 tools=$3 programs=$4
log=$folder/log
mkdir -p "$log"
mount --make-rprivate /
hostname "$name"

# /sys shows the network devices of the namespace in which it was mounted; the cgroup mounts beneath it are carried over.
mkdir -p "$folder/cgroup"
mount --move /sys/fs/cgroup "$folder/cgroup"
mount -t sysfs sysfs /sys
mount --move "$folder/cgroup" /sys/fs/cgroup

# The machine's /etc and /usr lie beneath the node's: what is written stays here.
own() { # own PATH: an empty folder of the node's in its place
  mkdir -p "$folder/own$1" "$1"
  mount --bind "$folder/own$1" "$1"
}
mkdir -p "$folder/etc/upper" "$folder/etc/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$folder/etc/upper,workdir=$folder/etc/work" /etc
mount -t overlay overlay -o "lowerdir=$tools/usr:/usr" /usr
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
for path in /var/lib/kubelet /var/lib/containerd /var/lib/cni /var/lib/port-hardening /var/log/pods /var/log/containers; do own $path; done
rm -rf /etc/cni/net.d /etc/sysctl.d
mkdir -p /etc/cni/net.d /etc/sysctl.d
cp "$folder/cni.conflist" /etc/cni/net.d/10-lab.conflist
cp "$folder/resolv.conf" /etc/resolv.conf

# kubelet insists on writing these settings of the whole machine: it writes into files instead.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 \
  kernel/keys/root_maxbytes=25000000; do
  path=${setting%%=*}
  mkdir -p "$folder/sysctl/${path%/*}"
  echo "${setting#*=}" >"$folder/sysctl/$path"
  mount --bind "$folder/sysctl/$path" "/proc/sys/$path"
done
mount --make-rshared /

containerd --config "$folder/containerd.toml" >"$log/containerd.log" 2>&1 &
tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 600 ] || { echo "containerd does not answer" >&2; exit 1; }
  sleep 0.1
done
for image in "$folder"/images/*.tar; do ctr --namespace k8s.io images import "$image" >>"$log/images.log" 2>&1; done
"$programs" kubelet --config="$folder/kubelet.yaml" --kubeconfig="$folder/kubelet.kubeconfig" --hostname-override="$name" \
  --node-ip="$(cat "$folder/address")" >"$log/kubelet.log" 2>&1 &
echo $! >"$folder/kubelet.pid"

# kube-proxy runs in the mode that the file names, and anew when that changes.
mode= proxy=
while :; do
  wanted=$(cat "$folder/proxy-mode")
  if [ "$wanted" != "$mode" ]; then
    if [ -n "$proxy" ]; then
      kill "$proxy"
      wait "$proxy" || true
      "$programs" kube-proxy --cleanup --config="$folder/kube-proxy.yaml" >>"$log/kube-proxy.log" 2>&1 || true
    fi
    sed "s/^mode:.*/mode: $wanted/" "$folder/kube-proxy.yaml" >"$folder/kube-proxy-running.yaml"
    "$programs" kube-proxy --config="$folder/kube-proxy-running.yaml" --hostname-override="$name" >>"$log/kube-proxy.log" 2>&1 &
    proxy=$!
    mode=$wanted
  fi
  sleep 0.2
done
