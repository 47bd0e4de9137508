#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# second_run.sh COUNT FILE... - whether COUNT tests that failed, and printed what is in FILEs, may run once more: a machine
# can disturb a few, which also runs other people's programs. It causes neither more than three nor what a sanitizer or
# must() has found. What passes then counts as passed, and its suite names it on a line `unsteady NAME`, which tests/run.sh
# shows again beside its sum. PENSTOCK_STEADY=1: never. tests/e2e/lib.py asks the same of tests in Python.
set -u
count=$1
shift
[ -z "${PENSTOCK_STEADY:-}" ] && [ "$count" -ge 1 ] && [ "$count" -le 3 ] &&
	! grep -qE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|penstock: bug:' "$@"
