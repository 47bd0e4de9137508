# SPDX-License-Identifier: MIT
"""What a store does wrong is told as the store's, and what is ours as ours; each with the word that helps."""
import concurrent.futures

from lib import *

ROUTES = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}", timeout: { connect: 20s, idle: 50s } }
  undo: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, timeout: { idle: 50s } }
  named: { type: http, url: "http://localhost:{up}", timeout: { connect: 20s, idle: 50s } }
routes:
  - { id: up, match: { path: /up }, fields: [ { name: "*", store: { to: up, path: "/{uuid}" } } ] }
  - { id: named, match: { path: /named }, fields: [ { name: "*", store: { to: named, path: "/{uuid}" } } ] }
  - { id: undo, match: { path: /undo }, fields: [ { name: "*", store: { to: undo, path: "/{uuid}" } } ] }
  - { id: kept, match: { path: /kept }, fields: [ { name: "*", buffer: true, max_size: 1MiB, store: { to: up, path: "/{uuid}" } } ] }
"""
LARGE = noise(70_000)


def answering(make):
    """A store that takes a request whole and then says what `make` gives for it."""
    def script(request):
        request.read_all()
        request.socket.sendall(make(request))
        return "done"
    return script


def test_a_head_that_is_too_long_is_the_stores_fault():
    heads = {"line": b"X: " + b"a" * 300_000 + b"\r\n",
             "lines": b"".join(b"X-%d: " % i + b"a" * 4000 + b"\r\n" for i in range(100)),
             "first line": None,
             "early hints": b""}
    for name, lines in heads.items():
        def make(request):
            if name == "first line":
                return b"HTTP/1.1 201 " + b"a" * 300_000 + b"\r\nContent-Length: 0\r\n\r\n"
            if name == "early hints":
                return b"HTTP/1.1 103 Early Hints\r\n" + heads["lines"] + b"\r\nHTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n"
            return b"HTTP/1.1 201 X\r\n" + lines + b"Content-Length: 0\r\n\r\n"
        with Upstream(answering(make)) as up, Penstock(ROUTES, up) as p:
            for data in (b"small", LARGE):
                answer = post(p.port, "/up", form(part("a", data, "f")))
                assert answer.status == 502 and "retry-after" not in answer.headers, (name, answer.status, answer.body)
                told = answer.json()
                assert "the head of its answer is too long" in told["detail"], (name, told)
                assert told["parts"][0]["state"] == "unknown", (name, told)


def test_answers_with_a_remedy_in_the_route_file_name_it():
    words = {411: "buffer: true", 301: "url", 308: "url", 401: "headers", 403: "headers", 413: "max_size", 417: "Expect", 408: "buffer: true"}
    for status, word in words.items():
        make = answering(lambda _: b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
        with Upstream(make) as up, Penstock(ROUTES, up) as p:
            answer = post(p.port, "/up", form(part("a", LARGE, "f")))
            assert answer.status == 502, answer.body
            detail = answer.json()["detail"]
            assert f"answered {status}" in detail and word in detail, detail


def test_a_store_that_wants_a_length_is_content_with_what_its_411_names():
    def script(request):
        if request.is_chunked:
            request.answer(411, extra="Connection: close\r\n")
            return "done"
    with Upstream(script) as up, Penstock(ROUTES, up) as p:
        body = form(part("a", LARGE, "f"))
        assert "buffer: true" in post(p.port, "/up", body).json()["detail"]
        assert post(p.port, "/kept", body).status == 201 and list(up.store.values()) == [LARGE]


def test_a_store_that_asks_to_come_later_is_heard_by_the_client():
    for status, said, want in ((503, "7", "7"), (429, "7", "7"), (503, "99999999", "86400"), (500, "7", None), (503, "Fri, 31 Dec 1999 23:59:59 GMT", None), (413, "7", "7")):
        make = answering(lambda _: f"HTTP/1.1 {status} X\r\nRetry-After: {said}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        with Upstream(make) as up, Penstock(ROUTES, up) as p:
            answer = post(p.port, "/up", form(part("a", LARGE, "f"), part("b", b"small", "f")))
            assert answer.status == 502 and f"answered {status}" in answer.json()["detail"], answer.body
            assert answer.headers.get("retry-after") == want, (status, said, answer.headers)


class ShortOfFiles(Penstock):
    """May have so many descriptors open, and no more."""
    MOST = 60

    def command(self):
        return ["sh", "-c", f"ulimit -n {self.MOST}; exec {' '.join(super().command())}"]


def test_without_a_descriptor_for_a_store_it_is_our_503():
    # The store holds every connection until all are there, so that penstock has no descriptor left for the others.
    gate = threading.Event()

    def script(request):
        gate.wait(DEADLINE)
    for path in ("/up", "/named"):
        gate.clear()
        with Upstream(script) as up, ShortOfFiles(ROUTES, up) as p:
            forms = [form(*[part(f"f{i}", LARGE, "f") for i in range(4)])] * 24
            with concurrent.futures.ThreadPoolExecutor(len(forms)) as pool:
                sent = [pool.submit(post, p.port, path, body) for body in forms]
                concurrent.futures.wait(sent, timeout=DEADLINE, return_when=concurrent.futures.FIRST_COMPLETED)
                gate.set()
                answers = [s.result() for s in sent]
            refused = [a for a in answers if a.status != 201]
            assert refused, "all had a descriptor"
            for answer in refused:
                assert answer.status == 503 and "retry-after" in answer.headers, (path, answer.status, answer.body)
                assert "no file descriptor is left" in answer.json()["detail"], (path, answer.body)
            assert post(p.port, path, forms[0]).status == 201, "it goes on when they are back"


def test_connections_that_are_kept_give_descriptors_back():
    """To a store that has none: within seconds, where their own stores would let them wait for ever."""
    n = ShortOfFiles.MOST
    with contextlib.ExitStack() as stack:
        ups = [stack.enter_context(Upstream()) for _ in range(n)]
        routes = "destinations:\n" + "".join(f'  up{i}: {{ type: http, url: "http://127.0.0.1:{up.port}" }}\n' for i, up in enumerate(ups))
        routes += "routes:\n" + "".join(f'  - {{ id: r{i}, match: {{ path: /{i} }}, fields: [ {{ name: "*", store: {{ to: up{i}, path: "/{{uuid}}" }} }} ] }}\n'
                                         for i in range(n))
        p = stack.enter_context(ShortOfFiles(routes))
        body = form(part("f", b"small", "f"))
        for i in range(n):  # more than there are descriptors
            wait_for(lambda: post(p.port, f"/{i}", body).status == 201, f"there is a descriptor for {i}", 20)
        assert sum(len(up.open) for up in ups) >= 10, "no connection was kept"


def test_an_undo_that_fails_on_another_worker_is_told_without_a_race():
    """Under TSan: nobody looks at what a transfer on another thread has not told yet."""
    def script(request):
        if request.method == "DELETE":
            return request.reset()
        request.read_all()
        if request.headers["x-request-id"].endswith(request.path[-1]):  # one of sixteen
            request.answer(500, extra="Connection: close\r\n")
            return "done"

    with Upstream(script) as up, Penstock(ROUTES, up, workers="4, placement: spread") as p:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            body = form(*[part("f", data, "f") for data in (b"x" * 100, LARGE, b"y", LARGE, b"z" * 300, LARGE)])
            answers = list(pool.map(lambda _: post(p.port, "/undo", body), range(120)))
        told = [t for a in answers if a.status == 502 for t in a.json().get("parts", [])]
        assert any("could not be taken back" in t.get("problem", "") for t in told), [a.status for a in answers]


def test_a_line_of_a_request_is_as_loud_as_who_has_to_act():
    limited = ROUTES.replace("max_size: 1MiB", "max_size: 1KiB")
    with Upstream(lambda r: r.read_all() and r.answer(500, extra="Connection: close\r\n") or "done") as up, Penstock(limited, up) as p:
        body = form(part("a", LARGE, "f"))
        for path, data, level in (("/up", body, "error"), ("/kept", body, "warn"), ("/none", body, "info"), ("/up", body[:-9], "info")):
            before = len(p.requests())
            post(p.port, path, data)
            lines = wait_for(lambda: len(p.requests()) > before and p.requests(), "its line")
            assert lines[-1]["level"] == level, (path, lines[-1])


def test_a_request_that_takes_too_long_waits_for_what_completes_and_leaves_what_nobody_knows():
    def script(request):
        if request.method != "DELETE":
            request.read_all()
            if request.path == "/2":  # has all of it, and owes the answer
                request.upstream.release.wait(DEADLINE)
                return "done"

    routes = ROUTES.replace("DELETE, timeout: { idle: 50s }", "DELETE, timeout: { idle: 3s }").replace("undo, path: \"/{uuid}\"", "undo, path: \"/{part}\"")
    for data in (b"small", LARGE):
        with Upstream(script) as up, Penstock("client: { timeout: { total: 1s } }\n" + routes, up) as p:
            began = time.monotonic()
            answer = post(p.port, "/undo", form(part("a", data, "f"), part("b", data, "f")))
            assert time.monotonic() - began > 2.5, "the store had its time"
            assert answer.status == 408 and "client.timeout.total" in answer.json()["detail"], answer.body
            assert [t["state"] for t in answer.json()["parts"]] == ["undone", "unknown"], answer.body
            assert [r.path for r in up.seen if r.method == "DELETE"] == ["/1"]


class WithNames(Penstock):
    """A penstock for which store.test has two addresses, in this order."""
    def command(self):
        names = os.path.join(self.dir, "hosts")
        with open(names, "w", encoding="ascii") as f:
            f.write("127.0.0.2 store.test\n127.0.0.3 store.test\n")
        return ["unshare", "-m", "sh", "-c", f"mount --bind {names} /etc/hosts && exec {' '.join(super().command())}"]


@contextlib.contextmanager
def deaf(address, port):
    """Whose connections are not answered: nobody accepts those that wait."""
    with socket.create_server((address, port), backlog=0), contextlib.ExitStack() as waiting:
        for _ in range(3):
            s = waiting.enter_context(socket.socket())
            s.setblocking(False)
            s.connect_ex((address, port))
        yield


def test_of_two_addresses_one_that_is_dead_costs_its_half_of_the_time():
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no mounts of one's own here")
    routes = """destinations: { up: { type: http, url: "http://store.test:{up}", timeout: { connect: 4s }, retry: { connect: 0 } } }
routes: [ { id: up, match: { path: /up }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] } ]
"""
    with Upstream() as up, deaf("127.0.0.2", up.port), socket.create_server(("127.0.0.3", up.port)) as other:
        threading.Thread(target=up.accept, args=(other,), daemon=True).start()
        with WithNames(routes, up) as p:
            answer = post(p.port, "/up", form(part("a", b"small", "f")))
            assert answer.status == 201 and up.store == {"/1": b"small"}, answer.body
