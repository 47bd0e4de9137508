# SPDX-License-Identifier: MIT
"""Clients that send a little and stop: they hold little, nobody else is refused for them, and where memory is short whoever moved
least lately gives it back."""
import re
import resource

from lib import *
from test_memory import is_readable
from test_ops import Admin, get, is_ready, wait_until_ready

ROUTES = """destinations: { up: { type: http, url: "http://127.0.0.1:{up}" }, files: { type: directory, path: "{dir}/out" } }
routes:
  - id: held
    match: { path: /held }
    fields:
      - { name: buffered, buffer: true, max_size: 1MiB, store: { to: up, path: "/{uuid}" } }
      - { name: "*", store: { to: up, path: "/{uuid}" } }
  - { id: files, match: { path: /files }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
NORMAL = form(part("a", noise(300), "small"), part("b", noise(100_000), "large"))
MANY = 5000 if not SMALL else 300
CONNECTION = 24 << 10  # what a connection may take beside `memory` and what its client sent at once, says README


def allow_descriptors(n):
    """What tests before this one have left open needs room, too, so no limit is ever lowered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < n:
        raise Skip(f"{n} descriptors are wanted, {hard} may be had")
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


class Staller:
    """Sends the beginning of a form and stops."""

    def __init__(self, p, start, path="/held", extra=""):
        self.socket, self.start = connect(p.port), start
        self.socket.sendall(head_of(path, extra=extra) + chunk(start))

    def drip(self):
        with contextlib.suppress(OSError):
            self.socket.sendall(chunk(b"x"))

    def go_on(self, body):
        self.socket.sendall(chunk(body[len(self.start):]) + b"0\r\n\r\n")
        return read_answer(self.socket)

    def has_answer(self):
        return is_readable(self.socket)

    def answer(self):
        """None: none has come."""
        return read_answer(self.socket) if self.has_answer() else None

    def close(self):
        self.socket.close()


def file(name="f", n=300):
    return part(name, noise(n), "name")


def check_borne(what, body, until, path="/held", extra="", many=MANY, mib=64):
    """Clients by the thousand that send the first `until` bytes of this form; normal uploads pass, and the first one goes on. `mib` of memory
    are so much that it is never short: else those who came three seconds ago are given up, on a slow machine."""
    start, clients = body[:until], []
    with Upstream() as up, Admin(ROUTES, up, memory=f"{mib}MiB") as p:
        wait_until_ready(p)
        idle = p.memory("VmRSS")
        with contextlib.ExitStack() as ends:
            for i in range(many):
                clients.append(Staller(p, start, path, extra))
                ends.callback(clients[-1].close)
                if (i + 1) % (many // 5) == 0:
                    assert post(p.port, "/held", NORMAL).status == 201, what
                    assert post(p.port, "/files", NORMAL).status == 201, what
                    assert is_ready(p), what
            if os.environ.get("E2E_TREE", "release") == "release":
                grown = p.memory("VmHWM") - idle
                assert grown < (mib << 20) + many * (CONNECTION + len(start)), f"{what}: {grown // many} bytes each"
            assert {line["status"] for line in p.requests()} == {201}, what
            if not extra:
                assert clients[0].go_on(body).status == 201, what
        wait_for(lambda: b"penstock_requests 0" in get(p.admin, "/metrics").body, "all are gone")
        wait_for(lambda: b"penstock_memory_used_bytes 0" in get(p.admin, "/metrics").body, "nothing is held any more")
        if os.environ.get("E2E_TREE", "release") == "release":
            wait_for(lambda: p.memory("VmRSS") < idle + (8 << 20), "memory is the system's again")


def test_thousands_of_clients_that_stop_are_borne():
    allow_descriptors(2 * MANY + 500)
    two, buffered = form(file(), file("g")), form(file("buffered"))
    check_borne("in the first part", two, 300)
    check_borne("in a part's head", two, 60)
    check_borne("in the second part", two, len(two) - 100, mib=80)
    check_borne("in a part with buffer: true", buffered, 300)
    check_borne("that wait for 100 Continue", b"", 0, extra="Expect: 100-continue\r\n")


def test_thousands_that_stop_while_a_file_streams_into_a_folder_are_borne():
    allow_descriptors(2 * MANY + 500)
    body = form(file(n=20_000))
    check_borne("in a file that streams", body, len(body) - 100, path="/files", mib=96)


def test_as_many_streams_to_http_as_a_memory_bears_are_borne():
    """What a transfer holds of libcurl is charged; a slow one needs no large sends, and so no memory for them."""
    many = 1400 if not SMALL else 300
    allow_descriptors(3 * many + 500)
    body = form(file(n=20_000))
    check_borne("in a file that streams to a store", body, len(body) - 100, many=many)


def fill_until(condition, p, start, ends, at_once=1):
    """One after another, or some, as many as there is room for: then it is not ready."""
    clients = []

    def press():
        for _ in range(at_once if is_ready(p) else 0):
            clients.append(Staller(p, start))
            ends.callback(clients[-1].close)
        return condition(clients)
    wait_for(press, "memory is short")
    return clients


def test_whoever_stalled_longest_gives_memory_back_first():
    """Transfers to http hold what libcurl has, so that fewer of them fit than of files."""
    body = form(file(n=70_000))
    with Upstream() as up, Admin(ROUTES, up, memory="16MiB") as p, contextlib.ExitStack() as ends:
        wait_until_ready(p)
        clients = fill_until(lambda clients: clients[0].has_answer(), p, body[:-100], ends)
        wait_until_ready(p)
        assert post(p.port, "/held", NORMAL).status == 201
        answers = [c.answer() for c in clients]
        n = next((i for i, a in enumerate(answers) if a is None), len(answers))
        assert 0 < n < len(clients) // 2, f"{n} of {len(clients)} for one upload"
        for answer in answers[:n]:
            assert answer.status == 408 and "memory is short" in answer.json()["detail"], answer.body
        assert not any(answers[n:n + 50]), "it was not their turn"
        left = clients[n + 1]
        assert left.go_on(body).status == 201


def test_ready_is_what_a_new_upload_would_find():
    """What is kept may take three quarters of the budget: then nothing more can be kept, though a quarter is free."""
    body = form(file(n=20_000))
    with Upstream() as up, Admin(ROUTES, up, memory="16MiB") as p, contextlib.ExitStack() as ends:
        wait_until_ready(p)

        def is_refused(_):
            is_free = int(re.search(rb"penstock_memory_used_bytes (\d+)", get(p.admin, "/metrics").body)[1]) < 13 << 20
            told = b"memory: the budget is used up" in get(p.admin, "/readyz").body
            return is_free and told and post(p.port, "/held", NORMAL).status == 503
        fill_until(is_refused, p, body[:-100], ends, at_once=40)  # faster than those who stall are given up
        wait_until_ready(p)
        assert post(p.port, "/held", NORMAL).status == 201


class Mover(Staller):
    """Is slow, but it moves, however long the test is busy with others."""

    def __init__(self, p, start):
        super().__init__(p, start)
        self.sent, self.is_over = 0, threading.Event()
        self.thread = threading.Thread(target=self.move, daemon=True)
        self.thread.start()

    def move(self):
        more = chunk(noise(8000))
        with contextlib.suppress(OSError):
            while not self.is_over.wait(0.05):
                self.socket.sendall(more)
                self.sent += 8000

    def end(self):
        self.is_over.set()
        self.thread.join(DEADLINE)
        self.socket.sendall(chunk(f"\r\n--{BOUNDARY}--\r\n".encode()) + b"0\r\n\r\n")
        return read_answer(self.socket)

    def close(self):
        self.is_over.set()
        super().close()


def test_a_drop_now_and_then_is_no_progress():
    body = form(file(n=20_000))
    with Upstream() as up, Admin(ROUTES, up, memory="4MiB") as p, contextlib.ExitStack() as ends:
        wait_until_ready(p)
        mover = Mover(p, body[:1000])
        ends.callback(mover.close)

        def drip(clients):
            for c in clients:
                c.drip()
            return len(clients) > 10 and all(c.has_answer() for c in clients[:10])
        clients = fill_until(drip, p, body[:-100], ends)
        assert {c.answer().status for c in clients[:10]} == {408}
        answer = mover.end()
        assert answer.status == 201 and answer.json()["parts"][0]["size"] > mover.sent, answer.body
