#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [WORD...] - makes each n-th allocation and system call of an upload fail (fault.py, shim.c), or only those kinds and
# routes that have a WORD in their name; and of a start. About a minute.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
cc -shared -fPIC -O1 -Wall -Werror -o "$root/fault_shim.so" tests/fault/shim.c -ldl || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export PENSTOCK=$root/release/penstock
exec python3 tests/fault/fault.py "$root/fault_shim.so" "$@"
