#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# failed.sh SUITE LOG - prints `FAILED SUITE: NAME` for each test that failed by what a suite has printed: `FAIL NAME`, or
# ctest's line of one that has not passed. What passed in a second run (second_run.sh) has not failed. tests/run.sh shows
# these lines beside its sum, for only the end of a long output may be read.
set -u
awk -v suite="$1" '
function add(name) {
	sub(/ \([0-9.]+ s\).*/, "", name) # the seconds that it took
	if (!(name in seen)) names[n++] = name
	seen[name] = 1
}
/^FAIL / { add(substr($0, 6)) }
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / && !/ Passed / && !/\*\*\*Skipped/ {
	sub(/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /, "")
	add($1)
}
/^unsteady / { steadied[substr($0, 10)] = 1 }
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { failed = $3 }
END {
	for (i = 0; i < n; i++) {
		if (names[i] in steadied) continue
		printf "FAILED %s: %.200s\n", suite, names[i]
		failed = 0
	}
	if (failed > 0) print "FAILED " suite ": its log says what"
}' "$2"
