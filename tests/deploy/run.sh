#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [NAME...] - what penstock is deployed with, tried: manual pages, completion, Kubernetes manifest, Debian package
# and systemd unit (the last two in Debian bookworm and trixie below $BUILD_ROOT, booted with systemd in namespaces).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/setup.sh deploy
export KUBERNETES_VENV=$root/venv-kubernetes PENSTOCK=$root/release/penstock TESTS_IN=$PWD/tests/deploy BUILD_ROOT=$root
alone=()
[ "$(id -u)" -eq 0 ] && alone=(unshare --mount) # what the tests mount ends with them
exec "${alone[@]}" python3 tests/e2e/e2e.py "$@"
