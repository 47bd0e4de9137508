# SPDX-License-Identifier: MIT
"""Routes by header and query behind each HAProxy: rules alone, the agent and the filter take and refuse what penstock does. The rows are
those of tests/e2e/test_match.py."""
import re

from gw import *
from lib import *
from test_match import BODY, ROUTES, ROWS, route, told_by, wrong_rows


def waiting(port, target, lines):
    """A client that waits for 100, which HAProxy itself may refuse."""
    with connect(port) as s:
        s.sendall(head_of(target, len(BODY), extra=lines + "Expect: 100-continue\r\n"))
        buffer = s.recv(65536)
        if buffer.startswith(b"HTTP/1.1 100"):
            s.sendall(BODY)
            buffer = buffer.partition(b"\r\n\r\n")[2]
        return told_by(read_answer(s, buffer))


def haproxy_refuses(port, target):
    """By itself: penstock's answers have a Date."""
    answer = expect_continue(port, target, len(BODY))
    return answer.status in (400, 404) and "date" not in answer.headers


def check(g):
    assert not wrong_rows(g.port), wrong_rows(g.port)
    for target, lines, *want in ROWS:
        got = waiting(g.port, target, lines)
        assert got == tuple(want), f"{target[:60]} {lines!r:.60}: {got}, not {want}"


def test_rules_alone_leave_them_to_penstock():
    with Penstock(ROUTES) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                check(g)


def test_the_agent_decides_as_penstock_does():
    with Penstock(ROUTES, head=AGENT) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                check(g)
                assert haproxy_refuses(g.port, "/u?kind=x") and haproxy_refuses(g.port, "/u?kind=ph&kind=ph")


def test_the_filter_decides_as_penstock_does():
    with Penstock(ROUTES) as p:
        for program in with_filter().values():
            with Gateway(p, program, native=True) as g:
                check(g)
                assert haproxy_refuses(g.port, "/u?kind=x") and haproxy_refuses(g.port, "/u?kind=ph&kind=ph")


def test_files_that_were_written_for_other_routes_refuse_what_they_cannot_tell_of():
    class Stale(Gateway):
        def patient(self):
            super().patient()
            with open(self.dir + "/penstock.spoe.conf", "r+", encoding="utf-8") as f:
                text = re.sub(r" headers?\.x-tenant=\S+", "", f.read())
                f.seek(0)
                f.write(text)
                f.truncate()

    with Penstock(ROUTES, head=AGENT) as p, Stale(p) as g:
        for ask in (waiting, lambda *how: told_by(post(how[0], how[1], BODY, extra=how[2]))):
            assert ask(g.port, "/u", "X-Tenant: acme-7\r\n") == (503, "busy")
            assert ask(g.port, "/rest", "X-Tenant: acme-7\r\n") == (201, "rest"), "nothing else is refused"


def test_the_largest_question_fits_a_frame():
    names = [f"x-{'n' * 60}{i:02}" for i in range(16)]
    patterns = [", ".join(f'{name}: "*"' for name in half) for half in (names[:8], names[8:])]
    routes = ROUTES[:ROUTES.index("  - ")] + route("a", f'path: "/**", header: {{ {patterns[0]} }}, query: {{ k: a }}') + route(
        "b", f'path: "/**", header: {{ {patterns[1]} }}, query: {{ k: b }}')
    with Penstock(routes, head=AGENT) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                target = "/" + "p" * 2046 + "?" + "x" * (2047 - len("&k=b")) + "&k="
                lines = "".join(f"{name}: {'v' * 255}\r\n" for name in names)
                assert waiting(g.port, target + "b", lines) == (201, "b")
                assert waiting(g.port, target + "a", lines) == (201, "a")
                assert waiting(g.port, target + "c", lines) == (404, "no-route")
                assert waiting(g.port, target + "bb", lines) == (400, "bad-request")
                assert waiting(g.port, target + "b", lines.replace("v" * 255, "v" * 256)) == (404, "no-route")
                assert haproxy_refuses(g.port, target + "c"), "the agent could not read it"
