# SPDX-License-Identifier: MIT
"""What a store refuses, and when it asks to come again, reaches the client through HAProxy: by rules alone, the agent and the filter."""
from gw import *
from lib import *

ROUTES = """destinations:
  passes: { type: http, url: "http://127.0.0.1:{up}", errors: pass }
  hides: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: passes, match: { path: /passes }, fields: [ { name: a, store: { to: passes, path: "/{uuid}" } } ] }
  - { id: hides, match: { path: /hides }, fields: [ { name: a, store: { to: hides, path: "/{uuid}" } } ] }
"""


def busy(request):
    request.read_all()
    request.answer(request.upstream.status, extra='Retry-After: 60\r\nWWW-Authenticate: Bearer realm="x"\r\nConnection: close\r\n')
    return "done"


def busy_at_once(request):
    request.answer(request.upstream.status, extra="Retry-After: 60\r\nConnection: close\r\n")
    with contextlib.suppress(OSError):
        while request.socket.recv(65536):
            pass
    return "done"


def check(programs, head="", **how):
    for script, size in ((busy, 3), (busy, 70_000), (busy_at_once, 2_000_000)):
        with Upstream(script) as up, Penstock(ROUTES, up, head) as p:
            for version, program in programs().items():
                with Gateway(p, program, **how) as g:
                    for up.status in (429, 503) if script is busy_at_once else (401, 429, 503):
                        for path, status in (("/passes", up.status), ("/hides", 502)):
                            answer = post(g.port, path, form(part("a", noise(size), "f")))
                            what = (version, path, up.status, answer.status, answer.headers, answer.body)
                            assert is_problem(answer, status, "upstream" if status == 502 else "upstream-refused") and answer.json()["field"] == "a", what
                            assert answer.headers.get("retry-after") == (None if up.status == 401 else "60"), what
                            assert answer.headers.get("www-authenticate") == ('Bearer realm="x"' if status == 401 else None), what


def test_behind_rules_alone():
    check(haproxies)


def test_behind_the_agent():
    check(haproxies, AGENT)


def test_behind_the_filter():
    check(with_filter, native=True)
