#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All gates, and for each a proof that it can refuse.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

report() { # NAME CODE: 0 ok, 77 skipped
	case $2 in
	0) echo "ok $1" && passed=$((passed + 1)) ;;
	77) echo "skip $1: its tool is not installed" && skipped=$((skipped + 1)) ;;
	*) echo "FAIL $1" && cat "$work/out" && failed=$((failed + 1)) ;;
	esac
}

refuses() { ! "$@" >/dev/null 2>&1; } # COMMAND...

python3 tests/gates/gates.py . >"$work/out" 2>&1
code=$?
grep -v ' passed, ' "$work/out"
passed=$((passed + $(grep -c '^ok ' "$work/out")))
failed=$((failed + $(grep -c '^FAIL ' "$work/out")))
[ "$code" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
python3 tests/gates/self_test.py >"$work/out" 2>&1
report "each of these gates can refuse" $?
python3 tests/lib/second_run_test.py >"$work/out" 2>&1
report "a second run excuses what it may and nothing else" $?

mapfile -t scripts < <(git ls-files | xargs -r grep -lE '^#!.*(bash|/sh)' --)
if command -v shellcheck >/dev/null; then
	shellcheck "${scripts[@]}" >"$work/out" 2>&1
	report "shellcheck" $?
	printf '#!/bin/sh\ncd /tmp\nrm *\n' >"$work/bad.sh"
	refuses shellcheck "$work/bad.sh"
	report "shellcheck can refuse" $?
else
	report "shellcheck" 77
fi

mapfile -t sources < <(git ls-files 'sidecar/*.[ch]' 'config/*.[ch]' 'filter/*.[ch]' 'tests/*.[ch]')
if command -v clang-format >/dev/null; then
	clang-format --dry-run --Werror "${sources[@]}" >"$work/out" 2>&1
	report "clang-format" $?
	printf 'int   a ;\n' >"$work/bad.c" && cp .clang-format "$work/"
	refuses clang-format --dry-run --Werror "$work/bad.c"
	report "clang-format can refuse" $?
else
	report "clang-format" 77
fi

if command -v clang-tidy >/dev/null; then
	cmake -S . -B "$root/tidy" -DBUILD_TESTING=OFF >/dev/null 2>&1
	# One file at a time: with several, clang-tidy 14 may take what it knows of one for another's. glue/ needs HAProxy's headers.
	git ls-files 'sidecar/*.c' 'config/*.c' 'filter/*.c' | grep -v '^filter/native/glue/' |
		xargs -P "$(nproc)" -n 1 clang-tidy -p "$root/tidy" --quiet --warnings-as-errors='*' >"$work/out" 2>/dev/null
	report "clang-tidy" $?
	printf 'int main(int argc, char **argv) { int x; if (argv[argc]) x = 1; return x; }\n' >"$work/tidy.c"
	cp .clang-tidy "$work/"
	refuses clang-tidy --quiet --warnings-as-errors='*' "$work/tidy.c" -- -std=c17
	report "clang-tidy can refuse" $?
else
	report "clang-tidy" 77
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
