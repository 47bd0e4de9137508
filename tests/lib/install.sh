#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install.sh PACKAGE... - makes sure that Debian packages are installed; asks apt only for what is missing.
# Exit 0: all are there. Exit 77: some are missing and cannot be installed (says which, loudly, and what apt said).
set -u

missing=()
for package in "$@"; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "MISSING, and neither root nor sudo is here to install: ${missing[*]}" >&2
		exit 77
	fi
	as_root=(sudo)
fi
if (: >>/tmp/penstock-install.lock) 2>/dev/null; then # suites that run at the same time take turns
	exec 9>>/tmp/penstock-install.lock
	flock 9
fi
echo "installing: ${missing[*]}" >&2
# A machine that has just booted runs apt by itself: wait for its locks. `update` does not know how to.
apt=("${as_root[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for _ in {1..150}; do
	"${apt[@]}" update >"$log" 2>&1
	grep -q 'Could not get lock' "$log" || break
	sleep 2
done
add() { "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1; }
if ! add "${missing[@]}"; then
	still=()
	for package in "${missing[@]}"; do
		add "$package" || still+=("$package")
	done
	[ ${#still[@]} -eq 0 ] && exit 0
	echo "COULD NOT INSTALL: ${still[*]}; the last that apt said:" >&2
	tail -n 10 "$log" | sed 's/^/    /' >&2
	exit 77
fi
