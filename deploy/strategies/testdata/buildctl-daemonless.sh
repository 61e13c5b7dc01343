#!/bin/sh
# What the image moby/buildkit has by this name, without rootlesskit: a buildkitd for one
# call of buildctl, with its state in HOME.
set -eu
tmp=$(mktemp -d "$HOME/daemonless.XXXXXX")
address=unix://$tmp/buildkitd.sock
# shellcheck disable=SC2086 # words
buildkitd --root "$HOME/state" --oci-worker-binary=runc $BUILDKITD_FLAGS --addr="$address" >"$tmp/log" 2>&1 &
daemon=$!
trap 'kill "$daemon"; wait "$daemon" || :' EXIT
until buildctl --addr="$address" debug workers >"$tmp/workers" 2>&1; do
  kill -0 "$daemon" || { cat "$tmp/log"; exit 1; }
  sleep 0.1
done
buildctl --addr="$address" "$@"
