#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh - which lines the unit tests run, by room (coverage.py), and of those that are pure what they leave out, and why.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
python3 tests/coverage/self_test.py || { echo "FAIL coverage.py refuses nothing"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
if ! bash tests/lib/build.sh coverage; then
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
find "$root/coverage" -name '*.gcda' -delete # what the build itself has run, and runs before
if ! bash tests/lib/ctest.sh coverage unit >"$root/coverage.units" 2>&1; then
	cat "$root/coverage.units"
	exit 1
fi
grep '^unsteady ' "$root/coverage.units"
exec python3 tests/coverage/coverage.py "$root/coverage"
