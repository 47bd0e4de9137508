#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh - in trixie's chroot: HAProxy 3.0 refuses the filter that was built for bookworm's 2.6 (other-filter.so), with one
# clear line. Without the stamp it would load, run, and let bodies pass that are over their limit.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ ! -e other-filter.so ]; then
	echo "skip abi: no filter for another HAProxy was built before (suite vtc)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' defaults ' mode http' ' timeout client 1s' ' timeout connect 1s' ' timeout server 1s' 'frontend f' " bind unix@$work/f" \
	" filter penstock config config/haproxy/routes.yaml" >"$work/haproxy.cfg"
out=$(LD_PRELOAD=$PWD/other-filter.so haproxy -c -f "$work/haproxy.cfg" 2>&1)
if grep -q "haproxy.cfg:8\] .*'penstock' was built for HAProxy 2[0-9.]*, and this is 3" <<<"$out"; then
	echo "ok abi: $(grep 'was built for' <<<"$out")"
	echo "1 passed, 0 failed, 0 skipped"
else
	echo "$out"
	echo "FAIL abi: the filter of another HAProxy is not refused"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
