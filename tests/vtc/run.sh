#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh PENSTOCK [FILE...] - runs tests/vtc/*/*.vtc (or FILEs), four at a time, with varnishtest, a real HAProxy and this
# penstock. HAPROXY_PROGRAM: which HAProxy (default: haproxy in PATH). PENSTOCK_FILTER: a folder that
# filter/native/build.sh has made. A file with the line `# needs: native` runs with the HAProxy in there, which has the
# filter inside (or, if there is none, as the next ones), one with `# needs: preload` with the packaged HAProxy and the
# filter preloaded. What a file needs and is not here makes it skipped; nothing is installed. What fails may run once
# more (tests/lib/second_run.sh).
set -u
here=$(cd "$(dirname "$0")" && pwd)
at_once=4 seconds=180
if [ $# -lt 1 ] || ! PENSTOCK=$(realpath -e "$1") || [ ! -x "$PENSTOCK" ]; then
	echo "FAIL usage: run.sh PENSTOCK [FILE...]"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
shift
files=("$@")
[ ${#files[@]} -gt 0 ] || files=("$here"/*/*.vtc)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
stock=$(command -v "${HAPROXY_PROGRAM:-haproxy}" || { [ -x /usr/sbin/haproxy ] && echo /usr/sbin/haproxy; })
filter=$(realpath -e "${PENSTOCK_FILTER:-/nowhere}" 2>/dev/null)
PENSTOCK_FILTER_OBJECTS=$(echo "$filter"/objects-*)
export PENSTOCK PENSTOCK_FILTER_OBJECTS SERVE=$here/serve.sh STOCK=$stock TMPDIR=$work/tmp here work seconds

# HAProxy ends with varnishtest, also where that is killed. FILTER: what is preloaded, unless a test says otherwise.
wrap() { # NAME PROGRAM [LIBRARY]
	local preload=''
	[ -z "${3:-}" ] || preload="env LD_PRELOAD=\"\${FILTER:-$3}\""
	printf '#!/bin/sh\nexec setpriv --pdeathsig KILL %s "%s" "$@"\n' "$preload" "$2" >"$work/$1"
	chmod +x "$work/$1"
}
wrap stock "$stock"
wrap preload "$stock" "$filter/penstock-filter.so"
wrap native "$filter/haproxy"
[ -x "$filter/haproxy" ] || cp "$work/preload" "$work/native"

kind_of() { # FILE
	sed -n 's/^# needs: \(native\|preload\)$/\1/p' "$1" | grep . || echo stock
}

# What keeps a file from running; nothing if it can.
missing() { # FILE
	local tool
	for tool in varnishtest python3 setpriv; do
		command -v "$tool" >/dev/null || { echo "$tool is not installed" && return; }
	done
	case $(kind_of "$1") in
	stock) [ -n "$stock" ] || ! grep -q '^haproxy h' "$1" || echo "haproxy is not installed" ;;
	*) [ -e "$filter/penstock-filter.so" ] || echo "PENSTOCK_FILTER names no folder with the filter" ;;
	esac
}

name_of() { # FILE
	local name=${1#"$here"/}
	echo "${name%.vtc}"
}

run_one() { # FILE: on the list of those that are ok, FAIL or skip
	local code verdict name out
	name=$(name_of "$1") out=$work/${name//\//-}.out
	HAPROXY_PROGRAM=$work/$(kind_of "$1") varnishtest -v -b 64M -t "$seconds" "$1" >"$out" 2>&1
	code=$?
	case $code in
	0) verdict=ok && echo "ok $name" ;;
	77) verdict=skip && echo "skip $name: varnishtest lacks a feature" ;;
	*) verdict=FAIL && { echo "FAIL $name" && tail -n 60 "$out"; } >"$out.end" && cat "$out.end" ;;
	esac
	echo "$1" >>"$work/list.$verdict"
}
export -f run_one kind_of name_of

count() { wc -l <"$work/list.$1"; } # VERDICT

# Those that failed, if they may, one by one.
run_again() {
	local file
	bash "$here/../lib/second_run.sh" "$(count FAIL)" "$work"/*.end || return 0
	mv "$work/list.FAIL" "$work/again" && : >"$work/list.FAIL"
	while read -r file; do
		run_one "$file"
		! tail -n 1 "$work/list.ok" | grep -qxF "$file" || echo "unsteady $(name_of "$file")"
	done <"$work/again"
}

for verdict in ok skip FAIL run; do : >"$work/list.$verdict"; done
for file in "${files[@]}"; do
	file=$(realpath "$file")
	why=$(missing "$file")
	if [ -n "$why" ]; then
		echo "skip $(name_of "$file"): $why"
		echo "$file" >>"$work/list.skip"
	else
		echo "$file" >>"$work/list.run"
	fi
done
xargs -d '\n' -r -n 1 -P "$at_once" bash -c 'run_one "$@"' run_one <"$work/list.run"
run_again
[ "$(count skip)" -eq 0 ] || echo "SOME TESTS WERE SKIPPED: see above"
echo "$(count ok) passed, $(count FAIL) failed, $(count skip) skipped"
[ "$(count FAIL)" -eq 0 ] && [ $(($(count ok) + $(count skip))) -eq ${#files[@]} ]
