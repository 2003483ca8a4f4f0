#!/bin/sh
# Makes the tree ready to run: npm packages, OS packages, the control plane of the tests. Says nothing when all is there.
#   sh scripts/setup.sh             everything; what runs afterwards needs root
#   sh scripts/setup.sh npm         npm packages only, for what needs neither root nor a cluster
#   sh scripts/setup.sh node        everything, and what makes real nodes: kubelet, containerd, Helm, an image (Debian, Ubuntu)
#   sh scripts/setup.sh audit       everything, the servers that the audit tier probes (Debian, Ubuntu), and the definition of OpenReports
#   sh scripts/setup.sh monitoring  everything, and Prometheus for the monitoring tier (Debian, Ubuntu)
# What is built (the control plane of test/controlplane and others) is built once into ${XDG_CACHE_HOME:-~/.cache}/port-hardening, under a key made of
# its sources, and linked as .cache/bin/controlplane. KUBEBUILDER_ASSETS, a folder with etcd, kube-apiserver and kubectl,
# serves instead. OPENREPORTS_CRD, a file, serves as the definition of ClusterReport. The servers are extracted from packages, not installed: none is started on this machine, nor can it be.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "set-up: $*" >&2
  exit 1
}

say() {
  echo "set-up: $*" >&2
}

# now: seconds since the epoch
now() {
  date +%s
}

# watched LOG WHAT COMMAND...: runs the command with its output in LOG, and says every 20 s how long it has been running.
watched() {
  log=$1 what=$2
  shift 2
  started=$(now)
  "$@" >"$log" 2>&1 </dev/null &
  child=$!
  trap 'kill "$child" 2>/dev/null; exit 130' INT TERM HUP
  said=0
  while kill -0 "$child" 2>/dev/null; do
    sleep 1
    passed=$(($(now) - started))
    if [ "$passed" -ge $((said + 20)) ]; then
      said=$passed
      say "$what: $passed s so far"
    fi
  done
  trap - INT TERM HUP
  if wait "$child"; then
    say "$what: done in $(($(now) - started)) s"
  else
    tail -n 30 "$log" >&2
    fail "$what failed; all of its output: $log"
  fi
}

require_linux() {
  [ "$(uname -s)" = Linux ] || fail "this needs Linux, for network namespaces and iptables; run it in a Linux virtual machine"
}

require_root() {
  [ "$(id -u)" = 0 ] || fail "this makes network namespaces, which needs root; run it as root: sudo npm run ${npm_lifecycle_event:-setup}"
}

npm_is_current() {
  [ -e node_modules/.package-lock.json ] && [ -x node_modules/.bin/node ] &&
    ! [ package-lock.json -nt node_modules/.package-lock.json ]
}

ensure_npm_packages() {
  npm_is_current && return
  command -v npm >/dev/null || fail "npm is missing; install Node.js 20 or newer: https://nodejs.org/en/download"
  mkdir -p .cache
  command -v flock >/dev/null || fail "flock is missing; install the OS package util-linux"
  exec 8>.cache/npm.lock
  flock 8
  if ! npm_is_current; then
    say "installing npm packages (npm ci, up to a minute)"
    watched .cache/npm.log "npm ci" npm ci --no-audit --no-fund
    touch node_modules/.package-lock.json
  fi
  exec 8>&-
}

# missing_packages PACKAGE=COMMAND...: the packages whose command is not there.
missing_packages() {
  for pair in "$@"; do
    command -v "${pair#*=}" >/dev/null || printf '%s ' "${pair%%=*}"
  done
}

ensure_os_packages() {
  PATH=$PATH:/usr/sbin:/sbin
  missing=$(missing_packages iptables=iptables-restore ipset=ipset nftables=nft conntrack=conntrack iproute2=ip \
    openssl=openssl perl=perl procps=sysctl util-linux=setpriv util-linux=nsenter util-linux=flock busybox-static=busybox \
    dash=dash)
  [ -z "$missing" ] && return
  mkdir -p .cache
  if command -v apt-get >/dev/null; then
    say "installing OS packages: $missing"
    watched .cache/packages.log "apt-get update" apt-get update
    # shellcheck disable=SC2086 # a list of names
    watched .cache/packages.log "apt-get install" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends $missing
  elif command -v dnf >/dev/null; then
    missing=$(missing_packages iptables-nft=iptables-restore ipset=ipset nftables=nft conntrack-tools=conntrack \
      iproute=ip openssl=openssl perl-interpreter=perl perl-Socket=perl procps-ng=sysctl util-linux=setpriv util-linux=nsenter util-linux=flock busybox=busybox \
      dash=dash)
    say "installing OS packages: $missing"
    # shellcheck disable=SC2086 # a list of names
    watched .cache/packages.log "dnf install" dnf install -y $missing
  else
    fail "neither apt-get nor dnf is here; install by hand: $missing"
  fi
}

kubebuilder_assets_serve() {
  [ -n "${KUBEBUILDER_ASSETS:-}" ] || return 1
  for program in etcd kube-apiserver kubectl; do
    [ -x "$KUBEBUILDER_ASSETS/$program" ] || fail "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS holds no $program; mend or unset it"
  done
}

# require_go WHAT-FOR INSTEAD
require_go() {
  command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
  advice="install Go 1.21 or newer (https://go.dev/doc/install), or set $2"
  command -v go >/dev/null || fail "Go is missing; it $1. $advice"
  # In /, so that no go.mod asks for a newer toolchain yet.
  go=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
  go_minor=$(echo "$go" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${go_minor:-0}" -ge 21 ] || fail "this Go is too old ($go); $advice"
}

# hash_of TEXT FILE...: what a cached program is known by.
hash_of() {
  text=$1
  shift
  { echo "$text" && cat "$@"; } | sha256sum | cut -c1-16
}

# cached NAME KEY BUILD...: links .cache/bin/NAME to the program that `BUILD OUTPUT` makes once for this key.
cached() {
  name=$1 cache=${XDG_CACHE_HOME:-$HOME/.cache}/port-hardening
  program=$cache/$name-$(uname -m)-$2
  shift 2
  if ! [ -x "$program" ]; then
    require_go "builds the programs of the tests once" "KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl, which is enough for npm test"
    mkdir -p "$cache"
    exec 9>"$cache/build.lock"
    flock -n 9 || {
      say "another run builds here; waiting for it"
      flock 9
    }
    if ! [ -x "$program" ]; then
      rm -rf "$program.building"
      "$@" "$program.building"
      mv "$program.building" "$program"
    fi
    exec 9>&-
  fi
  [ "$(readlink ".cache/bin/$name" 2>/dev/null)" = "$program" ] && return
  mkdir -p .cache/bin
  ln -sfn "$program" ".cache/bin/$name"
}

# kubernetes_version FOLDER: of the Kubernetes that its go.mod names.
kubernetes_version() {
  sed -n 's|^[[:space:]]*k8s.io/kubernetes v||p' "$1/go.mod"
}

# linker_flags VERSION: kubectl cannot read its own version without them.
linker_flags() {
  minor=${1#*.}
  stamp="-X k8s.io/component-base/version"
  echo "-s -w $stamp.gitVersion=v$1 $stamp.gitMajor=1 $stamp.gitMinor=${minor%%.*} $stamp.gitTreeState=clean"
}

# go_build FOLDER PACKAGE LINKER-FLAGS WHAT OUTPUT
go_build() {
  say "building $4"
  mkdir -p .cache
  # GOTOOLCHAIN=auto lets an older Go fetch the one that go.mod names.
  watched ".cache/build.log" "building $4" env GOTOOLCHAIN=auto CGO_ENABLED=0 \
    go build -C "$1" -trimpath -buildvcs=false -ldflags "$3" -o "$5" "$2"
}

build_control_plane() {
  go_build test/controlplane . "$2" "the control plane of the tests once: etcd, kube-apiserver, kubectl $1 (about 5 minutes on 2 cores)" "$3"
  "$3" kubectl version --client | grep -qF "v$1" || fail "$3 does not report v$1"
}

ensure_control_plane() {
  kubebuilder_assets_serve && return
  version=$(kubernetes_version test/controlplane)
  flags=$(linker_flags "$version")
  cached controlplane "$(hash_of "$flags" test/controlplane/main.go test/controlplane/go.mod test/controlplane/go.sum)" \
    build_control_plane "$version" "$flags"
}

# The definition of ClusterReport as its project publishes it; go.sum says which it must be.
ensure_report_definition() {
  mkdir -p .cache
  if [ -n "${OPENREPORTS_CRD:-}" ]; then
    [ -r "$OPENREPORTS_CRD" ] || fail "OPENREPORTS_CRD=$OPENREPORTS_CRD cannot be read; mend or unset it"
    ln -sfn "$OPENREPORTS_CRD" .cache/clusterreports.yaml
    return
  fi
  key=$(sha256sum <test/openreports/go.sum | cut -c1-16)
  definition=${XDG_CACHE_HOME:-$HOME/.cache}/port-hardening/clusterreports-$key.yaml
  if ! [ -r "$definition" ]; then
    require_go "fetches the definition of OpenReports for the tests once" "OPENREPORTS_CRD to a file with it"
    watched .cache/openreports.log "fetching the definition of OpenReports" env GOTOOLCHAIN=local \
      go mod download -C test/openreports -json github.com/openreports/reports-api
    folder=$(sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p' .cache/openreports.log)
    mkdir -p "${definition%/*}"
    cp "$folder/config/crd/openreports.io_clusterreports.yaml" "$definition.$$"
    mv "$definition.$$" "$definition"
  fi
  ln -sfn "$definition" .cache/clusterreports.yaml
}

ensure_node_programs() {
  version=$(kubernetes_version test/nodeprograms)
  flags=$(linker_flags "$version")
  sources="test/nodeprograms/main.go test/nodeprograms/go.mod test/nodeprograms/go.sum"
  # shellcheck disable=SC2086 # a list of names
  cached nodeprograms "$(hash_of "$flags" $sources)" go_build test/nodeprograms . "$flags" \
    "the programs of the nodes once: kubelet, kube-proxy, kube-controller-manager, kube-scheduler $version (about 4 minutes on 2 cores)"
  cached pause "$(hash_of "" test/nodeprograms/pause/main.go)" go_build test/nodeprograms ./pause "-s -w" "the process that holds a pod"
}

helm_version=v4.3.1

lua_version=v1.1.1

# install_program PACKAGE WHAT OUTPUT
install_program() {
  say "building $2"
  folder=$(mktemp -d)
  watched .cache/build.log "building $2" env GOBIN="$folder" GOTOOLCHAIN=auto CGO_ENABLED=0 \
    go install -trimpath -ldflags "-s -w" "$1"
  mv "$folder"/* "$3"
  rmdir "$folder"
}

ensure_helm() {
  cached helm "$(hash_of "$helm_version" /dev/null)" install_program "helm.sh/helm/v4/cmd/helm@$helm_version" \
    "Helm $helm_version once (about 3 minutes on 2 cores)"
}

# The Lua that Argo CD runs health checks in.
ensure_lua() {
  cached glua "$(hash_of "$lua_version" /dev/null)" install_program "github.com/yuin/gopher-lua/cmd/glua@$lua_version" "Lua once"
}

# The kinds of the Prometheus operator that the chart makes objects of, as one file.
ensure_monitor_definitions() {
  definitions=${XDG_CACHE_HOME:-$HOME/.cache}/port-hardening/monitors-$(hash_of "" test/prometheusoperator/go.sum).yaml
  if ! [ -r "$definitions" ]; then
    require_go "fetches the definitions of the Prometheus operator for the tests once" "nothing: there is no other way"
    watched .cache/monitors.log "fetching the definitions of the Prometheus operator" env GOTOOLCHAIN=local \
      go mod download -C test/prometheusoperator -json github.com/prometheus-operator/prometheus-operator
    folder=$(sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p' .cache/monitors.log)/example/prometheus-operator-crd
    mkdir -p "${definitions%/*}"
    for kind in servicemonitors podmonitors prometheusrules; do
      echo "---" && cat "$folder/monitoring.coreos.com_$kind.yaml"
    done >"$definitions.$$"
    mv "$definitions.$$" "$definitions"
  fi
  ln -sfn "$definitions" .cache/monitors.yaml
}

# extract_packages FOLDER PACKAGE...: makes FOLDER/usr and FOLDER/etc from the packages and what they need beyond what is
# installed. Nothing is installed, so nothing is started on this machine.
extract_packages() {
  into=$1
  shift
  rm -rf "$into.building"
  mkdir -p "$into.building/debs/partial" "$into.building/usr/bin" "$into.building/usr/sbin" "$into.building/usr/lib" "$into.building/usr/lib64"
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$into.building/$name"; done
  download="apt-get install -y --no-install-recommends --download-only --reinstall -o Dir::Cache::archives=$into.building/debs $*"
  if ! $download >.cache/extract.log 2>&1; then
    watched .cache/extract.log "apt-get update" apt-get update
    # shellcheck disable=SC2086 # a list of words
    watched .cache/extract.log "downloading packages" $download
  fi
  for package in "$into.building"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$into.building"
  done
  rm -rf "$into.building/debs" "$into"
  mv "$into.building" "$into"
}

# ensure_extracted NAME WHAT EXTRACT [PACKAGE...]: links .cache/NAME to a folder that `EXTRACT FOLDER PACKAGE...` has made, once.
ensure_extracted() {
  link=$1 what=$2 extract=$3
  shift 3
  command -v apt-get >/dev/null || fail "this tier takes $what from packages of Debian or Ubuntu; run it there"
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/port-hardening
  extracted=$cache/$link-$(hash_of "$(uname -m) $extract $*" /etc/os-release)
  mkdir -p "$cache" .cache
  if ! [ -d "$extracted" ]; then
    exec 9>"$cache/$link.lock"
    flock 9
    if ! [ -d "$extracted" ]; then
      say "extracting $what, once (up to 100 MB to fetch)"
      "$extract" "$extracted" "$@"
    fi
    exec 9>&-
  fi
  ln -sfn "$extracted" ".cache/$link"
}

# make_base OUTPUT: the least Debian, as a tar archive, for an image that is built where no registry can be reached.
make_base() {
  say "making a Debian for the image to be built on, once (about 2 minutes)"
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  set -- "$1" --variant=minbase --format=tar
  for path in doc man locale; do set -- "$@" --dpkgopt="path-exclude=/usr/share/$path/*"; done
  watched .cache/base.log "making a Debian" sh test/node/cluster/with-tools.sh "$PWD/.cache/node-tools" \
    mmdebstrap "$2" "$3" "$4" "$5" "$6" "$release" "$1"
  chmod +x "$1"
}

servers_to_probe="nginx openssh-server vsftpd postfix inetutils-telnetd openbsd-inetd redis-server memcached mariadb-server-core postgresql"

# extract_prometheus FOLDER: its two programs need nothing of what the package depends on.
extract_prometheus() {
  rm -rf "$1.building"
  mkdir -p "$1.building"
  if ! (cd "$1.building" && apt-get download prometheus) >.cache/prometheus.log 2>&1; then
    watched .cache/prometheus.log "apt-get update" apt-get update
    (cd "$1.building" && apt-get download prometheus) >.cache/prometheus.log 2>&1 ||
      fail "downloading prometheus failed; all of its output: .cache/prometheus.log"
  fi
  dpkg-deb --fsys-tarfile "$1.building"/prometheus_*.deb | tar -x -C "$1.building" ./usr/bin
  rm -f "$1.building"/*.deb
  mv "$1.building" "$1"
}

require_linux
case ${1:-all} in
npm) ensure_npm_packages ;;
all)
  require_root
  ensure_npm_packages
  ensure_os_packages
  ensure_control_plane
  ;;
audit)
  require_root
  ensure_npm_packages
  ensure_os_packages
  ensure_control_plane
  ensure_report_definition
  # shellcheck disable=SC2086 # a list of names
  ensure_extracted servers "the servers that it probes" extract_packages $servers_to_probe
  ;;
monitoring)
  require_root
  ensure_npm_packages
  ensure_os_packages
  ensure_control_plane
  ensure_extracted monitoring Prometheus extract_prometheus
  ;;
node)
  require_root
  ensure_npm_packages
  ensure_os_packages
  ensure_control_plane
  ensure_report_definition
  ensure_node_programs
  ensure_helm
  ensure_lua
  ensure_monitor_definitions
  ensure_extracted node-tools "containerd, runc, CNI plugins, buildah and mmdebstrap" extract_packages \
    containerd runc containernetworking-plugins buildah mmdebstrap
  cached base.tar "$(hash_of "1" /etc/os-release)" make_base
  ;;
*) fail "usage: sh scripts/setup.sh [npm|audit|monitoring|node]" ;;
esac
