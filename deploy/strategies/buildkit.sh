# The second half: build with rootless BuildKit and push. The daemon starts anew for
# each call; its state stays in HOME, so the second call finds the layers.

for registry in $DRYDOCK_INSECURE_REGISTRIES; do
  printf '[registry."%s"]\n  http = true\n' "$registry"
done >"$work/buildkitd.toml"
export BUILDKITD_FLAGS="$BUILDKITD_FLAGS --config $work/buildkitd.toml"

build() {
  set -- "$@" --progress plain --frontend dockerfile.v0 --local "context=$context" \
    --local "dockerfile=$(dirname "$dockerfile")" --opt "filename=$(basename "$dockerfile")"
  if [ -n "$DRYDOCK_PLATFORMS" ]; then
    set -- "$@" --opt "platform=$(printf '%s' "$DRYDOCK_PLATFORMS" | tr '\n' ',')"
  fi
  for key in $DRYDOCK_ARGS; do
    eval "value=\$DRYDOCK_ARG_$key"
    # shellcheck disable=SC2154 # set by eval
    set -- "$@" --opt "build-arg:$key=$value"
  done
  run buildctl-daemonless.sh build "$@"
}

build || fail BuildFailed "$(said)$(hint pull)"
names=
for tag in $tags; do
  echo "==> Pushing $DRYDOCK_DESTINATION:$tag"
  names="$names${names:+,}$DRYDOCK_DESTINATION:$tag"
done
build --output "type=image,oci-mediatypes=true,\"name=$names\",push=true" --metadata-file "$work/metadata" ||
  fail PushDenied "The registry did not take the image: $(said)$(hint push)"
pushed=$tags
digest=$(sed -n 's/.*"containerimage\.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$work/metadata")
echo "==> Pushed $digest"
result '' ''
