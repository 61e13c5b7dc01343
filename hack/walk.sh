#!/bin/sh
# The README's walk, with checks: signs in, creates an image definition, builds it,
# follows status and log, and looks for the image in the registry, the seconds on the
# usage and the objects in Kubernetes. It joins a running stack:
#
#   make run                              (in one shell)
#   . .devstack/env; hack/walk.sh         (in another)
set -eu
: "${DRYDOCK_URL:?start the stack by make run, then: . .devstack/env}"

work=$(mktemp -d)
streams=''
trap '[ -z "$streams" ] || kill $streams 2>/dev/null || true; rm -rf "$work"' EXIT
login="walker-$(date +%s)"

fail() {
	echo "walk: $*" >&2
	exit 1
}
request() { # request BODY: one GraphQL operation
	curl -sS --fail-with-body -b "$work/cookies" -H 'Content-Type: application/json' -d "$1" "$DRYDOCK_URL/graphql" >"$work/answer" ||
		fail "the gateway refused: $(cat "$work/answer")"
	! grep -q '"errors"' "$work/answer" || fail "errors: $(cat "$work/answer")"
}
stream() { # stream BODY FILE: one subscription, by server-sent events
	curl -sSN -b "$work/cookies" -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d "$1" "$DRYDOCK_URL/graphql" >"$2" &
	streams="$streams $!"
}
field() { # field NAME: the first value of a text field in the last answer
	sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/answer" | head -n 1
}
await() { # await WHAT FILE PATTERN: until the file has it
	for _ in $(seq 240); do
		! grep -q "$3" "$2" 2>/dev/null || return 0
		sleep 0.25
	done
	fail "$1 did not come within a minute: $(cat "$2")"
}

echo "1. sign in as $login"
curl -sS --fail-with-body -c "$work/cookies" -H 'Content-Type: application/json' -d "{\"login\": \"$login\"}" "$DRYDOCK_URL/auth/dev" >/dev/null

echo "2. create an image definition of ${GIT_URL}/greeter.git"
request "{\"query\": \"mutation(\$in: CreateImageInput!) { createImage(input: \$in) { image { id } } }\", \"variables\": {\"in\": {
  \"name\": \"greeter\", \"source\": {\"repository\": \"$GIT_URL/greeter.git\"}, \"destination\": \"$SAMPLE_DESTINATION/$login\",
  \"tags\": [\"latest\", \"{{.ShortCommit}}\"], \"buildArgs\": [{\"key\": \"STEPS\", \"value\": \"6\"}]}}}"
image=$(field id)

echo "3. watch the image's builds"
stream "{\"query\": \"subscription { buildChanged(image: \\\"$image\\\") { phase digest durationSeconds billedSeconds } }\"}" "$work/status"
await 'the subscription' "$work/status" connected

echo "4. start a build"
request "{\"query\": \"mutation { startBuild(input: {image: \\\"$image\\\"}) { build { id phase } } }\"}"
build=$(field id)
[ "$(field phase)" = QUEUED ] || fail "a new build is not QUEUED: $(cat "$work/answer")"
stream "{\"query\": \"subscription { buildLog(id: \\\"$build\\\") { number text } }\"}" "$work/log"

echo "5. follow it: RUNNING, its log line by line, SUCCEEDED"
await 'RUNNING' "$work/status" '"RUNNING"'
await 'the log of a running build' "$work/log" 'step 1 of 6'
! grep -q '"SUCCEEDED"' "$work/status" || fail 'the log came only after the end'
await 'SUCCEEDED' "$work/status" '"SUCCEEDED"'
await 'the end of the log' "$work/log" 'event: complete'
digest=$(sed -n 's/.*"digest":"\(sha256:[0-9a-f]*\)".*/\1/p' "$work/status" | head -n 1)
[ -n "$digest" ] || fail "there is no digest: $(cat "$work/status")"

echo "6. find $digest in the registry"
found=$(curl -sS --head -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \
	"http://$REGISTRY_HOST/v2/samples/$login/manifests/latest" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p')
[ "$found" = "$digest" ] || fail "the registry has '$found' under latest"

echo "7. find the seconds on the account's usage"
await 'billing' "$work/status" '"billedSeconds":[1-9]'
billed=$(sed -n 's/.*"billedSeconds":\([0-9]*\).*/\1/p' "$work/status" | tail -n 1)
request '{"query": "{ viewer { usage { buildSeconds } } }"}'
grep -q "\"buildSeconds\":$billed}" "$work/answer" || fail "usage is not $billed s: $(cat "$work/answer")"

echo "8. find it all in Kubernetes"
kubectl wait job --all --for=condition=complete --timeout=30s -n "drydock-$login" >"$work/objects" || fail 'the Job is not complete'
kubectl get images,builds,jobs -n "drydock-$login" >"$work/objects" || fail 'kubectl could not read'
grep -q 'image.drydock.dev/greeter.*Succeeded' "$work/objects" || fail "kubectl does not show the image: $(cat "$work/objects")"
grep -q 'build.drydock.dev/greeter.*Succeeded' "$work/objects" || fail "kubectl does not show the build: $(cat "$work/objects")"
grep -q 'job.batch/greeter.*Complete' "$work/objects" || fail "kubectl does not show the job: $(cat "$work/objects")"
echo "walk: all is there: $digest, $billed s"
