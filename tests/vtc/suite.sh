#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# suite.sh - every .vtc file with this machine's HAProxy: the agent's with the packaged one, the filter's with the same
# version built with the filter inside, and with the filter preloaded into the packaged one. FILTER_ONLY=1: no HAProxy is
# built, the filter is preloaded everywhere.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/setup.sh vtc
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash filter/native/build.sh --debian --out "$root/filter" ${FILTER_ONLY:+--filter-only} >"$root/filter.log" 2>&1
case $? in
0) ;;
77) echo "NO SOURCES OF HAPROXY, NO TESTS OF THE FILTER: $(tail -n 1 "$root/filter.log")" ;;
*)
	tail -n 40 "$root/filter.log"
	echo "FAIL the filter does not build"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
	;;
esac
export PENSTOCK_FILTER=$root/filter
exec bash tests/vtc/run.sh "$root/release/penstock"
