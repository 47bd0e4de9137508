#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh release|asan|tsan|fuzz|bench - builds one tree below $BUILD_ROOT, warnings being errors. Quiet if it works.
set -u
kind=$1
root=${BUILD_ROOT:-$PWD/build}
options=(-DWERROR=ON)
case $kind in
release) options+=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON) ;;
asan) options+=(-DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=ON "-DSANITIZE=address,undefined" -DCMAKE_C_FLAGS_DEBUG="-O1 -g") ;;
tsan) options+=(-DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=ON -DSANITIZE=thread -DCMAKE_C_FLAGS_DEBUG="-O1 -g") ;;
fuzz) options+=(-DCMAKE_BUILD_TYPE=Debug -DFUZZ=ON -DBUILD_TESTING=OFF -DCMAKE_C_COMPILER=clang
	-DCMAKE_C_FLAGS_DEBUG="-O1 -g") ;;
*)
	echo "build.sh: unknown kind $kind" >&2
	exit 2
	;;
esac
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
log=$root/$kind.build.log
mkdir -p "$root"
exec 9>"$root/$kind.lock" && flock 9 # suites that run at the same time share the trees
if cmake -S . -B "$root/$kind" "${generator[@]}" "${options[@]}" >"$log" 2>&1 &&
	cmake --build "$root/$kind" -j "$(nproc)" >>"$log" 2>&1; then
	exit 0
fi
tail -n 60 "$log"
exit 1
