#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TREE [NAME...] - penstock in front of small real applications (Flask, Django, PHP, Sinatra, Express, and one without a
# framework), for one build tree. An application that cannot be had here is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
tree=$1
shift
bash tests/lib/build.sh "$tree" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/setup.sh apps
export PENSTOCK=$root/$tree/penstock TESTS_IN=tests/apps E2E_TREE=$tree
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=second_deadlock_stack=1
exec python3 tests/e2e/e2e.py "$@"
