# The second part of every strategy: fetch the source, check the Dockerfile, render the
# tags.

# Nothing of the host's or the image's user settings, nobody to ask for a password,
# no transport but these: a repository cannot name a helper program.
export HOME="$work" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=http:https:ssh:git
export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=$work/known_hosts"

# The image's own credential for its repository: a token, which git gets for that
# host alone, or a key. Options hold the names of files.
credential() {
  if [ -f "$DRYDOCK_GIT_CREDENTIAL/token" ]; then
    # shellcheck disable=SC2016 # the shell that git runs expands it
    git config --global "credential.$(cat "$DRYDOCK_GIT_CREDENTIAL/origin").helper" \
      '!f() { [ "$1" != get ] || printf "username=%s\npassword=%s\n" "$(cat "$DRYDOCK_GIT_CREDENTIAL/username")" "$(cat "$DRYDOCK_GIT_CREDENTIAL/token")"; }; f'
  elif [ -f "$DRYDOCK_GIT_CREDENTIAL/ssh-privatekey" ]; then
    (umask 077 && cat "$DRYDOCK_GIT_CREDENTIAL/ssh-privatekey" >"$work/key")
    GIT_SSH_COMMAND="$GIT_SSH_COMMAND -o IdentitiesOnly=yes -i $work/key"
  fi
}

# private: what to do when the last command of git said that somebody has to sign in.
private() {
  if ! grep -Eiq 'could not read Username|Authentication failed|Permission denied|not found|40[134]|access denied' "$work/said"; then
    return
  elif [ -f "$DRYDOCK_GIT_CREDENTIAL/origin" ]; then
    printf ' The credential for %s may not read it, or is no longer good: set another one (setGitCredential).' "$(cat "$DRYDOCK_GIT_CREDENTIAL/origin")"
  else
    printf ' If it is private, set a token or a key (setGitCredential).'
  fi
}

# The account's logins for registries, a Docker configuration each, become one for all
# tools. It lies in the build's own folder and goes with it; no option names a password.
export DOCKER_CONFIG="$work/docker" REGISTRY_AUTH_FILE="$work/docker/config.json"
logins() (
  umask 077
  mkdir -p "$DOCKER_CONFIG"
  exec >"$REGISTRY_AUTH_FILE"
  separator=
  printf '{"auths":{'
  for registry in $(names "$DRYDOCK_REGISTRY_LOGINS"); do
    printf '%s' "$separator"
    sed -e 's/^{"auths":{//' -e 's/}}$//' "$DRYDOCK_REGISTRY_LOGINS/$registry"
    separator=,
  done
  printf '}}\n'
)

# hint: what to do when the last command said that a registry wants another login.
hint() {
  registry=${DRYDOCK_DESTINATION%%/*}
  if ! grep -Eiq 'unauthorized|authentication required|denied|forbidden' "$work/said"; then
    return
  elif [ "$1" = pull ]; then
    grep -Eq 'docker://|resolve source metadata|pull access' "$work/said" || return 0
    printf ' If a base image is private, set a login for its registry (setRegistryCredential).'
  elif [ -e "$DRYDOCK_REGISTRY_LOGINS/$registry" ]; then
    printf ' The login for %s may not push there, or is no longer good: set another one (setRegistryCredential).' "$registry"
  else
    printf ' There is no login for %s: set one (setRegistryCredential).' "$registry"
  fi
}

refs() { git -C "$source" ls-remote --quiet -- origin >"$work/refs"; }
listed() { cut -f 2 "$work/refs" | grep -Fqx -- "$1"; }
fetch() { run git -C "$source" fetch --quiet --no-tags "$@"; }

# clone finds out what the ref is, a branch before a tag before a commit, and fetches
# as little as the server allows: some hand out no single commit. Where the commit is
# given, the ref only names its branch or tag.
clone() {
  git init --quiet -- "$source"
  git -C "$source" remote add -- origin "$DRYDOCK_REPOSITORY"
  run refs || fail CloneFailed "The repository could not be read: $(said)$(private)"
  want=$DRYDOCK_REF
  unknown="The repository has no branch, tag or commit $DRYDOCK_REF."
  if listed "refs/heads/$DRYDOCK_REF"; then
    want=refs/heads/$DRYDOCK_REF
  elif listed "refs/tags/$DRYDOCK_REF"; then
    want=refs/tags/$DRYDOCK_REF
  elif [ -z "$DRYDOCK_COMMIT" ] && ! listed "$DRYDOCK_REF" && ! printf '%s' "$DRYDOCK_REF" | grep -Eqx '[0-9a-f]{7,64}'; then
    fail CloneFailed "$unknown"
  fi
  case $want in
    refs/heads/*) branch=${want#refs/heads/} ;;
    refs/tags/*) tagged=${want#refs/tags/} ;;
  esac
  if [ -n "$DRYDOCK_COMMIT" ]; then
    want=$DRYDOCK_COMMIT
    unknown="The repository has no commit $DRYDOCK_COMMIT any more."
  fi
  if fetch --depth 1 -- origin "$want"; then
    want=FETCH_HEAD
  else
    echo "==> Fetching all branches and tags to find $want"
    fetch -- origin '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' ||
      fail CloneFailed "The source could not be fetched: $(said)"
  fi
  commit=$(git -C "$source" rev-parse --quiet --verify "$want^{commit}") || fail CloneFailed "$unknown"
  run git -C "$source" checkout --quiet --detach "$commit" ||
    fail CloneFailed "The commit could not be checked out: $(said)"
}

# submodules fetches them at the commits that the source names. Large files of Git LFS
# are left as the pointers that they are.
submodules() {
  if git -C "$source" grep -q filter=lfs -- ':(glob)**/.gitattributes'; then
    echo "==> This repository uses Git LFS, which is left out: its large files are pointers of a few lines"
  fi
  [ -f "$source/.gitmodules" ] || return 0
  echo "==> Fetching submodules"
  run git -C "$source" submodule --quiet update --init --recursive --depth 1 ||
    run git -C "$source" submodule --quiet update --init --recursive ||
    fail CloneFailed "A submodule could not be fetched: $(said)$(private)"
}

# within FOLDER PATH: the real path, where it lies in the folder and no link leads out.
within() {
  real=$(readlink -f -- "$2") || return 1
  case $real/ in "$1"/*) printf '%s' "$real" ;; *) return 1 ;; esac
}

# check sets context and dockerfile to real paths.
check() {
  root=$(readlink -f -- "$source")
  if ! context=$(within "$root" "$root/$DRYDOCK_CONTEXT") || [ ! -d "$context" ]; then
    fail DockerfileMissing "The repository has no folder $DRYDOCK_CONTEXT at commit $commit."
  fi
  if ! dockerfile=$(within "$root" "$context/$DRYDOCK_DOCKERFILE") || [ ! -f "$dockerfile" ]; then
    fail DockerfileMissing "There is no file $DRYDOCK_DOCKERFILE in the folder $DRYDOCK_CONTEXT at commit $commit."
  fi
}

# clean TEXT: TEXT with '-' for what no tag may hold.
clean() { printf '%s' "$1" | sed 's/[^A-Za-z0-9_.-]/-/g'; }

# render sets tags: the templates filled in, each once. A tag that this ref leaves
# empty, such as {{.Tag}} of a branch, is left out.
render() {
  tags=
  for template in $(printf '%s' "$DRYDOCK_TAGS" | tr -d ' '); do
    tag=$(printf '%s' "$template" | sed \
      -e "s/{{\.Commit}}/$commit/g" -e "s/{{\.ShortCommit}}/$(printf '%.7s' "$commit")/g" \
      -e "s/{{\.Branch}}/$(clean "$branch")/g" -e "s/{{\.Tag}}/$(clean "$tagged")/g" \
      -e 's/^[.-]*//')
    if [ "${#tag}" -gt 128 ]; then
      echo "==> Shortening the tag $tag to the 128 characters that a tag may have"
      tag=$(printf '%s' "$tag" | cut -c 1-128)
    fi
    if [ -z "$tag" ]; then
      echo "==> Leaving out the tag $template, which is empty for $DRYDOCK_REF"
      continue
    fi
    case " $tags " in
      *" $tag "*) ;;
      *) tags="$tags${tags:+ }$tag" ;;
    esac
  done
  [ -n "$tags" ] || fail BuildFailed "None of the image's tags has a value at $DRYDOCK_REF: add one such as {{.ShortCommit}}."
}

# origin prints what an image tells of its origin, KEY=VALUE each, none with blanks
# (https://specs.opencontainers.org/image-spec/annotations/). One that the Dockerfile
# names is its author's.
origin() {
  prefix=org.opencontainers.image
  own=$(grep -v '^[[:blank:]]*#' "$dockerfile" || :)
  for label in "source=$home" "revision=$commit" "created=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    ${branch:+"ref.name=$branch"} ${tagged:+"ref.name=$tagged" "version=$tagged"}; do
    case $own in
      *"$prefix.${label%%=*}"*) ;;
      *) echo "$prefix.$label" ;;
    esac
  done
}

echo "==> Cloning $DRYDOCK_REPOSITORY at $DRYDOCK_REF"
credential
clone
submodules
echo "==> Building commit $commit"
check
render
logins
home=$(printf '%s' "$DRYDOCK_REPOSITORY" | sed -E 's|^(https?://)[^/@]*@|\1|')
labels=$(origin)
