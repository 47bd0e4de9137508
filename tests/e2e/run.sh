#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TREE [NAME...] - end-to-end tests against one build tree (release, asan, tsan). Clients from PyPI live in a
# virtual environment below $BUILD_ROOT; without PyPI their tests are skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
tree=$1
shift
bash tests/lib/build.sh "$tree" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/setup.sh e2e
export PENSTOCK_VENV=$root/venv PENSTOCK=$root/$tree/penstock E2E_TREE=$tree
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=second_deadlock_stack=1
exec python3 tests/e2e/e2e.py "$@"
