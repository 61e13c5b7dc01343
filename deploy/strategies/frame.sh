# The first part of every strategy: run tools, keep secrets out of what they print, tell
# the controller how it went. What comes in and what goes out: see README.md. POSIX sh,
# and an awk of any make.
set -euf
: "${DRYDOCK_SECRETS:=}"

# names FOLDER: the files in it; none where there is no folder.
names() { [ -z "$1" ] || ls -- "$1"; }

# texts prints what nobody may read in the log: the build's secrets, the image's git
# credential, the account's logins, and what is sent of them.
texts() {
  for id in $(names "$DRYDOCK_SECRETS"); do
    cat "$DRYDOCK_SECRETS/$id"
    echo
  done
  if [ -f "$DRYDOCK_GIT_CREDENTIAL/token" ]; then
    user=$(cat "$DRYDOCK_GIT_CREDENTIAL/username") token=$(cat "$DRYDOCK_GIT_CREDENTIAL/token")
    printf '%s\n' "$token" "$(printf '%s:%s' "$user" "$token" | base64 | tr -d '\n')"
  elif [ -f "$DRYDOCK_GIT_CREDENTIAL/ssh-privatekey" ]; then
    cat "$DRYDOCK_GIT_CREDENTIAL/ssh-privatekey"
    echo
  fi
  for registry in $(names "$DRYDOCK_REGISTRY_LOGINS"); do
    auth=$(sed -n 's/.*"auth":"\([^"]*\)".*/\1/p' "$DRYDOCK_REGISTRY_LOGINS/$registry")
    login=$(printf '%s' "$auth" | base64 -d)
    printf '%s\n' "$auth" "${login#*:}"
  done
}

# secrets lists their lines in $work/secrets, the longest first. Shorter than 4 characters
# they would take half the log with them. Each step ends the build if it fails.
secrets() (
  umask 077
  cd "$work"
  texts >all
  sed 's/^[[:blank:]]*//; s/[[:space:]]*$//' all >lines
  LC_ALL=C awk 'length >= 4 { print length "\t" $0 }' lines >sized
  LC_ALL=C sort -rn sized >sorted
  cut -f 2- sorted >secrets
  rm all lines sized sorted
)

# mask copies its input line by line, at once, with *** for what $work/secrets lists. Of
# the kinds of awk mawk alone would wait for more than a line.
mask() {
  [ -s "$work/secrets" ] || exec cat
  case $(awk -W version 2>&1 </dev/null) in
    mawk*) set -- -W interactive ;;
    *) set -- ;;
  esac
  # shellcheck disable=SC2016 # awk's own variables
  LC_ALL=C exec awk "$@" -v list="$work/secrets" '
    BEGIN { while ((getline line < list) > 0) secrets[++count] = line }
    {
      for (i = 1; i <= count; i++) {
        if (!index($0, secrets[i])) continue
        before = ""
        while (at = index($0, secrets[i])) {
          before = before substr($0, 1, at - 1) "***"
          $0 = substr($0, at + length(secrets[i]))
        }
        $0 = before $0
      }
      print
      fflush()
    }'
}

# said: what the last command said last, its error if it named one, as a sentence of at most 500 characters.
said() {
  { grep -E '^(Error|error|fatal|ERROR):' "$work/said" || cat "$work/said"; } | tail -n 1 |
    tr -d '\000-\037\177' | sed "s|$work/||g" | cut -c 1-499 | sed 's/[.[:blank:]]*$/./'
}

# quote TEXT: TEXT as a JSON string. Control characters were taken out before.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# result REASON MESSAGE: tells the controller how it went, by the termination message.
result() {
  told=$1
  # shellcheck disable=SC2086 # words
  printf '{"commit":%s,"digest":%s,"tags":%s,"bases":%s,"reason":%s,"message":%s}' \
    "$(quote "$commit")" "$(quote "$digest")" "$(array $pushed)" "$(array $bases)" "$(quote "$1")" "$(quote "$2")" \
    >"${TERMINATION_LOG_PATH:-/dev/termination-log}"
}

# array WORD...: the words as a JSON array.
array() {
  list=
  for word; do list="$list${list:+,}$(quote "$word")"; done
  printf '[%s]' "$list"
}

# based REFERENCE...: notes what the image is made from, NAME[:TAG][@DIGEST] each, as long
# as the termination message has room.
based() {
  for reference; do
    [ $((${#bases} + ${#reference})) -gt 1024 ] || bases="$bases${bases:+ }$reference"
  done
}

fail() {
  set -- "$1" "$(printf '%s\n' "$2" | mask)"
  echo "==> $1: $2"
  bases=''
  result "$1" "$2"
  exit 1
}

# run COMMAND...: runs it so that a signal to this shell ends it at once; its output
# goes to the log and to $work/said, masked.
run() {
  rm -f "$work/pipe"
  mkfifo "$work/pipe"
  mask <"$work/pipe" | tee "$work/said" &
  copy=$!
  "$@" >"$work/pipe" 2>&1 &
  child=$!
  await
}

# await: waits for the child, then for what copies its output; its code is the child's.
await() {
  code=0
  wait "$child" || code=$?
  child=
  rm -f "$work/growing"
  wait "$copy" || :
  copy=
  return "$code"
}

leave() {
  code=$?
  trap - EXIT TERM INT
  [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null || :
  rm -f "$work/growing"
  [ -z "$copy" ] || wait "$copy" || : # its last words, too
  # Steps of the build may end the tools of this script. What ends without a word counts as
  # nobody's fault: it costs nothing, and is done again.
  case $code$told in
    0 | 143) ;;
    *[!0-9]*) ;;
    *) result BuildFailed "The build ended with exit code $code and did not say why." || : ;;
  esac
  rm -rf "$work" 2>/dev/null || :
  exit "$code"
}

commit='' digest='' pushed='' bases='' branch='' tagged='' child='' copy='' told=''
work=$(mktemp -d "${DRYDOCK_WORK:-$PWD}/build.XXXXXX")
source=$work/source
trap leave EXIT
trap 'exit 143' TERM INT
result InfrastructureFailure "The build's secrets could not be kept out of its log. Start the build again."
secrets
result '' ''
