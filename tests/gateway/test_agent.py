# SPDX-License-Identifier: MIT
"""The agent under a scripted HAProxy: what the protocol allows, and what it does not."""
import contextlib
import random
import socket
import time

from gw import *
from lib import *
from spop import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d, method: [POST, PUT] }, limits: { body: 4MiB }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""


class Agent:
    """A penstock with an agent on a unix socket."""

    def __init__(self, more="", routes=ROUTES):
        self.port = free_port()
        agent = f'spoa: {{ listen: ["unix:{{dir}}/spoa.sock", "127.0.0.1:{self.port}"]{", " + more if more else ""} }}'
        self.penstock = Penstock(routes, head=agent)
        self.path = self.penstock.dir + "/spoa.sock"
        wait_for(lambda: self.penstock.log().count('"room":"spoa","msg":"listening"') == 2, "the agent listens")

    def peer(self, greet=True):
        return Peer(self.path, greet)

    def fds(self):
        return len(os.listdir(f"/proc/{self.penstock.process.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.penstock.stop(check=kind is None)


def allowed(ack):
    return ack.kind == ACK and ack.vars["allow"] is True and ack.vars["status"] == 200


def test_every_variable_says_what_it_should():
    with Agent() as a, a.peer() as p:
        ack = p.ask()
        assert ack.vars == {"allow": True, "status": 200, "reason": "", "route": "d", "max_body": 4 << 20, "retry_after": 0, "id": "id-1"}, ack.vars
        for change, status, route in (({"target": "/nope"}, 404, ""), ({"method": "GET"}, 405, ""), ({"length": "5000000"}, 413, "d"),
                                      ({"type": "text/plain"}, 415, "d"), ({"type": None, "types": 0}, 415, "d"), ({"hosts": 2}, 400, ""),
                                      ({"length": None, "lengths": 0}, 411, "d"), ({"encoding": "gzip", "encodings": 1}, 415, "d"),
                                      ({"expect": "tea", "expects": 1}, 417, ""), ({"coding": "chunked", "codings": 1}, 400, ""),
                                      ({"target": "/" + "x" * 2047}, 400, ""), ({"version": None}, 503, ""), ({"target": "/d/../d"}, 400, "")):
            said = p.ask(**change).vars
            assert (said["allow"], said["status"], said["route"]) == (False, status, route), (change, said)
            assert said.get("limit") == ("body" if status == 413 else None), said
            assert said["reason"] and "max_body" not in said and said["id"] == "id-1"
            assert (said["retry_after"] > 0) == (status == 503), said
        assert all(len("txn.upload." + name) < 64 for name in ack.vars)
        made = [p.ask(id=i).vars["id"] for i in (None, "", "a b", "x" * 129)]
        assert len(set(made)) == 4 and all(len(i) == 36 for i in made), made


def test_a_preflight_is_let_through_to_penstock():
    with Agent(routes=ROUTES + ROUTES.splitlines()[-1].replace("id: d", 'cors: { origins: "*" }, id: page').replace("/d", "/page") + "\n") as a, a.peer() as p:
        head = {"target": "/page", "method": "OPTIONS", "length": None, "lengths": 0, "type": None, "types": 0}
        asks = {"origin": "https://a.example", "origins": 1, "asks": "PUT", "asked": 1}
        for change, status, route in (({}, 200, "page"), ({"origin": "null"}, 200, "page"), ({"origins": 2}, 405, ""), ({"asked": 2}, 405, ""), ({"asks": "GET"}, 405, ""),
                                      ({"asks": None, "asked": 0}, 405, ""), ({"origin": None, "origins": 0}, 405, ""), ({"target": "/d"}, 405, ""),
                                      ({"length": "1", "lengths": 1}, 405, ""), ({"length": "0", "lengths": 1}, 200, "page"), ({"hosts": 2}, 400, "")):
            said = p.ask(**{**head, **asks, **change}).vars
            assert (said["allow"], said["status"], said["route"]) == (status == 200, status, route), (change, said)


TARGETS = ("/d", "/d?x", "/d/?x", "http://test/d", "http://TEST:80/d?x", "https://test/d", "http://test", "http://test?/d", "http://u@test/d", "http:///d", "http://",
           "http://other/d", "http://test@/d", "ftp://test/d", "http:/d", "*", "test", "?", "//test/d", "/d?" + "x" * 4000, "http://test/" + "x" * 2046,
           "http://test/" + "x" * 2047, "http://test:" + "0" * 2400 + "/d", "http://" + "t" * 300 + "/d", "/" + "x" * 3000)


def test_a_target_is_decided_as_penstock_decides_it():
    """What HAProxy shows of it is the target, cut; a path alone would not tell whose it is."""
    with Agent(routes=ROUTES + ROUTES.splitlines()[-1].replace("id: d", "id: root").replace("/d", "/") + "\n") as a, a.peer() as p:
        for target in TARGETS:
            said = p.ask(target=target[:2311]).vars
            answer = post(a.penstock.port, target, form(part("a", b"1")))
            assert said["status"] == (200 if answer.status == 201 else answer.status), (target[:80], said, answer.status, answer.body)
            assert said["allow"] == (answer.status == 201)


def test_a_parameter_that_was_cut_is_no_name():
    """HAProxy shows so many bytes of a target: of a name that may go on behind them nobody can tell what it is."""
    told = """destinations: { files: { type: discard }, app: { type: http, url: "http://127.0.0.1:{up}" } }
state: "{dir}/state"
routes:
  - { id: d, match: { path: /d }, fields: [ { name: photo, kind: file, store: { to: files, key: "{uuid}" } } ],
      app: { to: app, path: /app, sign: none, failed: { path: /failed } } }
"""
    with Agent(routes=told) as a, a.peer() as p:
        for query, status in (("other=1", 200), ("photo=1", 400), ("a&photo[x]", 400), ("%70hoto", 400), ("a;photo=1", 400), ("a=" + "x" * 2300 + "&photo", 200),
                              ("photo=" + "x" * 4000, 400), ("a=" + "x" * 4000 + "&photo=1", 200), ("x" * 2302 + "&photo", 200)):
            target = "/d?" + query
            said = p.ask(target=target[:2311]).vars
            assert (said["status"], said["route"]) == (status, "d"), (target[:80], said)


def test_bytes_may_come_one_by_one():
    with Agent() as a, a.peer(greet=False) as p:
        for byte in hello() + notify() + notify(3, 1) + frame(DISCONNECT, pairs(status_code=0, message="normal")):
            p.send(bytes([byte]))
        assert p.read().kind == AGENT_HELLO
        assert [(f.stream, f.number, allowed(f)) for f in (p.read(), p.read())] == [(1, 1, True), (3, 1, True)]
        p.ends_with(0)


FEW = ROUTES.replace("limits: { body: 4MiB }", "limits: { body: 4MiB, concurrent: 2 }")


def test_what_is_admitted_holds_no_place_until_it_arrives():
    """Whoever asks and never comes, a hundred times, keeps nobody out: neither who asks nor who comes without asking."""
    body = form(part("a", b"1"))
    with Agent(routes=FEW) as a, a.peer() as p:
        for n in range(100):
            assert p.ask(id=f"never-{n}").vars["status"] == 200, n
            assert post(a.penstock.port, "/d", body, extra=f"X-Request-Id: other-{n}\r\n").status == 201, n


def test_the_agent_knows_of_those_that_have_arrived():
    body = form(part("a", noise(1000)))
    with Agent(routes=FEW) as a, a.peer() as p:
        under_way = [connect(a.penstock.port) for _ in range(2)]
        for n, s in enumerate(under_way):
            assert p.ask(id=f"one-{n}").vars["status"] == 200
            s.sendall(head_of("/d", len(body), extra=f"X-Request-Id: one-{n}\r\n") + body[:500])
        wait_for(lambda: p.ask(id="more").vars["status"] == 429, "both places are taken")
        said = p.ask(id="more").vars
        assert (said["allow"], said["retry_after"], said["route"], said["limit"]) == (False, 1, "d", "concurrent"), said
        assert post(a.penstock.port, "/d", body).status == 429, "penstock says the same"
        for s in under_way:
            s.sendall(body[500:])
            assert read_answer(s).status == 201
            s.close()
        wait_for(lambda: p.ask(id="more").vars["status"] == 200, "they are free again")


def test_the_agent_knows_what_a_client_has():
    """By the address of HAProxy's question, of IPv6 by the /64; a question without one, or with something else, is not refused for it."""
    body = form(part("a", noise(1000)))
    mapped = b"\0" * 10 + b"\xff\xff"
    clients = {"192.0.2.1": [b"\xc0\0\2\1", mapped + b"\xc0\0\2\1"], "2001:db8::1": [socket.inet_pton(socket.AF_INET6, "2001:db8::ffff:2")]}
    with Agent(routes=ROUTES.replace("limits: { body: 4MiB }", "limits: { per_client: { uploads: 1 } }")) as a, a.peer() as p:
        for client, addresses in clients.items():
            with connect(a.penstock.port) as s:
                s.sendall(head_of("/d", len(body), extra=f"X-Forwarded-For: {client}\r\n") + body[:500])
                for address in addresses:
                    wait_for(lambda address=address: p.ask(client=address).vars["status"] == 429, "it has its one upload")
                    said = p.ask(client=address).vars
                    assert said["allow"] is False and said["retry_after"] == 1 and said["route"] == "d", said
                for other in (None, client, 5, b"\xc0\0\2\2", socket.inet_pton(socket.AF_INET6, "2001:db8:0:1::1")):
                    assert p.ask(client=other).vars["status"] == 200, other
                s.sendall(body[500:])
                assert read_answer(s).status == 201
            wait_for(lambda addresses=addresses: p.ask(client=addresses[0]).vars["status"] == 200, "it is free again")


def test_any_cut_gives_the_same_answers():
    data = hello() + b"".join(notify(n, 1, length=str(n)) for n in (1, 300, 70_000, 5_000_000))
    with Agent() as a:
        for n in range(rounds(60)):
            rng = random.Random(n)
            cuts = sorted(rng.sample(range(1, len(data)), rng.randint(1, 6)))
            with a.peer(greet=False) as p:
                for start, end in zip([0, *cuts], [*cuts, len(data)]):
                    p.send(data[start:end])
                assert p.read().kind == AGENT_HELLO
                assert [(f.stream, f.vars["status"]) for f in (p.read() for _ in range(4))] == [(1, 200), (300, 200), (70_000, 200), (5_000_000, 413)]


def test_twenty_streams_a_connection_each_hears_its_own():
    with Agent() as a, a.peer() as p:
        for turn in range(rounds(50)):
            streams = list(range(1, 41, 2))
            random.Random(turn).shuffle(streams)
            p.send(b"".join(notify(s, 1, id=f"i{s}", length=str(100 + s if s % 4 == 1 else 5_000_000)) for s in streams))
            heard = {}
            for _ in streams:
                f = p.read()
                heard[f.stream] = (f.vars["id"], f.vars["status"])
            assert heard == {s: (f"i{s}", 200 if s % 4 == 1 else 413) for s in streams}


def test_one_stream_number_on_many_connections():
    with Agent() as a:
        peers = [a.peer() for _ in range(50)]
        for n, p in enumerate(peers):
            p.send(notify(1, 1, id=f"c{n}"))
        for n, p in reversed(list(enumerate(peers))):
            assert p.read().vars["id"] == f"c{n}"
            p.close()


def test_frames_that_no_haproxy_sends_end_the_connection():
    with Agent() as a:
        for data, status in ((b"\xff\xff\xff\xff", 3), (struct.pack(">I", 16381), 3), (struct.pack(">I", 3) + b"abc", 4),
                             (frame(NOTIFY, message(), 1, 1, flags=0), 10), (frame(0, b"x", 1, 1), 10), (hello(), 4),
                             (struct.pack(">I", 7) + b"\x03\0\0\0\1\xff\xff", 4), (b"GET / HTTP/1.1\r\n\r\n", 3)):
            with a.peer() as p:
                p.send(data)
                p.ends_with(status)
        for data, status in ((hello(size=255), 9), (frame(HELLO, pairs(supported_versions="1.0", max_frame_size=16380, capabilities="")), 8),
                             (frame(HELLO, b"\xf0"), 4), (notify(), 4), (struct.pack(">I", 77) + b"\0" * 77, 10)):
            with a.peer(greet=False) as p:
                p.send(data)
                p.ends_with(status)
        with a.peer() as p:  # what is not known is skipped, and the connection goes on
            p.send(frame(77, b"what", 1, 1) + frame(255) + notify())
            assert allowed(p.read())


def test_every_answer_has_an_action_and_no_question_is_no_grant():
    with Agent() as a, a.peer() as p:
        two = frame(NOTIFY, message() + message(), 1, 1)
        unknown = frame(NOTIFY, message("somebody-elses"), 1, 1)
        cut = frame(NOTIFY, message()[:-1], 1, 1)
        for data in (frame(NOTIFY, b"", 1, 1), two, unknown, cut, frame(NOTIFY, b"\xff" * 20, 1, 1), frame(NOTIFY, string("penstock-admit") + b"\0", 1, 1)):
            p.send(data)
            ack = p.read()
            assert ack.kind == ACK and ack.vars["allow"] is False and ack.vars["status"] in (400, 503), ack.vars
        p.send(frame(NOTIFY, message("another") + message(), 1, 1))  # beside one that is ours any other may stand
        assert allowed(p.read())


def test_a_frame_goes_out_whole():
    """HAProxy 3.2 resets a connection whose HELLO comes in pieces: each frame is one send(), so one packet of a unix
    socket of packets would hold it; seen here as one read that holds whole frames only."""
    with Agent() as a, a.peer(greet=False) as p:
        p.send(hello())
        wait_for(lambda: len(p.socket.recv(65536, socket.MSG_PEEK)) >= 4, "it has answered")
        data = p.socket.recv(65536)
        assert len(data) == 4 + struct.unpack(">I", data[:4])[0]


def test_health_checks_end_by_themselves_and_leave_nothing():
    with Agent() as a:
        before = a.fds()
        for _ in range(rounds(200)):
            with a.peer(greet=False) as p:
                p.send(hello(healthcheck=True))
                assert p.read().kind == AGENT_HELLO and p.read() is None
        wait_for(lambda: a.fds() <= before, "all are gone")


def test_a_full_agent_says_so_and_still_answers_health_checks():
    with Agent("max_connections: 4") as a:
        peers = [a.peer() for _ in range(4)]
        for _ in range(3):
            with a.peer(greet=False) as p:
                p.send(hello())
                p.ends_with(13)
            with a.peer(greet=False) as p:
                p.send(hello(healthcheck=True))
                assert p.read().kind == AGENT_HELLO and p.read() is None
        strangers = [a.peer(greet=False) for _ in range(40)]  # more than it accepts: the rest wait
        assert all(allowed(p.ask()) for p in peers)
        for p in strangers:
            p.close()
        peers.pop().close()
        wait_for(lambda: gets_in(a), "one has left, so one gets in")
        for p in peers:
            p.close()


def test_who_is_silent_keeps_no_place_from_others():
    """Far more than it accepts, and none of them greets: health checks and questions do not wait for the 10 s that those may take."""
    with Agent("max_connections: 4") as a:
        peers = [a.peer() for _ in range(3)]
        strangers = [a.peer(greet=False) for _ in range(60)]
        for p in strangers[::2]:
            with contextlib.suppress(ConnectionError):  # gone already
                p.send(hello()[:-1])
        began = time.monotonic()
        for _ in range(3):
            with a.peer(greet=False) as p:
                p.send(hello(healthcheck=True))
                assert p.read().kind == AGENT_HELLO and p.read() is None
            assert gets_in(a) and all(allowed(p.ask()) for p in peers)
        assert time.monotonic() - began < 5, "they had to wait"
        assert strangers[0].read() is None, "the oldest has made room"
        strangers[-1].send(hello())
        assert strangers[-1].read().kind == AGENT_HELLO, "the newest has not"
        for p in peers + strangers:
            p.close()


def gets_in(agent):
    with agent.peer(greet=False) as p:
        p.send(hello())
        return p.read().kind == AGENT_HELLO and allowed(p.ask())


def test_who_is_idle_is_told_goodbye():
    with Agent("idle: 2s") as a:  # a busy machine may stand still between connect() and the HELLO
        with a.peer() as p:
            p.ends_with(0)
        with a.peer(greet=False) as p:
            p.send(hello()[:-1])  # bytes that make no frame keep nobody alive
            p.ends_with(2)


def test_who_does_not_take_its_answers_costs_one_of_them():
    with Agent() as a, a.peer() as deaf, a.peer() as p:
        before = a.penstock.memory("VmRSS")
        deaf.socket.setblocking(False)
        block, sent = notify() * 100, 0
        while sent < 64 << 20:
            try:
                sent += deaf.socket.send(block)
            except BlockingIOError:
                break
        assert sent < 64 << 20, "the agent reads on although nobody takes its answers"
        assert allowed(p.ask())
        assert a.penstock.memory("VmRSS") - before < 2 << 20


def test_a_reset_is_a_normal_end():
    with Agent() as a:
        before = a.fds()
        for n in range(rounds(100)):
            p = Peer(a.port, greet=n % 2 == 0)
            p.send(notify()[: n % 40])
            p.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            p.close()
        wait_for(lambda: a.fds() <= before, "all are gone")
        assert '"room":"spoa","msg":"connection ended"' not in a.penstock.log()


def test_a_reload_burst_is_served():
    """Old and new HAProxy at once: many connections within one moment, all asking, then all gone."""
    with Agent() as a:
        before = a.fds()
        for _ in range(3):
            peers = [a.peer(greet=False) for _ in range(rounds(200))]
            for p in peers:
                p.send(hello() + notify())
            for p in peers:
                assert p.read().kind == AGENT_HELLO and allowed(p.read())
                p.send(frame(DISCONNECT, pairs(status_code=0, message="normal")))
            for p in peers:
                p.ends_with(0)
        wait_for(lambda: a.fds() <= before, "all are gone")


def test_shutdown_answers_what_was_asked_and_then_says_goodbye():
    with Agent() as a:
        peers = [a.peer() for _ in range(20)]
        n = 60
        for p in peers:
            p.send(b"".join(notify(s, 1) for s in range(1, n + 1)))
        a.penstock.process.send_signal(signal.SIGTERM)
        for p in peers:
            for s in range(1, n + 1):
                ack = p.read()
                assert ack.kind == ACK and ack.stream == s, (s, ack and ack.kind, ack and ack.vars)
            p.ends_with(0)


def test_a_slow_peer_gets_its_goodbye_behind_the_answer_that_was_half_out():
    with Agent() as a, a.peer() as p:
        p.socket.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += p.socket.send(notify())
        p.socket.setblocking(True)
        a.penstock.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in a.penstock.log(), "it drains")
        answers = 0
        while (f := p.read()).kind == ACK:
            answers += 1
        assert f.kind == AGENT_DISCONNECT and f.vars["status-code"] == 0 and answers > 0
        assert p.read() is None


def test_more_than_its_frame_is_never_kept_in_memory():
    with Agent("max_frame: 1MiB") as a:
        before = a.penstock.memory("VmRSS")
        peers = [a.peer(greet=False) for _ in range(rounds(200))]
        for p in peers:
            p.send(struct.pack(">I", 1 << 20) + b"\1")  # says that a megabyte comes, and sends one byte
        with a.peer() as p:
            assert allowed(p.ask())
        grown = a.penstock.memory("VmRSS") - before
        assert grown < 16 << 20, grown
        for p in peers:
            p.close()
