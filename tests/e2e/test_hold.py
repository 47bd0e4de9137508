# SPDX-License-Identifier: MIT
"""A part that is sent, and may not be complete before the rest of its form is in, must not be silent for long: stores give up
on a silent body. One byte at a time of its tail is let out."""
from lib import *

SILENCE = 2.0  # seconds after which the store gives up

ROUTES = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}", hold: { every: 100ms, tail: 1KiB } }
  silent: { type: http, url: "http://127.0.0.1:{up}", hold: { every: none } }
routes:
  - { id: up, match: { path: /up }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }
  - { id: silent, match: { path: /silent }, fields: [ { name: "*", store: { to: silent, path: "/{part}" } } ] }
  - { id: each, match: { path: /each }, commit: each, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }
"""
FIRST, SECOND = noise(100_000, 1), noise(90_000, 2)


def impatient(request):
    """Answers 408 to a body that is silent for too long."""
    request.arrivals = []
    request.socket.settimeout(SILENCE)
    try:
        while request.read_some():
            request.arrivals.append(len(request.body))
    except TimeoutError:
        request.socket.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        return "done"
    request.socket.settimeout(None)
    return None if request.complete else "done"


def begin(p, path):
    """A form whose first file is in, and the second one on its way."""
    body = form(part("a", FIRST, "a.bin"), part("b", SECOND, "b.bin"))
    cut = body.index(b'name="b"')
    s = connect(p.port)
    s.sendall(head_of(path, len(body)) + body[:cut])
    return s, body[cut:]


def test_a_held_part_outlives_a_store_that_gives_up_on_silence():
    with Upstream(impatient) as up, Penstock(ROUTES, up) as p:
        s, rest = begin(p, "/up")
        with s:
            enough = int(SILENCE * 2 / 0.1)
            wait_for(lambda: up.seen and len(getattr(up.seen[0], "arrivals", [])) > enough, "more bytes than silence would bear")
            held = len(up.seen[0].body)
            assert len(FIRST) - 1024 < held < len(FIRST), held
            assert up.store == {}
            s.sendall(rest)
            assert read_answer(s).status == 201
        assert up.store == {"/1": FIRST, "/2": SECOND}


def test_silence_is_kept_where_the_route_file_says_so_and_408_names_the_remedy():
    with Upstream(impatient) as up, Penstock(ROUTES, up) as p:
        s, rest = begin(p, "/silent")
        with s:
            answer = read_answer(s)
            assert answer.status == 502, answer.body
            detail = answer.json()["detail"]
            assert "answered 408" in detail and "holding" in detail and "`hold`" in detail and "`buffer: true`" in detail, detail
        assert up.store == {}


def test_what_is_held_back_is_all_there_after_the_commit_however_it_came():
    for size in (65_537, 66_559, 66_560, 66_561, 98_304, 99_327, 99_328, 99_329, 140_000):
        with Upstream() as up, Penstock(ROUTES, up) as p:
            data = noise(size, size)
            body = form(part("a", data, "a"))
            for path in ("/up", "/each", "/silent"):
                up.store.clear()
                with connect(p.port) as s:
                    s.sendall(head_of(path, len(body)))
                    for i in range(0, len(body), 1_777):
                        s.sendall(body[i:i + 1_777])
                    assert read_answer(s).status == 201
                assert up.store == {"/1": data}, (size, path, len(up.store.get("/1", b"")))
