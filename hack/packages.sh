#!/bin/sh
# Installs the host packages that Drydock's parts need, by apt-get where it may, and
# says so; else says what to install, and fails. Quick when everything is there.
#
#   hack/packages.sh SET...      sets: run test web browser
set -eu

missing=''
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

for set in "$@"; do
	case $set in
	run)
		need git git
		need buildah buildah
		need curl curl
		need skopeo skopeo # the README looks at images with it
		[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
		;;
	test)
		need gcc gcc
		need runc runc # BuildKit's
		[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
		;;
	web)
		for tool in node npm; do
			command -v $tool >/dev/null 2>&1 || {
				echo "packages: $tool is missing: install Node 20 or newer (https://nodejs.org)" >&2
				exit 1
			}
		done
		;;
	browser) need chromium chromium ;;
	*)
		echo "packages: no set '$set': there are run, test, web, browser" >&2
		exit 2
		;;
	esac
done
[ -n "$missing" ] || exit 0

missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ' | sed 's/ $//')
if ! command -v apt-get >/dev/null 2>&1; then
	echo "packages: missing: $missing. Install them with this machine's package manager, then try again." >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as_root=''
elif sudo -n true 2>/dev/null; then
	as_root='sudo -n'
else
	echo "packages: missing: $missing. Run: sudo apt-get install -y --no-install-recommends $missing" >&2
	exit 1
fi
echo "packages: installing $missing"
install() { DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; }
install || { $as_root apt-get update -qq && install; } || {
	echo "packages: apt-get could not install $missing; run it by hand to see why" >&2
	exit 1
}
