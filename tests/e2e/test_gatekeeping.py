# SPDX-License-Identifier: MIT
"""What decide() says for load and length arrives at clients, and what is refused is refused before its body."""
from lib import *

DIR = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: few, match: { path: /few }, limits: { concurrent: 2 }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: one, match: { path: /one }, limits: { concurrent: 1, length: required }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: any, match: { path: /any }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
UP = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}", timeout: { idle: 50s } }
routes:
  - { id: up, match: { path: /up }, limits: { concurrent: 5 }, fields: [ { name: "*", store: { to: up, path: "/{uuid}" } } ] }
"""
BODY = form(part("a", noise(1000), "a"))
HALF = len(BODY) // 2


def try_to_begin(p, path="/few"):
    """A request that has come in: it is known to be counted when it is told to go on. None: it is refused."""
    s = connect(p.port)
    s.sendall(head_of(path, len(BODY), extra="Expect: 100-continue\r\n"))
    if s.recv(100).startswith(b"HTTP/1.1 100"):
        return s
    s.close()
    return None


def begin(p, path="/few"):
    s = try_to_begin(p, path)
    assert s is not None, "it is refused"
    return s


def refused(answer, status, limit=None):
    told = answer.json()
    assert (answer.status, told["status"], told.get("limit")) == (status, status, limit), answer.body
    assert (int(answer.headers["retry-after"]) > 0) if status in (429, 503) else "retry-after" not in answer.headers, answer.headers
    return True


def test_over_concurrent_is_429_until_one_is_over():
    with Penstock(DIR, workers=2) as p:
        running = [begin(p), begin(p)]
        for _ in range(3):
            refused(post(p.port, "/few", BODY), 429, "concurrent")
        with connect(p.port) as s:  # who waits for 100 is refused instead of told to go on
            s.sendall(head_of("/few", len(BODY), extra="Expect: 100-continue\r\n"))
            assert s.recv(100).startswith(b"HTTP/1.1 429")
        assert post(p.port, "/any", BODY).status == 201  # other routes have their own count
        running[0].sendall(BODY)
        assert read_answer(running[0]).status == 201
        assert wait_for(lambda: post(p.port, "/few", BODY).status == 201, "its place is free")
        running[1].close()  # an abort gives its place back too
        wait_for(lambda: [r for r in p.requests() if r["status"] == 499], "the abort is noticed")
        # a place is given back after the answer, and after the line in the log
        again = [wait_for(lambda: try_to_begin(p), "a place is free") for _ in range(2)]
        refused(post(p.port, "/few", BODY), 429, "concurrent")
        for s in again:
            s.close()
        running[0].close()


def test_a_refused_upload_takes_no_place():
    with Penstock(DIR) as p:
        for _ in range(5):
            assert post(p.port, "/one", b"junk").status == 400
            assert post(p.port, "/one", BODY, type="text/plain").status == 415
            refused(post(p.port, "/one", BODY, chunk=100), 411, "length")
        with begin(p, "/one") as s:
            refused(post(p.port, "/one", BODY), 429, "concurrent")
            s.sendall(BODY)
            assert read_answer(s).status == 201


def test_never_more_than_concurrent_whoever_comes():
    at_once, most, lock = [0], [0], threading.Lock()
    gate = threading.Event()

    def script(request):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        request.read_all()
        gate.wait(DEADLINE)
        with lock:
            at_once[0] -= 1
        request.answer(201, extra="Connection: close\r\n")
        return "done"

    with Upstream(script) as up, Penstock(UP, up, workers=2) as p:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(p.port, "/up", form(part("a", noise(100_000)))))) for _ in range(40)]
        for t in threads:
            t.start()
        wait_for(lambda: len(answers) == 35 and most[0] >= 5, "all but five are refused, and these are with the upstream")
        gate.set()
        for t in threads:
            t.join()
        assert sorted(a.status for a in answers) == [201] * 5 + [429] * 35 and most[0] == 5
        assert all(refused(a, 429, "concurrent") for a in answers if a.status == 429)
        assert post(p.port, "/up", BODY).status == 201


def test_length_required_is_411_for_chunks():
    with Penstock(DIR) as p:
        refused(post(p.port, "/one", BODY, chunk=300), 411, "length")
        assert post(p.port, "/one", BODY).status == 201 and post(p.port, "/any", BODY, chunk=300).status == 201
        with connect(p.port) as s:  # and no body byte is asked for
            s.sendall(head_of("/one", extra="Expect: 100-continue\r\n"))
            assert s.recv(100).startswith(b"HTTP/1.1 411")


def test_who_waits_for_100_is_not_told_it_beside_a_refusal():
    wait, length = "Expect: 100-continue\r\n", f"Content-Length: {len(BODY)}\r\n"
    heads = ((400, "/any", "Host: test\r\n" + length), (400, "/any", length + "Transfer-Encoding: chunked\r\n"),
             (400, "/any", length + "X-A: a\x01b\r\n"), (400, "http://me@test/any", length), (400, "/any", length + "X-A: a\r\n b\r\n"),
             (417, "/any", length + wait), (417, "/any", length + "Expect: tea\r\n"), (404, "/nope", length), (415, "/any", length))
    with Penstock(DIR) as p:
        for status, target, more in heads:
            with connect(p.port) as s:
                s.sendall(f"POST {target} HTTP/1.1\r\nHost: test\r\n{wait}{more}\r\n".encode("latin-1"))
                said = bytearray()
                with contextlib.suppress(ConnectionError):
                    while piece := s.recv(65536):
                        said += piece
                assert said.startswith(b"HTTP/1.1 %d " % status) and said.count(b"HTTP/1.1 ") == 1, (more, bytes(said))


def test_over_the_memory_mark_is_503_until_it_is_free():
    def script(request):
        request.upstream.release.wait(DEADLINE)

    routes = UP.replace("concurrent: 5", "concurrent: 500")
    with Upstream(script, receive=16384) as up, Penstock(routes, up, memory="4MiB") as p:
        body = form(part("a", noise(12_000_000), "a"))  # more than sockets hold
        stalled, left = [connect(p.port) for _ in range(100)], {}
        for s in stalled:
            s.setblocking(False)
            left[s] = memoryview(head_of("/up", len(body)) + body)

        def is_full():
            for s in stalled:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    left[s] = left[s][s.send(left[s]):]
            with connect(p.port) as s:
                s.sendall(head_of("/up", len(body), extra="Expect: 100-continue\r\n"))
                return b" 100 " not in s.recv(20, socket.MSG_PEEK) and refused(read_answer(s), 503)

        wait_for(is_full, "a newcomer is told 503")
        up.release.set()
        for s in stalled:
            s.close()
        assert wait_for(lambda: post(p.port, "/up", BODY).status == 201, "there is room again")


def test_a_head_that_was_on_its_way_when_the_drain_began_is_told_503():
    whole = head_of("/any", len(BODY)) + BODY
    with Penstock(DIR) as p:
        running, kept = begin(p, "/any"), connect(p.port)
        new = [connect(p.port), connect(p.port)]
        kept.sendall(whole)
        assert read_answer(kept).status == 201
        for s in new[1:] + [kept]:
            s.sendall(whole[:30])
        wait_for(lambda: connect(p.port).close() or post(p.port, "/any", BODY).status == 201, "those before are accepted")
        p.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in p.log(), "it drains")
        wait_for(lambda: not can_connect(p.port), "its worker knows")
        for s, rest in ((new[0], whole), (new[1], whole[30:])):
            with contextlib.suppress(ConnectionError):
                s.sendall(rest)
            answer = read_answer(s)
            # on a very slow machine its time may be up: then it is closed, as kept-alive ones are
            assert answer is None or refused(answer, 503) and answer.headers["connection"] == "close"
        running.sendall(BODY)
        assert read_answer(running).status == 201 and p.process.wait(DEADLINE) == 0
        assert any(r["status"] == 503 for r in p.requests()), p.requests()


def connect_to_late_worker(p, whole):
    """Kept alive, on the worker that late_worker.c delays: the kernel chooses, so whoever is answered fast is on the other one."""
    while True:
        s, began = connect(p.port), time.monotonic()
        s.sendall(whole)
        assert read_answer(s).status == 201
        if time.monotonic() - began > 0.09:
            return s
        s.close()


def test_no_worker_stops_while_a_request_may_begin_on_another():
    """With `placement: spread` its parts may come to the one that has nothing to do."""
    body = form(*[part("a", noise(3000)) for _ in range(4)])
    whole = head_of("/up", len(body)) + body
    with tempfile.TemporaryDirectory() as folder, Upstream() as up:
        env = with_shim(folder, "late_worker.c")
        for _ in range(rounds(3)):
            with Penstock(UP, up, head="shutdown: { drain: 10s }", workers="2, placement: spread", env=env) as p:
                with connect_to_late_worker(p, whole) as s:
                    time.sleep(0.3)  # until it sleeps
                    s.sendall(whole)
                    time.sleep(0.03)  # it waits with this request in the socket
                    p.process.send_signal(signal.SIGTERM)
                    answer = read_answer(s)
                    # 503: on a very slow machine it has heard of the drain before it looked
                    assert p.process.wait(DEADLINE) == 0 and answer.status in (201, 503), p.log()
                assert "giving up" not in p.log(), p.log()


def test_a_store_that_owes_its_answer_when_the_drain_is_over():
    """To the commit, or to what takes it back: the client is told of each part how it is with it."""
    rules = ", ".join(f'{{ name: {name}, max_count: 1, store: {{ to: up, path: "/{name}" }} }}' for name in "ab")
    routes = UP.replace("idle: 50s }", "idle: 50s }, undo: DELETE").replace('{ name: "*", store: { to: up, path: "/{uuid}" } }', rules)
    slow = {"one": {("PUT", "/a")}, "second": {("PUT", "/b")}, "undo": {("PUT", "/b"), ("DELETE", "/a")}}
    expect = {"one": ["unknown", "aborted"], "second": ["undone", "unknown"], "undo": ["committed", "unknown"]}
    for what, ways in slow.items():
        for placement in ("local", "spread"):
            def script(request, ways=ways):
                if (request.method, request.path) in ways:
                    request.read_all()
                    request.upstream.release.wait(DEADLINE)
                    return "done"
                return None

            with Upstream(script) as up, Penstock(routes, up, head="shutdown: { drain: 0s }", workers=f"2, placement: {placement}") as p:
                body = form(part("a", noise(1000)), part("b", noise(1000)))
                with connect(p.port) as s:
                    s.sendall(head_of("/up", len(body)) + body)
                    wait_for(lambda: [r for r in up.seen if r.complete and (r.method, r.path) in ways], "it waits for the store")
                    p.process.send_signal(signal.SIGTERM)
                    answer = read_answer(s)
                    assert p.process.wait(DEADLINE) == 0, p.log()
                assert refused(answer, 503) and [q["state"] for q in answer.json()["parts"]] == expect[what], answer.body
                assert [(r["status"], r["error"]) for r in p.requests()] == [(503, "draining")], p.requests()


def test_a_silent_connection_does_not_hold_up_the_drain():
    with Penstock(DIR) as p:
        silent = [connect(p.port) for _ in range(3)]
        silent[0].sendall(b"POST /any HT")
        assert post(p.port, "/any", BODY).status == 201
        p.process.send_signal(signal.SIGTERM)
        assert p.process.wait(25) == 0  # the drain's own time is 30 s
        assert all(s.recv(10) == b"" for s in silent)


def test_a_client_that_has_said_all_gets_its_answer():
    """A half-closed connection while the commit takes its time: answered, and not one turn of the loop after another."""
    def script(request):
        request.read_all()
        request.upstream.release.wait(DEADLINE)

    def cpu_seconds(p):
        with open(f"/proc/{p.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with Upstream(script) as up, Penstock(UP, up) as p:
        others = [begin(p, "/up") for _ in range(2)]  # libmicrohttpd treats its oldest connection in another way
        with connect(p.port) as s, connect(p.port) as t:
            s.sendall(head_of("/up", len(BODY)) + BODY)
            t.sendall(head_of("/up") + chunked(BODY))
            for half in (s, t):
                half.shutdown(socket.SHUT_WR)
            wait_for(lambda: len([r for r in up.seen if r.complete]) == 2, "both wait for the upstream")
            before = cpu_seconds(p)
            time.sleep(1)
            spent = cpu_seconds(p) - before
            up.release.set()
            assert read_answer(s).status == 201 and read_answer(t).status == 201
            assert spent < 0.15, f"{spent} s of CPU in a second of waiting"
        wait_for(lambda: len(p.requests()) == 2, "they are logged")
        assert {r["status"] for r in p.requests()} == {201} and len(up.store) == 2
        for s in others:
            s.close()
