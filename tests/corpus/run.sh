#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other projects' multipart bodies, at every split.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
exec python3 tests/corpus/corpus.py "$root/release/tests/form_events"
