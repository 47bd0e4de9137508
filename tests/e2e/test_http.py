# SPDX-License-Identifier: MIT
"""HTTP as clients speak it: statuses, refusals that arrive, keep-alive, pipelining, deadlines, drain."""
from email.utils import parsedate_to_datetime

from lib import *

DIR = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d, method: [POST, PUT] }, limits: { body: 4MiB }, fields: [ { name: "*", max_size: 3MiB, store: { to: files, key: "{uuid}" } } ] }
"""


def test_statuses_are_meant_as_they_are():
    small = form(part("a", b"1"))
    with Penstock(DIR) as p:
        def status(data):
            with connect(p.port) as s:
                s.sendall(data)
                return read_answer(s)

        cases = [
            (404, head_of("/nope", len(small)) + small), (405, head_of("/d", len(small), method="PATCH") + small),
            (411, b"POST /d HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n"),
            (415, head_of("/d", len(small), type="application/json") + small),
            (415, head_of("/d", len(small), type="multipart/form-data") + small),
            (415, head_of("/d", len(small), extra="Content-Encoding: gzip\r\n") + small),
            (413, head_of("/d", 5_000_000)), (417, head_of("/d", 10, extra="Expect: 200-ok\r\n")),
            (400, head_of("/d", 4) + b"junk"), (400, head_of("/d", 0)),
        ]
        for want, data in cases:
            answer = status(data)
            assert answer is not None and answer.status == want, (want, answer and answer.status, data[:200])
            told = answer.json()
            assert answer.headers["content-type"] == "application/problem+json" and told["status"] == want, told
            assert {"type", "title", "status", "detail", "request_id"} <= set(told) and answer.headers["x-request-id"] == told["request_id"]
        assert status(head_of("/d", len(small), method="PATCH") + small).headers["allow"] == "POST, PUT"
        for coding in ("gzip", "deflate", "br", "zstd", "x", "identity, gzip"):  # whoever sends it has to be told what to send
            told = status(head_of("/d", len(small), extra=f"Content-Encoding: {coding}\r\n") + small).json()
            assert told["status"] == 415 and "send the body as it is, not compressed" in told["detail"], told
        assert status(head_of("/d", len(small), extra="X-Request-Id: abc-1\r\n") + small).headers["x-request-id"] == "abc-1"
        assert len(p.files()) == 1


def test_malformed_forms_name_the_byte():
    with Penstock(DIR) as p:
        good = part("a", b"1")
        cases = [
            (good + b"--" + BOUNDARY.encode() + b"x", len(good) + 2 + len(BOUNDARY)), (b"preamble" + form(good), 8), (b"x" * 1025 + form(good), 1024), (b"text\r\n--\r\n" + form(good), 6),
            (b"text\r\n\r\n1\r\n" + form(good), 7), (form(good) + b"text\r\n\r\n1", len(form(good)) + 7),
            (form(good).replace(b"\r\n", b"\n"), 2 + len(BOUNDARY)), (good, len(good)),
            (b"\r\n\r\n" + good[:-2] + b"\r\n--" + BOUNDARY.encode() + b" \r\n", 2 + len(good) + 4 + len(BOUNDARY)),
        ]
        for body, offset in cases:
            answer = post(p.port, "/d", body)
            assert answer.status == 400 and answer.json()["offset"] == offset, (answer.body, offset, body)
        assert p.files() == {}


def test_a_preamble_is_skipped():
    with Penstock(DIR) as p:
        for i, text in enumerate((b"This is a message in MIME format.\r\n", b"\r\n", b"x" * 1024 + b"\r\n", b"Content-Type: text/html\r\n\r\n", b"-\r\n")):
            answer = post(p.port, "/d", text + form(part("a", b"1")))
            assert answer.status == 201, (text, answer.body)
            assert len(p.files()) == i + 1 and set(p.files().values()) == {b"1"}


def test_refusals_reach_clients_that_are_still_sending():
    with Penstock(DIR.replace("4MiB", "16MiB")) as p:
        body = form(part("a", noise(5_000_000), "a"))
        for _ in range(rounds(60)):
            assert post(p.port, "/nope", body).status == 404
            assert post(p.port, "/d", body).status == 413
        assert p.files() == {}
        for answer in (post(p.port, "/nope", body), post(p.port, "/d", form(part("a", b"x")))):  # before the body, and behind it
            assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()) < DEADLINE, answer.headers


def test_a_refused_client_never_gets_100():
    with Penstock(DIR) as p:
        for path, length, want in (("/nope", 100, b"404"), ("/d", 50_000_000, b"413")):
            with connect(p.port) as s:
                s.sendall(head_of(path, length, extra="Expect: 100-continue\r\n"))
                first = s.recv(65536)
                assert first.startswith(b"HTTP/1.1 " + want), first
        body = form(part("a", b"1"))
        with connect(p.port) as s:
            s.sendall(head_of("/d", len(body), extra="Expect: 100-continue\r\n"))
            assert s.recv(25).startswith(b"HTTP/1.1 100")
            s.sendall(body)
            assert read_answer(s).status == 201


def test_keep_alive_pipelining_http10_unix_and_odd_chunks():
    body = form(part("a", noise(100_000), "a"))
    with Penstock(DIR) as p:
        with connect(p.port) as s:
            for _ in range(3):
                s.sendall(head_of("/d", len(body)) + body)
                assert read_answer(s).status == 201
        with connect(p.port) as s:
            small = form(part("a", b"1"))
            s.sendall((head_of("/d", len(small)) + small) * 2)
            data = b""
            while data.count(b"HTTP/1.1 201") < 2:
                piece = s.recv(65536)
                assert piece, data
                data += piece
        assert post(p.port, "/d", body, version="1.0").status == 201
        assert post(p.dir + "/in.sock", "/d", body).status == 201
        for size in (3, 4095, 65536, 99_999):
            assert post(p.port, "/d", body, chunk=size).status == 201
        assert sorted(map(len, p.files().values())) == [1, 1] + [100_000] * 9


def test_a_kept_connection_whose_bodies_changed_their_size_is_closed():
    """It has its buffers for life, and was given them by its first body: after two of another size a new one is better."""
    small, large = (form(part("a", noise(n), "a")) for n in (1000, 300_000))
    with Penstock(DIR, workers=1) as p:
        for bodies, is_closed in (([small] * 4, False), ([large] * 4, False), ([small, large, small, large], False), ([small, large, large], True), ([large, small, small], True)):
            with connect(p.port) as s:
                for i, body in enumerate(bodies):
                    s.sendall(head_of("/d", len(body)) + body)
                    answer = read_answer(s)
                    said = answer.headers.get("connection") == "close"
                    assert answer.status == 201 and said == (is_closed and i == len(bodies) - 1), (len(body), i, answer.headers)


def test_clients_that_stay_leave_room_for_those_who_come():
    with Penstock(DIR, head="client: { connections: 4 }") as p, contextlib.ExitStack() as stack:
        body = form(part("a", b"small", "a"))
        for i in range(12):
            s = stack.enter_context(connect(p.port, 20))  # of the 75 s that it may stay
            s.sendall(head_of("/d", len(body)) + body)
            answer = read_answer(s)
            assert answer.status == 201 and (answer.headers.get("connection") == "close") == (i >= 3), (i, answer.headers)


def test_a_silent_client_is_told_408():
    head = "client: { timeout: { head: 3s, idle: 300ms } }"  # a busy machine may stand still between connect() and the head
    with Penstock(DIR, head=head) as p:
        with connect(p.port) as s:
            s.sendall(head_of("/d", 1000) + part("a", b"x")[:50])
            assert read_answer(s).status == 408
        for begun in (b"POST /d HT", b""):
            with connect(p.port) as s:
                s.sendall(begun)
                assert s.recv(100) == b""
        assert p.files() == {}


def test_the_time_of_a_head_runs_from_connecting():
    """A byte that comes late gives its head no more time, neither does a PROXY header."""
    proxy = free_port()
    with Penstock(DIR, head="client: { timeout: { head: 4s } }", listen=f'{{ addr: "127.0.0.1:{proxy}", proxy_protocol: true }}') as p:
        for port, pieces in ((p.port, [b"P"]), (proxy, [b"PROXY UNKNOWN\r\n", b"P"]), (proxy, [b"PROXY UNKNOWN\r\nP"])):
            with connect(port) as s:
                for piece in pieces:
                    time.sleep(3 / len(pieces))
                    s.sendall(piece)
                sent = time.monotonic()
                assert s.recv(10) == b""
                assert time.monotonic() - sent < 3.9, (pieces, "the late byte has begun a time of its own")


def test_sigterm_lets_a_running_upload_finish():
    with Penstock(DIR) as p:
        body = form(part("a", noise(1_000_000), "a"))
        with connect(p.port) as s, connect(p.port) as idle:
            s.sendall(head_of("/d", len(body)) + body[:500_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
            wait_for(lambda: not can_connect(p.port), "nobody new gets in")
            assert idle.recv(10) == b""
            s.sendall(body[500_000:])
            assert read_answer(s).status == 201
        assert p.process.wait(DEADLINE) == 0
        assert len(p.files()) == 1


def test_a_second_sigterm_ends_at_once_and_leaves_nothing():
    with Penstock(DIR) as p:
        with connect(p.port) as s:
            s.sendall(head_of("/d", 900_000) + form(part("a", noise(800_000), "a"))[:500_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
            p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(10) == 0
            assert p.files() == {}


def test_the_drain_ends_when_its_time_is_up():
    with Penstock(DIR, head="shutdown: { drain: 300ms }") as p:
        with connect(p.port) as s:
            s.sendall(head_of("/d", 900_000) + form(part("a", noise(800_000), "a"))[:500_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
            p.process.send_signal(signal.SIGTERM)
            assert read_answer(s).status == 503
            assert p.process.wait(DEADLINE) == 0
            assert p.files() == {}


def test_a_thousand_slow_connections_do_not_hold_up_others():
    if SMALL:
        n = 100
    else:
        n = 1000
    with Penstock(DIR, memory="64MiB") as p:
        body = form(part("a", noise(50_000), "a"))
        slow = [connect(p.port) for _ in range(n)]
        for s in slow:
            s.sendall(head_of("/d", len(body)) + body[:1000])
        for _ in range(20):
            assert post(p.port, "/d", form(part("b", noise(2_000_000), "b"))).status == 201
        for at in range(1000, len(body), 7000):
            for s in slow:
                s.sendall(body[at:at + 7000])
        for s in slow:
            assert read_answer(s).status == 201
            s.close()
        assert sorted(map(len, p.files().values())) == [50_000] * n + [2_000_000] * 20


def test_response_can_be_nothing_or_the_upstreams():
    def script(request):
        request.read_all()
        request.answer(202, b"made", "Content-Type: text/x\r\nLocation: /there\r\nConnection: close\r\n")
        return "done"

    routes = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}/base" }
routes:
  - { id: n, match: { path: /n }, fields: [ { name: a, max_count: 1, store: { to: up, path: "/x" } } ], response: { status: 200, json: none } }
  - { id: f, match: { path: /f }, fields: [ { name: a, max_count: 1, store: { to: up, path: "/y" } } ], response: { from: upstream } }
"""
    with Upstream(script) as up, Penstock(routes, up) as p:
        answer = post(p.port, "/n", form(part("a", b"1")))
        assert answer.status == 200 and answer.body == b""
        answer = post(p.port, "/f", form(part("a", noise(40_000))))
        assert answer.status == 202 and answer.body == b"made" and answer.headers["location"] == "/there"
        assert answer.headers["content-type"] == "text/x" and up.seen[1].path == "/base/y"


def test_the_upstreams_answer_is_passed_on_whole_or_without_its_body():
    def script(request):
        request.read_all()
        body, head = ANSWERS[request.headers["x-request-id"]]
        request.answer(202, body, extra=head + "Connection: close\r\n")
        return "done"

    ANSWERS = {"fits": (b"\0\xff" * 32768, "Content-Type: a/b\r\nLocation: /x\r\nSet-Cookie: a=b\r\n"), "over": (b"y" * 65537, "Content-Type: a/b\r\nLocation: /x\r\n"),
               "encoded": (b"\x1f\x8b\x08", "Content-Type: a/b\r\nLocation: /x\r\nContent-Encoding: gzip\r\n"),
               "control": (b"z", "Content-Type: a/\x01b\r\nLocation: /x\x7f\r\n")}
    routes = """destinations: { up: { type: http, url: "http://127.0.0.1:{up}" } }
routes: [ { id: u, response: { from: upstream }, fields: [ { name: a, max_count: 1, store: { to: up, path: "/{uuid}" } } ] } ]
"""
    with Upstream(script) as up, Penstock(routes, up) as p:
        for name, (body, _) in ANSWERS.items():
            answer = post(p.port, "/", form(part("a", b"1", "f")), extra=f"X-Request-Id: {name}\r\n")
            whole = name in ("fits", "control")
            assert answer.status == 202 and answer.body == (body if whole else b""), f"{name}: {answer.status} {len(answer.body)}"
            assert answer.headers.get("location") == (None if name == "control" else "/x"), answer.headers
            assert answer.headers.get("content-type") == ("a/b" if name == "fits" else None) and "set-cookie" not in answer.headers, answer.headers


def test_an_upstream_behind_a_unix_socket():
    folder = tempfile.mkdtemp(prefix="penstock-unix-")
    try:
        with Upstream() as up:
            path = os.path.join(folder, "up.sock")
            up.listen_unix(path)
            routes = f"""destinations:
  up: {{ type: http, url: "unix:{path}", host: inside.example }}
routes:
  - {{ id: u, match: {{ path: /u }}, fields: [ {{ name: "*", store: {{ to: up, path: "/{{part}}" }} }} ] }}
"""
            with Penstock(routes) as p:
                data = noise(200_000)
                assert post(p.port, "/u", form(part("a", data), part("b", b"small"))).status == 201
            assert up.store == {"/1": data, "/2": b"small"} and up.seen[0].headers["host"] == "inside.example"
    finally:
        shutil.rmtree(folder)


def test_an_upstream_with_a_certificate_of_its_own_authority():
    folder = tempfile.mkdtemp(prefix="penstock-tls-")
    try:
        cert, key = certificate(folder)
        with Upstream(tls=(cert, key)) as up:
            routes = """destinations:
  up: { type: http, url: "https://127.0.0.1:{up}"CA, retry: { connect: 0 } }
routes:
  - { id: u, match: { path: /u }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }
"""
            with Penstock(routes.replace("CA", f', tls: {{ ca: {{ file: "{cert}" }} }}'), up) as p:
                data = noise(300_000)
                assert post(p.port, "/u", form(part("a", data))).status == 201
                assert up.store == {"/1": data}
            with Penstock(routes.replace("CA", ""), up) as p:
                answer = post(p.port, "/u", form(part("a", noise(300_000))))
                assert answer.status == 502 and "certificate" in answer.json()["detail"], answer.body
    finally:
        shutil.rmtree(folder)
