# SPDX-License-Identifier: MIT
"""What two parsers might read differently, behind each HAProxy, and behind one with the filter inside: the rows are
those of tests/e2e/test_smuggling.py."""
from gw import with_filter
from test_smuggling import check_behind, test_behind_haproxy_both_read_the_same  # noqa: F401


def test_behind_the_filter_both_read_the_same():
    for program in with_filter().values():
        check_behind(program, "    filter penstock config '{file}'")
