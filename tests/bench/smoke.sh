#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the bench with small sizes: every program in it must still carry its load without a failure.
set -u
root=${BUILD_ROOT:-$PWD/build}
bash tests/setup.sh bench
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
passed=0 failed=0 skipped=0
try() {
	if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
try tests/bench/test_report.py
try tests/bench/bench --smoke --penstock "$root/release/penstock" --json "$root/bench.json" --svg "$root/bench.svg"
try tests/bench/durable --smoke --penstock "$root/release/penstock"
tests/bench/s3 --smoke --penstock "$root/release/penstock" --venv "$root/venv-s3"
case $? in
0) passed=$((passed + 1)) ;;
77) skipped=$((skipped + 1)) ;;
*) failed=$((failed + 1)) ;;
esac
if [ -e "$root/filter/penstock-filter.so" ] && command -v haproxy >/dev/null; then
	try tests/bench/filter --smoke "$root/filter/penstock-filter.so"
else
	echo "skip bench/filter: suite vtc, which builds the filter, did not run, or haproxy is not in PATH"
	skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
