#!/bin/sh
# Runs a go build and tells, every few seconds, how far it is: the first build of
# kubestack compiles Kubernetes, which takes minutes.
#
#   hack/gobuild.sh NAME COMMAND...
set -eu
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$(date +%s)

report() {
	now=$(($(date +%s) - start))
	printf '%-12s building: %d packages compiled, %d:%02d\n' "$name" "$(grep -c . "$log" || true)" $((now / 60)) $((now % 60))
}

# -v prints each package as it is compiled.
GOFLAGS="${GOFLAGS:-$(go env GOFLAGS)} -v" "$@" >"$log" 2>&1 &
build=$!
trap 'kill "$build" 2>/dev/null; rm -f "$log"; exit 130' INT TERM
ticks=0
while kill -0 "$build" 2>/dev/null; do
	sleep 0.5
	ticks=$((ticks + 1))
	[ $((ticks % 20)) -ne 0 ] || report
done
if ! wait "$build"; then
	grep -vE '^[a-z0-9.-]+(/[A-Za-z0-9._~-]+)*$' "$log" >&2 || cat "$log" >&2
	exit 1
fi
[ "$ticks" -lt 20 ] || report
