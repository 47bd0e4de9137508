#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# chroot.sh RELEASE NAME PACKAGE... - a Debian RELEASE (bookworm, trixie) in $BUILD_ROOT/NAME with these packages, from
# the mirror that this machine uses. Makes what is missing and keeps the rest: all chroots of a release start as copies
# of one minimal one. Exit 0: it is there. Exit 77: it cannot be made here (says why).
set -u
release=$1 name=$2
shift 2
root=${BUILD_ROOT:-$PWD/build}
base=$root/base-$release chroot=$root/$name log=$root/$name.log

give_up() {
	echo "$1" >&2
	exit 77
}

[ "$(id -u)" -eq 0 ] || give_up "needs root for debootstrap and chroot"
bash tests/lib/install.sh debootstrap || give_up "debootstrap cannot be installed"
mkdir -p "$root"
exec 9>"$root/base-$release.lock"
flock 9 # two suites may want the same one

if [ ! -e "$base/ok" ]; then
	mirror=$(grep -rhoE 'https?://[^ ]*debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
		grep -v security | head -n 1 | tr -d ' ')
	rm -rf "$base"
	debootstrap --variant=minbase "$release" "$base" "$mirror" >"$log" 2>&1 || give_up "debootstrap failed: $(tail -n 1 "$log")"
	cp -r /etc/apt/apt.conf.d/. "$base/etc/apt/apt.conf.d/"
	cp /etc/resolv.conf "$base/etc/" 2>/dev/null
	chroot "$base" apt-get update -qq >>"$log" 2>&1 || give_up "apt-get update failed there: $(tail -n 1 "$log")"
	touch "$base/ok"
fi
if [ ! -e "$chroot/ok" ]; then
	rm -rf "$chroot" "$chroot.new"
	{ cp -a "$base" "$chroot.new" && mv "$chroot.new" "$chroot"; } || give_up "cannot copy $base"
fi

missing=()
# shellcheck disable=SC2016 # dpkg-query takes ${Status}
for package in "$@"; do
	chroot "$chroot" dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
# shellcheck disable=SC2016 # the inner shell takes them
unshare --mount bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$chroot" env \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" \
	>>"$log" 2>&1 || give_up "packages cannot be installed there: $(tail -n 1 "$log")"
