#!/bin/sh
# Runs a program of the extracted packages as if they were installed, in mounts of its own: nothing is seen outside.
#   sh with-tools.sh TOOLS PROGRAM [ARGUMENT...]
set -eu
[ "${INSIDE:-}" = 1 ] || INSIDE=1 exec unshare --mount -- sh "$0" "$@"
unset INSIDE
tools=$1
shift
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$tools/usr:/usr" /usr
mount -t overlay overlay -o "lowerdir=$tools/etc:/etc" /etc
exec "$@"
