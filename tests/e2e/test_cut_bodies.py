# SPDX-License-Identifier: MIT
"""A body that a client or a gateway cuts is an abort, wherever it is cut: nothing visible, no temporary file."""
from front import *

TWO = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}" }
  files: { type: directory, path: "{dir}/out" }
routes:
  - id: two
    match: { path: /two }
    fields:
      - { name: f, store: { to: files, key: "{uuid}" } }
      - { name: u, store: { to: up, path: "/{part}" } }
"""
SHORT = form(part("f", b"1"), part("u", b"2"))
LONG = form(part("f", noise(300_000), "f"), part("u", noise(300_000, 2), "u"))


def cut(port, data, reset=False):
    with connect(port) as s:
        if reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.sendall(data)


def check_nothing_is_left(p, up, n):
    """n: how many requests have come so far, if that is known."""
    wait_for(lambda: n is None or len(p.requests()) >= n, "the aborts are noticed")
    wait_for(lambda: os.listdir(p.out) == [], "no file and no temporary file is left")
    assert up.store == {}
    assert {r["status"] for r in p.requests()} <= {499, 400}, p.requests()


def test_chunks_cut_after_each_byte():
    stream = chunked(SHORT, 100)
    with Upstream() as up, Penstock(TWO, up) as p:
        for n in range(len(stream)):
            cut(p.port, head_of("/two") + stream[:n])
        check_nothing_is_left(p, up, len(stream))
        assert post(p.port, "/two", SHORT, chunk=100).status == 201  # and whole it is good


def test_a_length_cut_after_each_byte():
    with Upstream() as up, Penstock(TWO, up) as p:
        for n in range(len(SHORT)):
            cut(p.port, head_of("/two", len(SHORT)) + SHORT[:n])
        check_nothing_is_left(p, up, len(SHORT))


def test_a_form_that_is_whole_in_a_body_that_is_not():
    """The last boundary has come, what HTTP says of the body's end has not."""
    with Upstream() as up, Penstock(TWO, up) as p:
        n = 0
        for body in (SHORT, LONG):
            ends = [head_of("/two", len(body) + 2) + body, head_of("/two", len(body) + 1000) + body + b"\r\n"]
            ends += [head_of("/two") + b"%x\r\n" % len(body) + body + end for end in (b"", b"\r", b"\r\n", b"\r\n0", b"\r\n0\r", b"\r\n0\r\n", b"\r\n0\r\n\r", b"\r\n0\r\nX: y\r\n")]
            for data in ends:
                for reset in (False, True):
                    cut(p.port, data, reset)
                n += 1  # a reset may overtake the head
        check_nothing_is_left(p, up, n)


def test_chunks_that_break_are_refused():
    with Upstream() as up, Penstock(TWO, up) as p:
        first, rest = LONG[:200_000], LONG[200_000:]
        head = head_of("/two") + b"%x\r\n" % len(first) + first
        for broken in (b"x" * 100, b"\r\nzz\r\n" + rest, b"\r\n-5\r\n" + rest, b"\r\n" + b"f" * 17 + b"\r\n" + rest, b"\r\n\r\n" + rest):
            with connect(p.port) as s:
                with contextlib.suppress(ConnectionError):
                    s.sendall(head + broken)
                answer = read_answer(s)
                assert answer is None or answer.status in (400, 413), answer.status
        check_nothing_is_left(p, up, 5)


def test_what_haproxy_cuts_for_its_client():
    with Upstream() as up, Penstock(TWO, up) as p, Haproxy(f"127.0.0.1:{p.port}") as h:
        for n in list(range(0, len(LONG), 61_003)) + [len(LONG) - 1]:
            for data in (head_of("/two", len(LONG)) + LONG[:n], head_of("/two") + b"%x\r\n" % len(LONG) + LONG[:n], head_of("/two") + chunked(LONG, 9000)[:n]):
                for reset in (False, True):
                    cut(h.port, data, reset)
        with connect(h.port) as s:  # a slow HAProxy may see all of those leave before it has passed on anything
            s.sendall(head_of("/two", len(LONG)) + LONG[:400_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
        wait_for(lambda: p.requests(), "some have come")
        with Haproxy(f"127.0.0.1:{p.port}", timeout=3) as impatient, connect(impatient.port) as s:  # its own timeout cuts
            s.sendall(head_of("/two", len(LONG)) + LONG[:400_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
            answer = read_answer(s)
            assert answer is None or answer.status >= 400, answer.status
        check_nothing_is_left(p, up, None)
        assert post(h.port, "/two", LONG).status == 201


def test_haproxy_that_dies_in_the_middle():
    with Upstream() as up, Penstock(TWO, up) as p, Haproxy(f"127.0.0.1:{p.port}") as h:
        uploads = [connect(h.port) for _ in range(8)]
        for i, s in enumerate(uploads):
            s.sendall((head_of("/two", len(LONG)) if i % 2 else head_of("/two") + b"%x\r\n" % len(LONG)) + LONG[:500_000])
        wait_for(lambda: len(os.listdir(p.out)) == len(uploads), "all have begun")
        h.process.kill()
        check_nothing_is_left(p, up, len(uploads))
        assert {r["status"] for r in p.requests()} == {499}
        for s in uploads:
            s.close()
