#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh - lets spin go through all interleavings of the models, and proves that it sees each mistake it is there for.
set -u
cd "$(dirname "$0")" || exit 1
models=$PWD
passed=0 failed=0 skipped=0

for tool in spin gcc; do
	if ! command -v $tool >/dev/null; then
		echo "SKIPPED, NOTHING IS CHECKED: $tool is not installed"
		echo "0 passed, 0 failed, 1 skipped"
		exit 77
	fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

search() { # MODEL KIND [-D...]: into ./out; KIND safety: claims and end states, cycles: nothing goes on for ever
	local model=$models/$1.pml build=-DSAFETY how=()
	[ "$2" = cycles ] && build=-DNP how=(-l)
	shift 2
	rm -f pan pan.* ./*.trail out
	spin -a "$@" "$model" >out 2>&1 || return 1
	gcc -w "$build" -DCOLLAPSE -DMEMLIM=1900 -o pan pan.c >>out 2>&1 || return 1
	./pan -m20000 "${how[@]}" >out 2>&1
}

report() { # NAME CODE
	if [ "$2" -eq 0 ]; then
		echo "ok $1 ($(awk '/states, stored/ { print $1 }' out) states)" && passed=$((passed + 1))
	else
		echo "FAIL $1" && cat out && failed=$((failed + 1))
	fi
}

# A search that was cut short (depth, memory) proves nothing.
holds() { # NAME MODEL KIND [-D...]
	local name=$1
	shift
	search "$@" && grep -q 'errors: 0' out && ! grep -qE 'max search depth too small|out of memory|Search not completed' out
	report "$name" $?
}

finds() { # NAME COMPLAINT MODEL KIND [-D...]
	local name="spin sees it: $1" complaint=$2
	shift 2
	search "$@" && grep -q "pan:1: $complaint" out
	report "$name" $?
}

beside=(-DSAME -DBESIDE -DN_CHUNKS=2 -DSLOTS=1)
holds "channel, two threads" channel safety
holds "channel, two threads, one slot: space that was told for nothing" channel safety -DSLOTS=1
holds "channel, one thread that pumps" channel safety -DSAME
holds "channel, two consumers of the same chunks" channel safety "${beside[@]}"
holds "channel, two threads, always comes to an end" channel cycles -DN_CHUNKS=2 -DSLOTS=1
holds "channel, one thread, always comes to an end" channel cycles -DSAME
holds "pool waiters" pool safety
holds "pool waiters, always come to an end" pool cycles
holds "pool, what is kept" pool safety -DKEEP

small=(-DN_CHUNKS=2 -DSLOTS=1)
finds "no second look after arming for data" "invalid end state" channel safety -DMUTATE_DATA "${small[@]}"
finds "no second look after arming for space" "invalid end state" channel safety -DMUTATE_SPACE "${small[@]}"
finds "no look at the list before sleeping" "invalid end state" channel safety -DMUTATE_SLEEP
finds "a poster looks for sleepers before it posts" "invalid end state" channel safety -DMUTATE_LOOK_FIRST
finds "close before ended" "assertion violated" channel safety -DMUTATE_CLOSE
finds "a freed channel tells space" "assertion violated" channel safety -DMUTATE_FREE_TELLS
finds "a second resume" "assertion violated suspended" channel safety -DMUTATE_RESUME
finds "a chunk is counted after it was handed over" "assertion violated" channel safety -DMUTATE_SHARE_LATE "${beside[@]}"
finds "a chunk's count is taken in two steps" "assertion violated" channel safety -DMUTATE_COUNT "${beside[@]}"
finds "room is asked of one consumer only" "assertion violated" channel safety -DMUTATE_ROOM_OF_ONE "${beside[@]}"
finds "no second look after arming the pool's waiter" "invalid end state" pool safety -DMUTATE_RECHECK
finds "a waiter's flag set before it is counted" "invalid end state" pool safety -DMUTATE_FLAG_FIRST
finds "a reservation half taken and put back" "invalid end state" pool safety -DKEEP -DMUTATE_TWO_COUNTS

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
