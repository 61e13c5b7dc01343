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

# labelled is the Dockerfile with the labels as its last step: each option --label would be
# a step of its own.
labelled() {
  cat "$dockerfile"
  printf '\nLABEL'
  for label in $labels; do
    printf ' "%s"="%s"' "${label%%=*}" "${label#*=}"
  done
}

# steady COMMAND...: as run, by way of a file, which takes output at once: Buildah loses the
# end of what a step prints where its reader is slower than the step.
steady() {
  : >"$work/output"
  : >"$work/growing"
  "$@" >>"$work/output" 2>&1 &
  child=$!
  grow <"$work/output" | mask | tee "$work/said" &
  copy=$!
  await
}

# grow copies a file as it grows, until $work/growing is gone.
grow() {
  while [ -e "$work/growing" ]; do
    cat || :
    sleep 0.2 || :
  done
  cat
}

# build OPTION...: builds with these options and those of the image.
build() {
  set -- "$@" --file "$work/Dockerfile" --iidfile "$work/image" --retry 2 --retry-delay 1s
  for key in $DRYDOCK_ARGS; do
    eval "value=\$DRYDOCK_ARG_$key"
    # shellcheck disable=SC2154 # set by eval
    set -- "$@" --build-arg "$key=$value"
  done
  for id in $(names "$DRYDOCK_SECRETS"); do
    set -- "$@" --secret "id=$id,src=$DRYDOCK_SECRETS/$id"
  done
  for label in $labels; do
    set -- "$@" --annotation "$label"
  done
  steady buildah bud "$@" -- "$context"
}

# cached builds one image with the layers of earlier builds, and leaves its own for the next:
# each in an image of its own in the repository $cache. Without the right to write there it
# goes on. Platforms have caches of their own: Buildah tells their layers not apart.
cached() {
  [ -n "$DRYDOCK_CACHE" ] || { build "$@"; return; }
  build --layers --cache-from "$cache" --cache-to "$cache" "$@" && return
  grep -q '^Error: failed pushing cache' "$work/said" || return
  echo "==> Layers cannot be kept in $cache: the next build takes longer (updateImage with cache: false turns this off)"
  build --layers "$@"
}

# each builds an image for each of several platforms, and puts them into one index.
each() {
  index=drydock-index
  run buildah manifest create "$index" || return
  for platform in $DRYDOCK_PLATFORMS; do
    echo "==> Building for $platform"
    build --platform "$platform" || return
    run buildah manifest add "$index" "$(cat "$work/image")" || return
  done
}

# failed tells what went wrong with the build. That a program is for another platform is
# printed by Buildah's chroot, at times: a foreign platform without QEMU tells as much.
failed() {
  host=$(buildah info --format '{{.host.os}}/{{.host.arch}}')
  if grep -q 'exec format error' "$work/said" || {
    [ "${platform:-$host}" != "$host" ] && grep -q '^Error: building at STEP "RUN' "$work/said" &&
      ! find /proc/sys/fs/binfmt_misc -name 'qemu*' | grep -q .
  }; then
    fail PlatformUnsupported "This installation runs programs for $host alone, in steps (RUN) too; ${platform:-the image} would need others. $(said)"
  fi
  fail BuildFailed "$(said)$(hint pull)"
}

# pulled are the images in the storage that have a name: it held none before.
pulled() {
  buildah images --noheading --filter dangling=false --format '{{.Name}}:{{.Tag}}@{{.Digest}}' |
    sed -e "\|^$cache:|d" -e '/^localhost\/drydock-index:/d' -e 's/:<none>@/@/'
}

# push TAG: the image, or the index. Buildah 1.28 takes no notice of registries.conf for an
# index, and may fail to push one without saying so.
push() {
  rm -f "$work/digest"
  if [ -n "$index" ]; then
    verify=true
    if printf '%s\n' "$DRYDOCK_INSECURE_REGISTRIES" | grep -Fqx -- "${DRYDOCK_DESTINATION%%/*}"; then
      verify=false
    fi
    run buildah manifest push --all --format oci --tls-verify=$verify --digestfile "$work/digest" -- "$index" "docker://$DRYDOCK_DESTINATION:$1"
  else
    run buildah push --retry 2 --retry-delay 1s --digestfile "$work/digest" -- "$(cat "$work/image")" "docker://$DRYDOCK_DESTINATION:$1"
  fi && [ -s "$work/digest" ]
}

labelled >"$work/Dockerfile"
if ignore=$(within "$root" "$dockerfile.dockerignore") && [ -f "$ignore" ]; then
  cp "$ignore" "$work/Dockerfile.dockerignore"
fi
cache=$DRYDOCK_DESTINATION/cache index='' platform=''
case $DRYDOCK_PLATFORMS in
  '') cached ;;
  *"
"*) each ;;
  *)
    platform=$DRYDOCK_PLATFORMS
    cache=$cache/$(printf '%s' "$platform" | tr / -)
    cached --platform "$platform"
    ;;
esac || failed
# shellcheck disable=SC2046 # words
based $(pulled)
for tag in $tags; do
  echo "==> Pushing $DRYDOCK_DESTINATION:$tag"
  push "$tag" || fail PushDenied "The registry did not take $DRYDOCK_DESTINATION:$tag: $(said)$(hint push)"
  pushed="$pushed${pushed:+ }$tag"
  digest=$(cat "$work/digest")
done
echo "==> Pushed $digest"
result '' ''
