#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that coverage.py can refuse: a line without a reason, a reason that is not true, a list that says nothing."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import coverage  # noqa: E402

SOURCE = """int
f(int a)
{
	if (a == 1 &&
		b)
		return g(
			a);
	return 0; /* always */
}

int
never(void)
{
	return 1;
}
""".splitlines()
LINES = {2: (1, "f"), 4: (1, "f"), 5: (1, "f"), 6: (0, "f"), 7: (0, "f"), 8: (1, "f"), 12: (0, "never"), 14: (0, "never")}
MISSING = {("a.c", *one) for one in coverage.left_out(LINES, SOURCE)}
GOOD = "# a list\n\nNobody calls it.\n\ta.c:never\n\nIt never happens.\n\ta.c:f: return g(\n"


def refused(text):
    reasons, bad = coverage.read_reasons(text)
    return bad + coverage.complaints(MISSING, reasons)


def main():
    assert MISSING == {("a.c", "f", "return g("), ("a.c", "never", None)}, MISSING
    assert [coverage.statement(SOURCE, n) for n in (4, 5, 6, 7, 8)] == [4, 4, 6, 6, 8]
    assert coverage.left_out({2: (1, "f"), 4: (0, "f"), 5: (1, "f"), 6: (0, "f"), 7: (1, "f")}, SOURCE) == set()
    assert not refused(GOOD), refused(GOOD)
    for bad in (GOOD.replace("\ta.c:never\n", ""), GOOD.replace("Nobody calls it.\n", ""), GOOD + "\ta.c:f: return 0;\n", GOOD + "\tb.c:f\n",
                GOOD + "\ta.c:f\n", GOOD + "\ta.c:never\n", GOOD + "\tnothing\n", ""):
        assert refused(bad), bad
    assert coverage.too_few({"a": (949, 1000)}) and not coverage.too_few({"a": (950, 1000), "b": (0, 0)})
    assert coverage.is_pure("sidecar/part/rules.c") and not coverage.is_pure("config/load.c") and not coverage.is_pure("sidecar/http/worker.c")
    assert coverage.room_of("sidecar/sink/s3/sign.c") == "sink/s3" and coverage.room_of("filter/decide/decide.c") == "decide"


if __name__ == "__main__":
    main()
