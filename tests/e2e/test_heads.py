# SPDX-License-Identifier: MIT
"""Heads that nearly fill the memory that a connection has for them. libmicrohttpd 1.0 then moves the body to where such a head ends, before it shows the head."""
from lib import *
from test_ops import Admin, get

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", max_count: 1, store: { to: files, key: "{request_id}" } } ] }
"""
BODY = form(part("a", b"this is whole"))
LENGTH, CHUNKS = f"Content-Length: {len(BODY)}\r\n", "Transfer-Encoding: chunked\r\n"
# Bytes of heads: of a client who says that little comes, and of one who does not say how much. The memory is full at half of 64 KiB and
# of 256 KiB, and again each time that it has grown.
SMALL_HEADS, LARGE_HEADS = range(30000, 60001, 211), range(131072 - 1700, 131072 + 200, 97)


def padded(size, before, end, fill="X-Fill: "):
    """A head of so many bytes that begins and ends with these."""
    head = f"POST /d HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n{before}{fill}"
    return (head + "x" * (size - len(head) - len(end)) + end).encode("latin-1")


def status_of(p, data):
    """0: none came."""
    with connect(p.port) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
        answer = read_answer(s)
        return answer.status if answer is not None else 0


def test_a_head_of_any_length_is_read():
    kinds = [  # the sizes, what the head begins and ends with, the body
        (SMALL_HEADS, LENGTH, "\r\n\r\n", BODY), (SMALL_HEADS, "", f"\r\n{LENGTH}\r\n", BODY),
        (LARGE_HEADS, CHUNKS, "\r\n\r\n", chunked(BODY)), (LARGE_HEADS, "", f"\r\n{CHUNKS}\r\n", chunked(BODY)),
    ]
    with Penstock(ROUTES) as p:
        for sizes, before, end, body in kinds:
            for size in sizes:
                assert status_of(p, padded(size, before, end) + body) == 201, (size, before, end)
        taken = p.files()
        assert len(taken) == sum(len(sizes) for sizes, *_ in kinds) and set(taken.values()) == {b"this is whole"}


def test_one_that_is_broken_is_refused_however_long():
    kinds = [(SMALL_HEADS[::5], LENGTH, end, BODY) for end in (
        "\r\nX: y\n\r\n", "\r\nX: y\r\n\n", "\r\nX: y\n\n", "\n\n", "\r\nX: y\0\r\n\r\n", "\r\n\0\r\n\r\n", "\0\r\n\r\n", "\r\r\n\r\n",
        "\r\n \r\n\r\n", "\r\nX: y\r\n z\r\n\r\n", f"\r\n{CHUNKS}\r\n", f"\nX-Next: y\r\n{CHUNKS}\r\n", "\r\nX y\r\n\r\n", "\r\nX : y\r\n\r\n")]
    kinds += [(LARGE_HEADS[::3], "", f"\r\n{end}", chunked(BODY)) for end in (
        "Transfer-Encoding: chunked \r\n\r\n", "Transfer-Encoding: chunked\t\r\n\r\n", "Transfer-Encoding: chunked\n\r\n",
        "Transfer-Encoding: chunked\0\r\n\r\n", f"{CHUNKS}\n", f"{CHUNKS}{LENGTH}\r\n")]
    with Penstock(ROUTES) as p:
        for sizes, before, end, body in kinds:
            for size in sizes:
                assert status_of(p, padded(size, before, end) + body) in (0, 400), (size, before, end)
        assert not p.files() and status_of(p, padded(40000, LENGTH, "\r\n\r\n") + BODY) == 201


def test_a_connection_that_began_with_little_reads_a_long_one():
    """And refuses one that is longer than the memory that it was given."""
    refused = 0
    with Penstock(ROUTES) as p:
        for size in (*range(15000, 38000, 499), *range(19300, 20600, 97), *range(38000, 66000, 211)):
            with connect(p.port) as s:
                s.sendall(head_of("/d", len(BODY)) + BODY)
                assert read_answer(s).status == 201
                with contextlib.suppress(ConnectionError):
                    s.sendall(padded(size, LENGTH, "\r\n\r\n") + BODY)
                answer = read_answer(s)
                status = answer.status if answer is not None else 0
                assert status == 201 if size < 38000 else status in (0, 201, 431), (size, status)
                refused += status != 201
        assert refused > 0 and set(p.files().values()) == {b"this is whole"}


def test_bodies_of_all_sizes_come_over_connections_that_are_kept():
    sizes = [100, 15000, 16500, 20000, 120000, 150000, 900_000, 100, 100, 100, 30000, 100, 300000, 300000, 300000, 100, 100, 100, 100]
    with Penstock(ROUTES) as p:
        s, n = connect(p.port), 0
        for size in sizes:
            body = form(part("a", b"x" * size))
            s.sendall(head_of("/d", len(body)) + body)
            answer = read_answer(s)
            assert answer.status == 201, (size, answer.status)
            n += 1
            if answer.headers.get("connection") == "close":
                s.close()
                s = connect(p.port)
        s.close()
        assert sorted(len(content) for content in p.files().values()) == sorted(sizes)


def bare(size, query):
    """A request of so many bytes that is one line."""
    end = f"?{query} HTTP/1.0\r\n\r\n"
    return ("GET /" + "x" * (size - 5 - len(end)) + end).encode()


def test_one_without_a_line_ends_nobody():
    with Admin(ROUTES) as p:
        for query in ("b", "b=c", "", "a=b&c", "&", "=&="):
            for size in LARGE_HEADS:
                for behind in (b"", b"GET /x HTTP/1.1\r\n"):
                    assert status_of(p, bare(size, query) + behind) == 400, (query, size, behind)
            for size in (*range(19300, 20600, 97), *range(31000, 32800, 97)):  # a connection that was given little memory
                with connect(p.port) as s:
                    s.sendall(head_of("/d", len(BODY)) + BODY)
                    assert read_answer(s).status == 201
                    s.sendall(bare(size, query))
                    assert read_answer(s).status == 400, (query, size)
            for size in range(6600, 8250, 97):
                with connect(p.admin) as s:
                    s.sendall(bare(size, query))
                    assert read_answer(s).status == 404, (query, size)
        assert get(p.admin, "/livez").status == 200 and get(p.admin, "/livez?verbose").status == 200


def test_the_sink_bears_them_too():
    sink = subprocess.Popen([BINARY, "sink", "--port", "0", "--discard"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(sink.stdout.readline().rsplit(":", 1)[1])
        for size in range(524288 - 1700, 524288 + 50, 211):
            with connect(port) as s:
                s.sendall(bare(size, "b"))
                assert read_answer(s).status == 200, size
    finally:
        sink.terminate()
        assert sink.wait(DEADLINE) == 0
        sink.stdout.close()
