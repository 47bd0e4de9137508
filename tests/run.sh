#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/run.sh [SUITE...] - every test of penstock, on a bare Debian bookworm or trixie (as root or with sudo
# tests/setup.sh installs what is missing). Suites that are named run one after another; all of them (`all` below) four at a
# time, each of four lines taking the next one, for some wait for packages and containers while others compute. Deploy, trixie
# and s3 make chroots of Debian releases, as root. A test that fails may run once more (tests/lib/second_run.sh); what passes
# only then is named at the end, and what has failed. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD_ROOT=${BUILD_ROOT:-$PWD/build}
mkdir -p "$BUILD_ROOT"
TIMEFORMAT="%U+%S" # of CPU, in seconds: of the program and of the kernel for it
sums=$BUILD_ROOT/suite.sums
rm -f "$BUILD_ROOT"/suite.*.log "$BUILD_ROOT/suite.times"
: >"$sums"

# Takes the closing "N passed, N failed, N skipped" of a suite; a suite without one has failed.
add_up() { # NAME CODE LOG
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$3" | tail -n 1)
	if [ -z "$line" ]; then
		echo "FAIL $1: ended with $2 and no closing line" | tee -a "$3"
		line="0 passed, 1 failed, 0 skipped"
	elif [ "$2" -ne 0 ] && [ "$2" -ne 77 ] && [[ $line == *" 0 failed"* ]]; then
		echo "FAIL $1: ended with $2" | tee -a "$3"
		line=${line/ 0 failed/ 1 failed}
	fi
	echo "$line" >>"$sums"
}

# What a suite prints is shown when it has ended, whole: another one may run beside it.
suite() { # NAME SECONDS COMMAND...
	local name=$1 seconds=$2 code began=$SECONDS log=$BUILD_ROOT/suite.$1.log
	shift 2
	{ time timeout --kill-after=20 "$seconds" "$@" >"$log" 2>&1 9>&-; } 2>"$BUILD_ROOT/suite.$name.cpu"
	code=$?
	{
		flock 9
		echo "== $name"
		[ "$code" -ne 124 ] || echo "FAIL $name: took longer than $seconds s" >>"$log"
		cat "$log"
		add_up "$name" "$code" "$log"
		echo "-- $name: $((SECONDS - began)) s"
		echo "$name $began+$((SECONDS - began))($(cat "$BUILD_ROOT/suite.$name.cpu"))" >>"$BUILD_ROOT/suite.times"
	} 9>"$BUILD_ROOT/suite.lock"
}

# Until vtc has built it, or nobody does.
wait_for_filter() { while [ -e "$BUILD_ROOT/vtc.runs" ]; do sleep 1; done; }

run_suite() { # NAME
	case $1 in
	gates) suite gates 1500 bash tests/gates/run.sh ;;
	unit) suite unit 600 bash tests/lib/ctest.sh release 'unit|stress' ;;
	corpus) suite corpus 600 bash tests/corpus/run.sh ;;
	config) suite config 300 bash tests/config/run.sh ;;
	asan) suite asan 900 bash tests/lib/ctest.sh asan 'unit|stress' ;;
	tsan) suite tsan 900 bash tests/lib/ctest.sh tsan 'unit|stress' ;;
	coverage) suite coverage 600 bash tests/coverage/run.sh ;;
	model) suite model 600 bash tests/model/run.sh ;;
	fuzz) suite fuzz 600 bash tests/fuzz/run.sh ;;
	e2e) suite e2e 1200 bash tests/e2e/run.sh release ;;
	e2e-asan) suite e2e-asan 1200 env E2E_ROUNDS=small bash tests/e2e/run.sh asan ;;
	e2e-tsan)
		suite e2e-tsan 1200 env E2E_ROUNDS=small bash tests/e2e/run.sh tsan
		suite e2e-reload 600 env E2E_ROUNDS=small E2E_RELOAD=yes bash tests/e2e/run.sh tsan test_store test_http test_faults
		;;
	s3) suite s3 900 bash tests/s3/run.sh release ;;
	s3-sanitizers)
		suite s3-asan 600 env E2E_ROUNDS=small bash tests/s3/run.sh asan test_s3_faults test_s3_commit test_s3_sweep
		suite s3-tsan 600 env E2E_ROUNDS=small bash tests/s3/run.sh tsan test_s3_clients test_s3_commit test_s3_sweep
		;;
	apps)
		suite apps 600 bash tests/apps/run.sh release
		suite apps-asan 600 env E2E_ROUNDS=small bash tests/apps/run.sh asan plain verify
		;;
	fault) suite fault 300 bash tests/fault/run.sh ;;
	gateway)
		wait_for_filter
		[ ! -x "$BUILD_ROOT/filter/haproxy" ] || export PENSTOCK_FILTER_HAPROXY=$BUILD_ROOT/filter/haproxy
		suite gateway 900 bash tests/gateway/run.sh release
		suite gateway-asan 600 env E2E_ROUNDS=small bash tests/gateway/run.sh asan
		suite gateway-tsan 600 env E2E_ROUNDS=small bash tests/gateway/run.sh tsan
		;;
	vtc)
		suite vtc 900 bash tests/vtc/suite.sh
		rm -f "$BUILD_ROOT/vtc.runs"
		;;
	bench) wait_for_filter && suite bench 900 bash tests/bench/smoke.sh ;;
	install) suite install 300 bash tests/lib/install_test.sh ;;
	compose)
		suite clients 900 bash tests/compose/clients/run.sh
		suite compose 2100 bash tests/compose/run.sh # last: it removes the images
		;;
	deploy) suite deploy 900 bash tests/deploy/run.sh ;;
	pages) suite pages 300 bash tests/pages/run.sh ;;
	trixie) wait_for_filter && suite trixie 1200 bash tests/trixie/run.sh ;;
	*)
		echo "FAIL unknown suite $1"
		echo "0 passed, 1 failed, 0 skipped" >>"$sums"
		;;
	esac
}

# The next suite of those that are left, which is none then.
next_suite() { flock "$BUILD_ROOT/suites.lock" sed -i -e '1{w /dev/stdout' -e 'd}' "$BUILD_ROOT/suites"; }

run_suites() {
	local name
	while name=$(next_suite) && [ -n "$name" ]; do run_suite "$name"; done
}

# What is waited for stands first, and what is short last: so the lines end together.
all=(vtc compose deploy gates unit e2e trixie s3 gateway apps e2e-tsan e2e-asan fuzz s3-sanitizers asan tsan coverage model config corpus
	fault bench pages install)
alone=(gates unit corpus config asan tsan coverage model fuzz e2e fault bench install pages) # the others set up by themselves
lines=4
rm -f "$BUILD_ROOT/vtc.runs"
if [ $# -gt 0 ]; then
	all=("$@") alone=("$@") lines=1
else
	touch "$BUILD_ROOT/vtc.runs"
fi
printf '%s\n' "${all[@]}" >"$BUILD_ROOT/suites"
bash tests/setup.sh "${alone[@]}"
case $? in
0 | 77) ;;
*) echo "0 passed, 1 failed, 0 skipped" && exit 1 ;;
esac
for ((line = 0; line < lines; line++)); do run_suites & done
wait
echo "when each suite began, the seconds that it took, and of CPU, its containers apart: $(paste -sd ',' "$BUILD_ROOT/suite.times")"
grep -hs '^unsteady ' "$BUILD_ROOT"/suite.*.log | sort -u >"$BUILD_ROOT/unsteady"
if [ -s "$BUILD_ROOT/unsteady" ]; then
	echo "$(wc -l <"$BUILD_ROOT/unsteady") FAILED AT FIRST AND PASSED WHEN THEY RAN AGAIN (PENSTOCK_STEADY=1 lets them fail):"
	cat "$BUILD_ROOT/unsteady"
fi
for log in "$BUILD_ROOT"/suite.*.log; do
	name=${log##*/suite.}
	bash tests/lib/failed.sh "${name%.log}" "$log"
done
awk '{ p += $1; f += $3; s += $5 } END { print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 || NR == 0 }' "$sums"
