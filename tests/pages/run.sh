#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [NAME...] - what the pages in docker/recipes tell to type, typed (tests/lib/page.py).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/lib/install.sh curl haproxy iproute2 netcat-openbsd python3 util-linux || echo "SOME TESTS WILL BE SKIPPED: see above"
export PENSTOCK=$root/release/penstock TESTS_IN=$PWD/tests/pages
exec python3 tests/e2e/e2e.py "$@"
