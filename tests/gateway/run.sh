#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TREE [NAME...] - HAProxy in front of one build tree (release, asan, tsan), with what `penstock haproxy` writes:
# the installed HAProxy, that of the other Debian release, and those with the filter inside that filter/native/build.sh
# has left below $BUILD_ROOT/filter*; the first of them is built here. Sanitizer trees: the installed HAProxy alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
tree=$1
shift
bash tests/setup.sh gateway
bash tests/lib/build.sh "$tree" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
haproxies=$(command -v haproxy || { [ -x /usr/sbin/haproxy ] && echo /usr/sbin/haproxy; })
skipped=0

is_of_these_sources() { # HAPROXY: one with an older filter inside would be compared with a newer penstock
	[ -x "$1" ] && [ -z "$(find sidecar config filter -name '*.[ch]' -newer "$1" -print -quit)" ]
}
if [ "$tree" = release ]; then
	for suite in bookworm trixie; do
		grep -q "VERSION_CODENAME=$suite" /etc/os-release && continue
		if bash tests/lib/haproxy.sh "$suite" "$root/haproxy-$suite"; then
			haproxies+=" $root/haproxy-$suite/haproxy"
		else
			echo "SKIPPED: HAProxy of $suite"
			skipped=$((skipped + 1))
		fi
	done
	is_of_these_sources "$root/filter/haproxy" || bash filter/native/build.sh --debian --out "$root/filter" >"$root/filter.log" 2>&1 ||
		echo "NO HAPROXY WITH THE FILTER: $(tail -n 1 "$root/filter.log")"
	# the filter inside, and its objects for those that want it otherwise
	GATEWAY_FILTERS=$(ls "$root"/filter*/haproxy 2>/dev/null)
	GATEWAY_FILTER_OBJECTS=$(ls -d "$root"/filter*/objects-* 2>/dev/null)
	export GATEWAY_FILTERS GATEWAY_FILTER_OBJECTS
fi
export GATEWAY_HAPROXIES=$haproxies PENSTOCK=$root/$tree/penstock TESTS_IN=tests/gateway E2E_TREE=$tree
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=second_deadlock_stack=1
python3 tests/e2e/e2e.py "$@" | tee "$root/gateway.out"
awk -v s="$skipped" '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5; n++ }
	END { if (n != 1) f++; print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 }' "$root/gateway.out"
