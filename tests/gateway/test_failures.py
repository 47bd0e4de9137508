# SPDX-License-Identifier: MIT
"""What happens when a part fails while uploads come in: nothing is admitted that should not be, and nothing is lost that a
client was told is there. The agent runs in a penstock of its own where it alone is to fail."""
import collections
import itertools
import selectors
import threading

from gw import *
from lib import *
from spop import ACK, Peer, notify

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: "/d/*" }, fields: [ { name: a, max_count: 1, max_size: none, store: { to: files, key: "{path.1}" } } ] }
  - { id: drop, match: { path: /drop }, fields: [ { name: a, drop: true } ] }
"""
GOOD = form(part("a", b"hello"))


class Agents:
    """A penstock that takes uploads, another whose agent HAProxy asks, and HAProxy."""

    def __init__(self, program=None, **gateway):
        self.penstock = Penstock(ROUTES, workers=2)
        self.routes = ROUTES.replace("{dir}", self.penstock.dir)
        self.start_agent()
        self.gateway = Gateway(self.agent, program, edit=self.point_at_penstock, **gateway)

    def start_agent(self):
        self.agent = Penstock(self.routes, head='spoa: { listen: ["unix:%s/agent.sock"] }' % self.penstock.dir)

    def point_at_penstock(self, text):
        return re.sub(r"server penstock \S+", f"server penstock 127.0.0.1:{self.penstock.port}", text)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.gateway.stop()
        self.agent.stop(check=False)
        self.penstock.stop(check=kind is None)


def upload(port, path, body=GOOD, **how):
    """The status, 0 for none."""
    try:
        with connect(port) as s:
            s.sendall(head_of(path, len(body), **how) + body)
            answer = read_answer(s)
    except OSError:
        return 0
    return answer.status if answer is not None else 0


class Many(threading.Thread):
    """Uploads one after the other, until it is told to stop; `told` is what each heard, by name."""

    def __init__(self, port, name):
        super().__init__(daemon=True)
        self.port, self.label, self.told, self.ends = port, name, {}, threading.Event()
        self.start()

    def run(self):
        for n in itertools.count():
            if self.ends.is_set():
                break
            bad = n % 5 == 4
            self.told[f"{self.label}-{n}{'bad' if bad else ''}"] = upload(self.port, f"/d/{self.label}-{n}{'bad' if bad else ''}", type="text/plain" if bad else None)


def finish(threads):
    told = {}
    for t in threads:
        t.ends.set()
    for t in threads:
        t.join(DEADLINE)
        told.update(t.told)
    return told


def check_told(told, files, may):
    """Each client that heard 201 finds its file whole; none that was refused finds one. `may`: further statuses."""
    assert all(data == b"hello" for data in files.values())
    for name, status in told.items():
        assert status in ((415,) if "bad" in name else (201,)) + may, (name, status)
        if status == 201:
            assert name in files, f"{name} was told 201, and is not there"
        elif status:
            assert name not in files, f"{name} was told {status}, and is there"


def test_the_agent_killed_in_the_middle_of_a_thousand_requests():
    for program in haproxies().values():
        with Agents(program, shipped=True) as a:
            threads = [Many(a.gateway.port, f"t{n}") for n in range(10)]
            wait_for(lambda: sum(len(t.told) for t in threads) > rounds(300), "it runs")
            a.agent.process.kill()
            a.agent.process.wait()
            wait_for(lambda: all(503 in list(t.told.values()) for t in threads), "all have heard that nobody can be asked")
            wait_for(lambda: sum(len(t.told) for t in threads) >= rounds(1000), "it goes on")
            told = finish(threads)
            check_told(told, a.penstock.files(), (503,))
            assert upload(a.gateway.port, "/d/after") == 503
            assert expect_continue(a.gateway.port, "/d/after", 100).status == 503
            a.start_agent()
            wait_for(lambda: upload(a.gateway.port, "/d/again") == 201, "it is asked again")
            assert "after" not in a.penstock.files()


def test_an_agent_that_stands_still_admits_nobody():
    with Agents(shipped=True) as a:
        assert wait_for(lambda: upload(a.gateway.port, "/d/before") == 201, "it works")
        stand_still(a.agent.process)
        try:
            for n in range(4):
                assert upload(a.gateway.port, f"/d/still{n}") == 503
                assert expect_continue(a.gateway.port, f"/d/wait{n}", 100).status == 503
        finally:
            a.agent.process.send_signal(signal.SIGCONT)
        wait_for(lambda: upload(a.gateway.port, "/d/again") == 201, "it is asked again")
        assert set(a.penstock.files()) == {"before", "again"}


STORE = """destinations:
  store: { type: http, url: "http://127.0.0.1:{up}", timeout: { idle: 1s, connect: 100ms }, retry: { connect: 0 } }
routes:
  - { id: d, match: { path: "/d/*" }, fields: [ { name: a, max_count: 1, max_size: none, store: { to: store, path: "/{path.1}" } } ] }
"""


def sends_all(port, path, size, told):
    """What a client hears who sends without waiting; 0: the connection ended."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(form(part("a", noise(size))))
        f.flush()
        told[path] = curl(port, path, f.name).status


def test_a_penstock_that_stands_still_holds_nobody_longer_than_its_destinations_may():
    """Those under way when it stops, and those that come then: with bodies that fit into sockets, and that do not."""
    for program in haproxies().values():
        with Upstream() as u, Penstock(STORE, upstream=u, head=AGENT) as p, Gateway(p, program, shipped=True) as g:
            half, told = form(part("a", noise(100_000))), {}
            under_way = connect(g.port)
            under_way.sendall(head_of("/d/early", len(half)) + half[:50_000])
            wait_for(lambda: u.seen, "it is under way")
            stand_still(p.process)
            try:
                began = time.monotonic()
                under_way.sendall(half[50_000:])
                threads = [threading.Thread(target=sends_all, args=(g.port, f"/d/{size}", size, told)) for size in (10, 100_000, 20_000_000)]
                for t in threads:
                    t.start()
                answer = read_answer(under_way)
                for t in threads:
                    t.join(DEADLINE)
                took = time.monotonic() - began
            finally:
                p.process.send_signal(signal.SIGCONT)
            print(f"   HAProxy {version_of(program)}: {answer and answer.status}, {told} after {took:.1f} s", flush=True)
            assert answer is None or is_problem(answer, 504, "upstream-timeout"), answer.body
            assert len(told) == 3 and set(told.values()) <= {0, 502, 503, 504}, told
            assert took < 30, f"after {took:.1f} s: `timeout server` is 14.3 s here, and 15 s where the agent was not heard"
            under_way.close()
            wait_for(lambda: upload(g.port, "/d/again") == 201, "it goes on")


class Slow(threading.Thread):
    """One upload of a few megabytes that does not end before it may."""

    def __init__(self, port, name, ends):
        super().__init__(daemon=True)
        self.port, self.label, self.ends, self.status = port, name, ends, None
        self.data = noise(2_000_000, name)
        self.start()

    def run(self):
        self.status = 0
        with contextlib.suppress(OSError), connect(self.port) as s:
            body = form(part("a", self.data, "a"))
            s.sendall(head_of(f"/d/{self.label}", len(body)) + body[:1_000_000])
            for at in range(1_000_000, len(body), 50_000):
                self.ends.wait(0.05)
                s.sendall(body[at:at + 50_000])
                if at == 1_500_000:
                    self.ends.wait(DEADLINE)
            answer = read_answer(s)
            self.status = answer.status if answer else 0


def unfinished(penstock):
    return [name for name in os.listdir(penstock.out) if name.startswith(".penstock-")]


def under_way(penstock, port, n, ends):
    """Slow uploads that penstock has begun: what clients have sent may be in others' buffers. Nobody else uploads yet."""
    slow = [Slow(port, f"slow{i}", ends) for i in range(n)]
    wait_for(lambda: len(unfinished(penstock)) == n, "the slow ones are under way")
    return slow


def test_haproxy_reloaded_while_uploads_run():
    for program in haproxies().values():
        with Penstock(ROUTES, head=AGENT, workers=2) as p, Gateway(p, program, master=True) as g:
            ends = threading.Event()
            slow = under_way(p, g.port, rounds(20), ends)
            many = [Many(g.port, f"m{n}") for n in range(4)]
            for n in range(3):
                wait_for(lambda loads=n + 1: g.log().count("Loading success") >= loads, "the master listens to signals")
                before = sum(len(t.told) for t in many)
                reload(g)
                wait_for(lambda: sum(len(t.told) for t in many) > before + 40, "requests go on")
            told = finish(many)
            ends.set()
            for t in slow:
                t.join(DEADLINE)
            files = p.files()
            assert [t.status for t in slow] == [201] * len(slow), [t.status for t in slow]
            for t in slow:
                assert files.pop(t.label) == t.data
            check_told(told, files, ())


class Kept(threading.Thread):
    """Uploads one after the other over one connection, for as long as it is not told that it ends; `lost` counts those that
    got no answer."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.told, self.lost, self.ends = port, 0, 0, threading.Event()
        self.start()

    def run(self):
        s = None
        while not self.ends.is_set():
            s = s or connect(self.port)
            answer = None
            with contextlib.suppress(OSError):
                s.sendall(head_of("/drop", len(GOOD)) + GOOD)
                answer = read_answer(s)
            self.told += answer is not None and answer.status == 201
            self.lost += answer is None or answer.status != 201
            if answer is None or answer.headers.get("connection") == "close":
                s.close()
                s = None


def test_a_reload_drops_no_upload_of_a_kept_connection():
    for program in haproxies().values():
        with Penstock(ROUTES, head=AGENT, workers=2) as p, Gateway(p, program, master=True) as g:
            with connect(g.port) as idle:
                idle.sendall(head_of("/drop", len(GOOD)) + GOOD)
                assert read_answer(idle).status == 201
                kept = [Kept(g.port) for _ in range(4)]
                for n in range(rounds(10)):
                    wait_for(lambda loads=n + 1: g.log().count("Loading success") >= loads, "the master listens to signals")
                    before = sum(k.told for k in kept)
                    reload(g)
                    wait_for(lambda: sum(k.told for k in kept) > before + 40, "uploads go on")
                for k in kept:
                    k.ends.set()
                for k in kept:
                    k.join(DEADLINE)
                assert [k.lost for k in kept] == [0] * 4, ([k.lost for k in kept], sum(k.told for k in kept))
                # The first worker is asked to go, and this connection is idle all the time: it is told so by an answer.
                idle.sendall(head_of("/drop", len(GOOD)) + GOOD)
                answer = read_answer(idle)
                assert answer is not None and answer.status == 201 and answer.headers.get("connection") == "close", answer and answer.headers


def worker_of(gateway):
    return wait_for(lambda: pid_in(gateway), "a worker answers")


def reload(gateway):
    """A master that has just said that it is loaded can still miss a signal, so it is told until it has heard."""
    worker, told = worker_of(gateway), 0

    def is_new():
        nonlocal told
        if time.monotonic() > told + 5:
            gateway.process.send_signal(signal.SIGUSR2)
            told = time.monotonic()
        return worker_of(gateway) != worker

    wait_for(is_new, "it has reloaded")


def pid_in(gateway):
    with contextlib.suppress(OSError):
        found = re.search(r"^Pid: (\d+)", gateway.say("show info"), re.M)
        return found and found.group(1)


def test_the_sidecar_restarted_while_haproxy_sends():
    """With SIGTERM what runs is finished; what comes meanwhile is told 503, by it or by HAProxy."""
    with Agents() as a:
        ends = threading.Event()
        slow = under_way(a.penstock, a.gateway.port, 4, ends)
        many = [Many(a.gateway.port, f"m{n}") for n in range(4)]
        wait_for(lambda: sum(len(t.told) for t in many) > 40, "all are under way")
        a.penstock.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in a.penstock.log(), "it drains")
        ends.set()
        for t in slow:
            t.join(DEADLINE)
        assert [t.status for t in slow] == [201] * 4, [t.status for t in slow]
        assert a.penstock.process.wait(DEADLINE) == 0
        log = open(a.penstock.log_path, "ab")
        a.penstock.process = subprocess.Popen([BINARY, "run", a.penstock.file], stderr=log, stdout=log)
        log.close()
        wait_for(lambda: upload(a.gateway.port, "/d/back") == 201, "it is back")
        told = finish(many)
        files = {name: data for name, data in a.penstock.files().items() if "slow" not in name}
        check_told(told, files, (0, 502, 503))
        assert 201 in told.values() and upload(a.gateway.port, "/d/last") == 201


def test_the_sidecar_killed_while_haproxy_sends():
    """Whoever heard 201 finds his file; no file is half there, and what was begun is swept away at the next start."""
    with Agents() as a:
        ends = threading.Event()
        slow = under_way(a.penstock, a.gateway.port, 4, ends)
        many = [Many(a.gateway.port, f"m{n}") for n in range(4)]
        wait_for(lambda: sum(len(t.told) for t in many) > 40, "all are under way")
        a.penstock.process.kill()
        a.penstock.process.wait()
        ends.set()
        for t in slow:
            t.join(DEADLINE)
            assert t.status != 201
        log = open(a.penstock.log_path, "ab")
        a.penstock.process = subprocess.Popen([BINARY, "run", a.penstock.file], stderr=log, stdout=log)
        log.close()
        wait_for(lambda: upload(a.gateway.port, "/d/back") == 201, "it is back")
        told = finish(many)
        wait_for(lambda: not unfinished(a.penstock), "nothing half-done is left")
        files = a.penstock.files()
        assert not [name for name in files if "slow" in name]
        # Committed, but killed before the answer: such a client heard nothing, or 502, and may find its file.
        check_told({n: s for n, s in told.items() if s not in (0, 502, 503)}, files, ())
        assert all(s in (0, 201, 415, 502, 503) for s in told.values()), set(told.values())


def heads_at_once(port, n):
    """n clients send a head at one moment and wait for 100: the statuses, and the connections, which are left open."""
    sockets = [connect(port) for _ in range(n)]
    for s in sockets:
        s.sendall(head_of("/drop", 100, extra="Expect: 100-continue\r\n"))
    return [int(s.recv(65536)[9:12]) for s in sockets], sockets


def test_as_many_come_in_as_there_are_places():
    """Forty clients for four places: four, and the others are told so, whoever of agent and penstock tells them."""
    few = ROUTES.replace("path: /drop }", "path: /drop }, limits: { concurrent: 4 }")
    with Penstock(few, head=AGENT, workers=2) as p, Gateway(p) as g:
        for n in range(rounds(20)):
            told, sockets = heads_at_once(g.port, 40)
            counted = collections.Counter(told)  # some places of the round before may still be taken
            assert counted[100] + counted[429] == 40 and (counted[100] == 4 if n == 0 else 1 <= counted[100] <= 4), counted
            for s in sockets:
                s.close()
            wait_for(lambda: upload(g.port, "/drop") == 201, "a place is free again")


def load(port, n, connections, make):
    """n requests over so many connections that stay open: the status of each, in the order of `make(i)`'s i."""
    told, selector, left = [0] * n, selectors.DefaultSelector(), iter(range(n))

    def ask(s, state):
        state["i"] = next(left, None)
        if state["i"] is None:
            selector.unregister(s)
            s.close()
        else:
            s.sendall(make(state["i"]))

    for _ in range(connections):
        s = connect(port)
        state = {"i": None, "data": b""}
        selector.register(s, selectors.EVENT_READ, state)
        ask(s, state)
    while selector.get_map():
        for key, _ in selector.select(DEADLINE):
            s, state = key.fileobj, key.data
            piece = s.recv(65536)
            state["data"] += piece
            head, end, rest = state["data"].partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head) if end else None
            if piece and (not end or len(rest) < int(length.group(1))):
                continue
            told[state["i"]] = int(head[9:12]) if end else 0
            state["data"] = b""
            if not piece or re.search(rb"(?i)connection: *close", head):  # begin anew, as any client would
                selector.unregister(s)
                s.close()
                s = connect(port)
                selector.register(s, selectors.EVENT_READ, state)
            ask(s, state)
    return told


def test_twenty_thousand_requests_over_two_hundred_connections():
    kinds = [(201, head_of("/drop", len(GOOD)) + GOOD), (415, head_of("/drop", 100, type="text/plain", extra="Expect: 100-continue\r\n")),
             (404, b"GET /nope HTTP/1.1\r\nHost: test\r\n\r\n"), (405, b"GET /drop HTTP/1.1\r\nHost: test\r\n\r\n")]
    n = 2000 if SMALL else 20_000
    with Penstock(ROUTES, head=AGENT, workers=2) as p, Gateway(p) as g:
        load(g.port, n // 10, 200, lambda i: kinds[i % 4][1])
        before, began = p.memory("VmRSS"), time.monotonic()
        told = load(g.port, n, 200, lambda i: kinds[i % 4][1])
        took = time.monotonic() - began
        wrong = [(i, status) for i, status in enumerate(told) if status != kinds[i % 4][0]]
        grown = p.memory("VmRSS") - before
        print(f"   {n} requests in {took:.1f} s ({n / took:.0f}/s), {g.stat('penstock-agent', 'BACKEND', 'stot')} connections to the agent, "
              f"memory {grown / 1024:+.0f} KiB", flush=True)
        assert not wrong, (len(wrong), wrong[:5], g.log()[-1500:])
        assert grown < 4 << 20 or SMALL, grown


def test_twenty_thousand_questions_over_two_hundred_connections():
    n = 20 if SMALL else 100
    with Penstock(ROUTES, head=AGENT) as p:
        wait_for(lambda: '"room":"spoa","msg":"listening"' in p.log(), "the agent listens")
        peers = [Peer(p.dir + "/spoa.sock") for _ in range(200)]

        def burst(count):
            for at in range(0, count, 20):
                for peer in peers:
                    peer.send(b"".join(notify(s, 1, target="/drop", id=f"i{s}") for s in range(at, at + 20)))
                for peer in peers:
                    for s in range(at, at + 20):
                        ack = peer.read()
                        assert ack.kind == ACK and ack.stream == s and ack.vars["allow"] is True and ack.vars["id"] == f"i{s}"

        burst(20)
        before = p.memory("VmRSS")
        burst(n)
        assert p.memory("VmRSS") - before < 1 << 20 or SMALL
        for peer in peers:
            peer.close()
