# SPDX-License-Identifier: MIT
"""The log holds nobody up: neither uploads nor the end wait for whoever reads it, and what is lost is counted in its place."""
import fcntl
import pty
import re

from lib import *

ROUTES = """admin: { listen: "unix:{dir}/admin.sock" }
shutdown: { drain: 2s }
destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
LONG = "x" * 250


class Into(Penstock):
    """Logs into `out`, which the test reads or does not read. It is up when it answers."""

    def __init__(self, out, routes=ROUTES):
        self.stdout = out
        super().__init__(routes, workers=2)

    def start(self, **how):
        return super().start(**how | {"stdout": self.stdout})

    def is_up(self):
        assert self.process.poll() is None, "penstock ended: " + self.log()
        return os.path.exists(self.dir + "/admin.sock") and can_connect(self.port)

    def metric(self, name):
        with connect(self.dir + "/admin.sock") as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            text = read_answer(s).body.decode()
        return int(re.search(rf"^{name} (\d+)$", text, re.M).group(1))

    def lost(self):
        return self.metric("penstock_log_lines_lost_total")

    def refuse(self, n, tag):
        """n requests that are refused: a line each, of some 700 bytes. A connection is used as long as it stays."""
        s = None
        for i in range(n):
            s = s or connect(self.port)
            s.sendall(f"GET /{tag}-{i}/{LONG} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {tag}-{i}\r\n\r\n".encode())
            answer = read_answer(s)
            assert answer.status == 404, answer
            if answer.headers.get("connection", "").lower() == "close":
                s.close()
                s = None
        if s:
            s.close()


class Reader:
    """Reads all there is, beside the test. `data` is what has come so far."""

    def __init__(self, fd):
        self.fd, self.data = fd, b""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        with contextlib.suppress(OSError):  # a terminal says EIO when its other side is closed
            while piece := os.read(self.fd, 65536):
                self.data += piece

    def lines(self):
        """Whole ones, all of them, when nobody writes any more."""
        self.thread.join(DEADLINE)
        os.close(self.fd)
        return [json.loads(line) for line in self.data.splitlines()]


def unread():
    """Descriptors that hold some of the log and then no more: name, to read, to write."""
    r, w = os.pipe()
    yield "pipe", r, w
    if SMALL:
        return
    a, b = socket.socketpair()
    yield "socket", a.detach(), b.detach()
    main, side = pty.openpty()
    yield "terminal", main, side
    r, w = os.pipe()
    os.set_blocking(w, False)  # as somebody who shares it may have it
    yield "pipe that does not block", r, w


def test_a_log_that_nobody_reads_stops_neither_uploads_nor_the_end():
    for name, r, w in unread():
        p = Into(w)
        os.close(w)
        try:
            wait_for(lambda: p.refuse(100, "a") or p.lost() > 0, f"{name}: lines are lost", DEADLINE * 3)
            for _ in range(10):
                assert post(p.port, "/d", form(part("f", b"x", "f"))).status == 201
            began = time.monotonic()
            p.stop()
            assert time.monotonic() - began < 10, f"{name}: the end waited for the log"
        finally:
            os.close(r)


def test_lines_that_were_lost_are_told_of_in_their_place():
    for name, r, w in unread():
        p = Into(w)
        os.close(w)
        n = [0]

        def more():
            n[0] += 100
            p.refuse(100, f"a{n[0]}")
            return p.lost() > 100
        wait_for(more, f"{name}: lines are lost", DEADLINE * 3)
        reader = Reader(r)

        def flows():  # a line may be put, or lost, when its client has the answer already
            p.refuse(2, "b")
            return b'"id":"b-1"' in reader.data
        wait_for(flows, f"{name}: it flows again")
        lost = p.lost()
        p.stop()
        lines = reader.lines()
        told = [i for i, line in enumerate(lines) if line["room"] == "log"]
        assert len(told) == 1 and lines[told[0]]["lines"] == lost and lines[told[0]]["level"] == "warn", (name, lost, [lines[i] for i in told])
        ids = [line["id"] for line in lines[:told[0]] if line["msg"] == "request"]
        assert ids and all(i.startswith("a") for i in ids), ids[-3:]
        assert lines[-1]["msg"] == "stopped" and any(line.get("id") == "b-1" for line in lines[told[0]:]), name


def test_lines_of_all_threads_stay_whole_and_nothing_is_lost_that_is_read():
    r, w = os.pipe()
    fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ
    p = Into(w)
    os.close(w)
    reader = Reader(r)
    clients = [threading.Thread(target=p.refuse, args=(rounds(300), f"c{i}")) for i in range(6)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    wait_for(lambda: p.metric("penstock_requests") == 0, "all are over")
    p.stop()
    lines = reader.lines()
    ids = [line["id"] for line in lines if line["msg"] == "request" and line["id"].startswith("c")]
    assert sorted(ids) == sorted(f"c{i}-{k}" for i in range(6) for k in range(rounds(300))), "each once"
    assert lines[-1]["msg"] == "stopped"
