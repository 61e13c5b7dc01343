# The last part: build with rootless BuildKit and push. The daemon starts anew for
# each call; its state stays in HOME, so the second call finds the layers.

for registry in $DRYDOCK_INSECURE_REGISTRIES; do
  printf '[registry."%s"]\n  http = true\n' "$registry"
done >"$work/buildkitd.toml"
export BUILDKITD_FLAGS="$BUILDKITD_FLAGS --config $work/buildkitd.toml"
: "${SBOM_SCANNER:=}"

# The layers of earlier builds, where the registry has them; what goes wrong with them is
# told of in the log, and no failure.
cache=$DRYDOCK_DESTINATION:buildcache

build() {
  set -- "$@" --progress plain --frontend dockerfile.v0 --local "context=$context" \
    --local "dockerfile=$(dirname "$dockerfile")" --opt "filename=$(basename "$dockerfile")"
  if [ -n "$DRYDOCK_PLATFORMS" ]; then
    set -- "$@" --opt "platform=$(printf '%s' "$DRYDOCK_PLATFORMS" | tr '\n' ',')"
  fi
  set -- "$@" --opt attest:provenance=mode=max --opt "vcs:source=$home" --opt "vcs:revision=$commit"
  if [ -n "$SBOM_SCANNER" ]; then
    set -- "$@" --opt "attest:sbom=generator=$SBOM_SCANNER"
  fi
  for key in $DRYDOCK_ARGS; do
    eval "value=\$DRYDOCK_ARG_$key"
    # shellcheck disable=SC2154 # set by eval
    set -- "$@" --opt "build-arg:$key=$value"
  done
  for label in $labels; do
    set -- "$@" --opt "label:$label"
  done
  for id in $(names "$DRYDOCK_SECRETS"); do
    set -- "$@" --secret "id=$id,src=$DRYDOCK_SECRETS/$id"
  done
  if [ -n "$DRYDOCK_CACHE" ]; then
    set -- "$@" --import-cache "type=registry,ref=$cache"
  fi
  run buildctl-daemonless.sh build "$@"
}

# attested builds, too, where the scanner that tells what is in the image cannot be pulled or
# fails: without an SBOM then.
attested() {
  build "$@" && return
  [ -n "$SBOM_SCANNER" ] && grep -F "$SBOM_SCANNER" "$work/said" | grep -Eq '^ *(ERROR|error|> ?\[)' || return
  echo "==> The image gets no SBOM: the scanner $SBOM_SCANNER cannot be pulled, or failed"
  SBOM_SCANNER=''
  build "$@"
}

# pulled are the images that the last build resolved. A tag is left out where the digest is
# the Dockerfile's own word: such an image never moves.
pulled() {
  sed -nE 's/^#[0-9]+ (\[[^]]*\] )?FROM ([^ ]+@sha256:[0-9a-f]{64})( .*)?$/\2/p' "$work/said" | sort -u |
    while read -r reference; do
      name=${reference%@*} fixed=@${reference#*@}
      if grep -Fq "$fixed" "$dockerfile"; then
        case ${name##*/} in *:*) name=${name%:*} ;; esac
      fi
      echo "$name$fixed"
    done
}

attested || fail BuildFailed "$(said)$(hint pull)"
# shellcheck disable=SC2046 # words
based $(pulled)
names='' options=''
for label in $labels; do
  options="$options,annotation.$label"
done
for tag in $tags; do
  echo "==> Pushing $DRYDOCK_DESTINATION:$tag"
  names="$names${names:+,}$DRYDOCK_DESTINATION:$tag"
done
set -- --output "type=image,oci-mediatypes=true,\"name=$names\",push=true$options" --metadata-file "$work/metadata"
if [ -n "$DRYDOCK_CACHE" ]; then
  set -- "$@" --export-cache "type=registry,ref=$cache,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"
fi
attested "$@" ||
  fail PushDenied "The registry did not take the image: $(said)$(hint push)"
pushed=$tags
digest=$(sed -n 's/.*"containerimage\.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$work/metadata")
echo "==> Pushed $digest"
result '' ''
