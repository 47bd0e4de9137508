# SPDX-License-Identifier: MIT
"""What a store refuses: hidden, or the client's answer too, with what it says of when to come again."""
from lib import *
from test_ops import Admin, read_metrics

ROUTES = """destinations:
  hides: { type: http, url: "http://127.0.0.1:{up}/hides" }
  passes: { type: http, url: "http://127.0.0.1:{up}/passes", errors: pass }
  again: { type: http, url: "http://127.0.0.1:{up}/again", errors: pass, undo: DELETE }
routes:
  - { id: hides, match: { path: /hides }, fields: [ { name: "*", store: { to: hides, path: "/{uuid}" } } ] }
  - { id: passes, match: { path: /passes }, fields: [ { name: "*", store: { to: passes, path: "/{uuid}" } } ] }
  - { id: each, match: { path: /each }, commit: each, fields: [ { name: "*", store: { to: passes, path: "/{part}" } } ] }
  - { id: both, match: { path: /both }, fields: [ { name: a, max_count: 1, store: { to: passes, path: "/a" } },
        { name: b, max_count: 1, store: { to: again, path: "/b" } } ] }
"""
SIZES = (3, 70_000)  # kept, and streamed
PASSED = (401, 403, 404, 409, 412, 413, 415, 429, 503)
CHALLENGE = 'Bearer realm="store"'


def says(status, lines="", of=lambda request: True):
    def script(request):
        if request.method == "DELETE" or not of(request):
            return None
        request.read_all()
        request.socket.sendall(f"HTTP/1.1 {status} No\r\n{lines}Connection: close\r\nContent-Length: 9\r\n\r\nits words".encode())
        return "done"
    return script


def test_a_refusal_is_hidden_or_passed_on():
    for status in PASSED + (400, 405, 411, 422, 500):
        with Upstream(says(status, f"WWW-Authenticate: {CHALLENGE}\r\nRetry-After: 60\r\nX-Own: 1\r\n")) as up, Penstock(ROUTES, up) as p:
            for route in ("hides", "passes"):
                for size in SIZES:
                    answer, want = post(p.port, f"/{route}", form(part("a", noise(size), "f"))), status if route == "passes" and status in PASSED else 502
                    told = answer.json()
                    assert answer.status == want and told["status"] == want, (route, status, answer.status, answer.body)
                    assert answer.headers["content-type"] == "application/problem+json" and "x-own" not in answer.headers, answer.headers
                    assert told["field"] == "a" and told["detail"].startswith(f'destination "{route}" answered {status}'), told
                    assert told["type"] == "urn:penstock:problem:" + ("upstream" if want == 502 else "upstream-refused") and "parts" not in told, told
                    assert answer.headers.get("retry-after") == ("60" if status in (413, 429, 503) else None), (status, answer.headers)
                    assert answer.headers.get("www-authenticate") == (CHALLENGE if want == 401 else None), answer.headers


def test_whatever_a_destination_fails_with_names_the_field():
    for status in (400, 504, 507):
        with Upstream(says(status)) as up, Penstock(ROUTES, up) as p:
            for size in SIZES:
                answer = post(p.port, "/hides", form(part("a", noise(size), "f")))
                assert answer.status == max(status, 502) and answer.json().get("field") == "a", answer.body


def test_a_401_that_asks_for_nothing_is_hidden():
    for lines in ("", "WWW-Authenticate:\r\n", "WWW-Authenticate: " + "a" * 600 + "\r\n", "WWW-Authenticate: Basic\r\n realm=a\r\n"):
        with Upstream(says(401, lines)) as up, Penstock(ROUTES, up) as p:
            answer = post(p.port, "/passes", form(part("a", b"x", "f")))
            assert answer.status == 502 and "without a WWW-Authenticate" in answer.json()["detail"], answer.body
            assert "www-authenticate" not in answer.headers


def test_a_browser_sees_a_page():
    with Upstream(says(413)) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/passes", form(part("a", b"x", "f")), extra="Accept: text/html\r\n")
        assert answer.status == 413 and b"<h1>Content Too Large</h1>" in answer.body and b"<dd>a</dd>" in answer.body, answer.body


def test_what_is_refused_while_the_body_comes_in_reaches_who_sends():
    def early(request):
        request.socket.sendall(b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        with contextlib.suppress(OSError):
            while request.socket.recv(65536):
                pass
        return "done"
    with Upstream(early) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/passes", form(part("a", noise(4_000_000), "f")))
        assert answer.status == 413 and answer.json()["field"] == "a", answer.body


def test_a_time_of_day_is_told_in_seconds_by_the_stores_clock():
    date = "Date: Fri, 31 Dec 1999 23:59:00 GMT\r\n"
    for lines, want in ((date + "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", "59"), ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", "1")):
        with Upstream(says(503, lines)) as up, Penstock(ROUTES, up) as p:
            answer = post(p.port, "/passes", form(part("a", b"x", "f")))
            assert answer.status == 503 and answer.headers["retry-after"] == want, (answer.status, answer.headers)


def test_of_several_refusals_the_first_is_told():
    """Small objects are sent at the end of the form, in its order; the second is given up with the first."""
    with Upstream(says(409, of=lambda r: r.path == "/passes/a")) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/both", form(part("b", b"2", "g"), part("a", b"1", "f")))
        assert answer.status == 409 and answer.json()["field"] == "a", answer.body
        assert up.store == {}  # what was there has been taken back
    with Upstream(says(403)) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/both", form(part("b", b"2", "g"), part("a", b"1", "f")))
        first = up.seen[0].path
        assert answer.status == 403 and answer.json()["field"] == {"/passes/a": "a", "/again/b": "b"}[first], (first, answer.body)


def test_what_is_there_all_the_same_is_told():
    with Upstream(says(415, of=lambda r: r.path == "/passes/2")) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/each", form(part("a", b"1", "f"), part("b", b"2", "g")))
        told = answer.json()
        assert answer.status == 415 and told["field"] == "b", told
        assert [(x["state"], x["upstream_status"]) for x in told["parts"]] == [("committed", 201), ("aborted", 415)], told


def test_the_log_and_the_metrics_know_it():
    with Upstream(says(429, "Retry-After: 5\r\n")) as up, Admin(ROUTES, up) as p:
        assert post(p.port, "/passes", form(part("a", b"x", "f"))).status == 429
        wait_for(lambda: read_metrics(p).get('penstock_request_errors_total{error="upstream-refused"}') == 1, "it is counted")
        line = wait_for(p.requests, "the line of the log")[0]
        assert (line["level"], line["status"], line["error"]) == ("warn", 429, "upstream-refused"), line
