#!/bin/sh
# The installed command `porthardening`; stands beside the bundle. An agent runs on every node and computes little, so it
# does without V8's optimising compilers and with a small young generation, which V8 takes only at start (figures:
# docs/figures.md).
case "${1:-}" in
guard)
  # A shell in the place of 40 MiB of Node; with options it goes the long way.
  [ $# -gt 1 ] || exec sh "$(dirname "$0")/guard.sh" "${STATE_DIR:-/var/lib/port-hardening}/guard"
  ;;
esac
case "${1:-}" in
agent) set -- --optimize-for-size --no-opt --no-maglev "$(dirname "$0")/port-hardening.mjs" "$@" ;;
*) set -- "$(dirname "$0")/port-hardening.mjs" "$@" ;;
esac
exec node "$@"
