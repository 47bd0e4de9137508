#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ctest.sh TREE LABELS - builds a tree and runs its tests of these labels; shows what the failing ones printed,
# and runs a few of those once more (second_run.sh).
set -u
tree=$1 labels=$2
root=${BUILD_ROOT:-$PWD/build}
if ! bash tests/lib/build.sh "$tree"; then
	echo "FAIL $tree does not build"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
out=$root/$tree.ctest
ctest --test-dir "$root/$tree" -L "$labels" -j 2 --output-on-failure >"$out" 2>&1
code=$?
passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' "$out")
skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.*\*\*\*Skipped' "$out")
total=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#' "$out")
failed=$((total - passed - skipped))
if [ "$code" -ne 0 ]; then cat "$out"; else grep -E 'Test +#' "$out"; fi
[ "$total" -gt 0 ] || failed=1
if [ "$total" -gt 0 ] && bash tests/lib/second_run.sh "$failed" "$out"; then
	ctest --test-dir "$root/$tree" --rerun-failed --output-on-failure >"$out.again" 2>&1
	cat "$out.again"
	mapfile -t steadied < <(sed -nE 's|^ *[0-9]+/[0-9]+ Test +#[0-9]+: ([^ ]+) .* Passed .*|\1|p' "$out.again")
	[ ${#steadied[@]} -eq 0 ] || printf 'unsteady %s\n' "${steadied[@]}"
	passed=$((passed + ${#steadied[@]})) failed=$((failed - ${#steadied[@]}))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
