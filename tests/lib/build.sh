#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh PRESET - builds one preset of CMakePresets.json into $BUILD_ROOT/PRESET. Quiet if it works.
set -u
preset=$1
root=${BUILD_ROOT:-$PWD/build}
log=$root/$preset.build.log
mkdir -p "$root"
exec 9>"$root/$preset.lock" && flock 9 # suites that run at the same time share the trees
if cmake --preset "$preset" -B "$root/$preset" >"$log" 2>&1 && cmake --build "$root/$preset" -j "$(nproc)" >>"$log" 2>&1; then
	exit 0
fi
tail -n 60 "$log"
exit 1
