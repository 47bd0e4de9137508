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
venv=$root/venv
if [ ! -e "$venv/ok" ]; then
	python3 -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install -q requests httpx aiohttp >/dev/null 2>&1 && touch "$venv/ok"
fi
export PENSTOCK_VENV=$venv PENSTOCK=$root/$tree/penstock E2E_TREE=$tree
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=second_deadlock_stack=1
exec python3 tests/e2e/e2e.py "$@"
