# SPDX-License-Identifier: MIT
"""Which requests go over a connection that was kept: those that can be sent again. A server may close it at any moment."""
from lib import *

ROUTES = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}" }
  always: { type: http, url: "http://127.0.0.1:{up}", reuse: always }
  undo: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE }
routes:
  - { id: up, match: { path: /up }, fields: [ { name: "*", store: { to: up, path: "/{uuid}" } } ] }
  - { id: kept, match: { path: /kept }, fields: [ { name: "*", buffer: true, max_size: 1MiB, store: { to: up, path: "/{uuid}" } } ] }
  - { id: post, match: { path: /post }, fields: [ { name: "*", store: { to: up, method: POST, path: /post } } ] }
  - { id: always, match: { path: /always }, fields: [ { name: "*", store: { to: always, method: POST, path: /post } } ] }
  - { id: together, match: { path: /together }, fields: [ { name: "*", concat: { to: up, path: "/{uuid}" } } ] }
"""
KINDS = {"small": ("/up", 2_000), "buffered": ("/kept", 200_000), "streamed": ("/up", 70_000), "concat": ("/together", 3_000)}


def closing(reset):
    """A store that answers and, 0 to 20 ms later, closes the connection that it let the other side keep."""
    def script(request):
        if not request.read_all():
            return "done"
        with request.upstream.lock:
            request.upstream.store[request.path] = bytes(request.body)
            wait = len(request.upstream.store) % 21
        request.answer(201)
        time.sleep(wait / 1000)  # part of what the store does, and not waited for by the test
        return request.reset() if reset else "done"
    return script


def test_a_store_that_closes_kept_connections_fails_no_upload():
    for reset in (False, True):
        for kind, (path, size) in KINDS.items():
            with Upstream(closing(reset)) as up, Penstock(ROUTES, up) as p:
                bodies = {}
                for i in range(rounds(100)):
                    data = noise(size, i % 5)
                    answer = post(p.port, path, form(part("f", data, "a")))
                    assert answer.status == 201, (kind, reset, i, answer.status, answer.body)
                    bodies[answer.json()["parts"][0]["target"]] = data
                assert up.store == bodies, (kind, reset)


def count_connections(up):
    """How many connections its requests came over: each has a reader of its own."""
    return len({id(request.reader) for request in up.seen})


def test_what_can_be_sent_again_is_sent_over_kept_connections_and_streams_are_not():
    for kind, (path, size) in KINDS.items():
        with Upstream() as up, Penstock(ROUTES, up) as p:
            for i in range(10):
                assert post(p.port, path, form(part("f", noise(size, i), "a"))).status == 201
            assert len(up.seen) == 10
            assert count_connections(up) == (10 if kind == "streamed" else 1), (kind, count_connections(up))
            if kind == "streamed":
                wait_for(lambda: not up.open, "no connection is kept that nobody would use")


def test_a_kept_connection_ends_however_busy_it_is():
    """Else what it was made with, the address behind a name and whom to trust, would hold for as long as there are forms."""
    with tempfile.TemporaryDirectory() as folder, Upstream() as up:
        ahead = os.path.join(folder, "ahead")
        with Penstock(ROUTES, up, env=with_shim(folder, "clock_ahead.c", AHEAD=ahead)) as p:
            for _ in range(10):
                assert post(p.port, "/up", form(part("f", b"small", "a"))).status == 201
                with open(ahead, "ab") as f:
                    f.write(bytes(10))
        assert len(up.seen) == 10 and count_connections(up) in (3, 4), count_connections(up)


def swallowing(n):
    """A store that answers the first n requests of a connection, and takes the next without an answer."""
    def script(request):
        request.upstream.taken = getattr(request.upstream, "taken", collections.Counter())
        request.upstream.taken[id(request.reader)] += 1
        if not request.read_all() or request.upstream.taken[id(request.reader)] > n:
            return "done"
        request.answer(201)
        return "next"
    return script


def test_a_post_is_never_sent_twice():
    """Neither by penstock nor by libcurl, which would, up to five times, where a connection that it kept has died."""
    for path, answers in (("/post", [201] * 6), ("/always", [201, 502] * 3)):
        with Upstream(swallowing(1)) as up, Penstock(ROUTES, up) as p:
            told = [post(p.port, path, form(part("f", b"small", "a"))) for _ in answers]
            assert [a.status for a in told] == answers, (path, [(a.status, a.body) for a in told])
            assert len(up.seen) == len(answers), (path, len(up.seen))
            for answer in told:
                if answer.status == 502:
                    assert answer.json()["parts"][0]["state"] == "unknown", answer.body


def test_a_put_whose_kept_connection_dies_is_sent_once_more_and_only_once():
    with Upstream(swallowing(1)) as up, Penstock(ROUTES, up) as p:
        for _ in range(6):
            assert post(p.port, "/up", form(part("f", b"small", "a"))).status == 201
        assert len(up.seen) == 11, len(up.seen)  # each but the first found a kept connection, dead, and asked once more
    with Upstream(swallowing(0)) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/up", form(part("f", b"small", "a")))
        assert answer.status == 502 and answer.json()["parts"][0]["state"] == "unknown", answer.body
        assert len(up.seen) == 1, "over a new connection nothing is sent again"


def test_a_refusal_of_what_was_sent_before_denies_nothing():
    """The store may be speaking of what it has got over the connection that died."""
    def script(request):
        n = len(request.upstream.seen)
        if not request.read_all() or n == 2:
            return "done"
        request.answer(201 if n == 1 else 412)
        return "next"
    with Upstream(script) as up, Penstock(ROUTES, up) as p:
        assert post(p.port, "/up", form(part("f", b"small", "a"))).status == 201
        answer = post(p.port, "/up", form(part("f", b"small", "a")))
        assert len(up.seen) == 3, up.seen
        assert answer.status == 502 and answer.json()["parts"][0]["state"] == "unknown", answer.body


def test_what_a_record_of_tls_holds_behind_an_answer_is_no_answer():
    """It was decrypted together with the answer's end, so the socket has nothing of it."""
    def script(request):
        if not request.read_all():
            return "done"
        if len(request.upstream.seen) > 1:
            request.answer(500)
            return "next"
        request.socket.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 3\r\n\r\n")
        request.socket.sendall(b"abcHTTP/1.1 201 Nobody Asked\r\nContent-Length: 0\r\n\r\n")
        return "next"
    with tempfile.TemporaryDirectory() as at:
        pair = certificate(at)
        routes = ROUTES.replace('"http://127.0.0.1:{up}"', f'"https://127.0.0.1:{{up}}", tls: {{ ca: {{ file: "{pair[0]}" }} }}')
        with Upstream(script, tls=pair) as up, Penstock(routes, up) as p:
            assert post(p.port, "/up", form(part("f", b"small", "a"))).status == 201
            answer = post(p.port, "/up", form(part("f", b"small", "a")))
            assert answer.status == 502 and "answered 500" in answer.json()["detail"], answer.body
            assert count_connections(up) == 2, up.seen
