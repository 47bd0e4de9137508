#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [NAME...] - what the pages in docker/recipes tell to type, typed (tests/lib/page.py).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/setup.sh pages
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export PENSTOCK=$root/release/penstock TESTS_IN=$PWD/tests/pages
exec python3 tests/e2e/e2e.py "$@"
