# The last part: build with Buildah, run as root, and push. Storage lies in the
# build's own folder and goes with it.

# Some registries, such as those of this very host, may speak plain HTTP.
{
  echo 'unqualified-search-registries = ["docker.io"]'
  for registry in $DRYDOCK_INSECURE_REGISTRIES; do
    printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$registry"
  done
} >"$work/registries.conf"
cat >"$work/storage.conf" <<END
[storage]
driver = "vfs"
graphroot = "$work/storage"
runroot = "$work/run"
END
export CONTAINERS_REGISTRIES_CONF="$work/registries.conf" CONTAINERS_STORAGE_CONF="$work/storage.conf"
export BUILDAH_ISOLATION=chroot TMPDIR="$work"

build() {
  set -- --file "$dockerfile" --iidfile "$work/image"
  for key in $DRYDOCK_ARGS; do
    eval "value=\$DRYDOCK_ARG_$key"
    # shellcheck disable=SC2154 # set by eval
    set -- "$@" --build-arg "$key=$value"
  done
  for id in $(names "$DRYDOCK_SECRETS"); do
    set -- "$@" --secret "id=$id,src=$DRYDOCK_SECRETS/$id"
  done
  run buildah bud "$@" -- "$context" || fail BuildFailed "$(said)$(hint pull)"
}

# pulled are the images in the storage that have a name: it held none before.
pulled() {
  buildah images --noheading --filter dangling=false --format '{{.Name}}:{{.Tag}}@{{.Digest}}' | sed 's/:<none>@/@/'
}

push() {
  run buildah push --retry 2 --retry-delay 1s --digestfile "$work/digest" -- "$(cat "$work/image")" "docker://$DRYDOCK_DESTINATION:$1" ||
    fail PushDenied "The registry did not take $DRYDOCK_DESTINATION:$1: $(said)$(hint push)"
  pushed="$pushed${pushed:+ }$1"
  digest=$(cat "$work/digest")
}

build
# shellcheck disable=SC2046 # words
based $(pulled)
for tag in $tags; do
  echo "==> Pushing $DRYDOCK_DESTINATION:$tag"
  push "$tag"
done
echo "==> Pushed $digest"
result '' ''
