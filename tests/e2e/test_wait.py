# SPDX-License-Identifier: MIT
"""Forms whose destinations hold much of the memory wait for it in order, before 100 Continue and before their body is read."""
import re

from lib import *
from test_memory import check_peak, is_readable
from test_ops import Admin, get

ROUTES = """destinations:
  large: { type: discard, memory: 2MiB }
  none: { type: discard }
routes:
  - { id: large, match: { path: /large }, limits: { body: none }, digest: sha256, fields: [ { name: "*", store: { to: large, key: "{uuid}" } } ] }
  - id: both
    match: { path: /both }
    fields:
      - { name: "log", concat: { to: large, key: "log-{uuid}" } }
      - { name: "*", store: { to: large, key: "{uuid}" } }
  - { id: none, match: { path: /none }, fields: [ { name: "*", store: { to: none, key: "{uuid}" } } ] }
"""
TWO = "8MiB"  # of which 5248 KiB may be had beforehand
WAITS = "memory_wait: 10m\n"
BODY = form(part("f", noise(300_000), "name"))
EXPECT = "Expect: 100-continue\r\n"


def run(memory=TWO, head=WAITS, **how):
    return Admin(ROUTES, head=head, memory=memory, **how)


def waiting(p):
    return int(re.search(rb"penstock_requests_waiting (\d+)", get(p.admin, "/metrics").body)[1])


class Client:
    """Sends a head, and of the body the first `start` bytes."""

    def __init__(self, p, start=0, path="/large", body=BODY, extra=""):
        self.socket, self.body, self.sent = connect(p.port), body, start
        self.socket.sendall(head_of(path, len(body), extra=extra) + body[:start])

    def send(self, n=None):
        end = len(self.body) if n is None else self.sent + n
        self.socket.sendall(self.body[self.sent:end])
        self.sent = min(end, len(self.body))

    def answer(self):
        with self.socket:
            return read_answer(self.socket)

    def finish(self):
        self.send()
        return self.answer()

    def is_told(self):
        return is_readable(self.socket)

    def read_continue(self):
        wanted = b"HTTP/1.1 100 Continue\r\n\r\n"
        got = self.socket.recv(len(wanted), socket.MSG_WAITALL)
        assert got == wanted, got


def fill(p):
    """As many as there is memory for: no more of them are let in."""
    holders = [Client(p, 1000) for _ in range(2)]
    wait_for(lambda: b'penstock_route_requests{route="large"} 2' in get(p.admin, "/metrics").body, "both are in")
    assert waiting(p) == 0
    return holders


def queue_up(p, n, **how):
    clients = []
    for _ in range(n):
        before = waiting(p)
        clients.append(Client(p, **how))
        wait_for(lambda: waiting(p) == before + 1, "it waits")
    return clients


def is_whole(answer, data):
    return answer.status == 201 and [one["sha256"] for one in answer.json()["parts"]] == [sha256(d) for d in data]


def all_is_back(p):
    wait_for(lambda: b"penstock_memory_used_bytes 0" in get(p.admin, "/metrics").body, "all memory is back")


def test_forms_are_let_in_in_the_order_in_which_they_came():
    for how in ({"workers": 1}, {"workers": 2}):
        with run(**how) as p:
            holders = fill(p)
            clients = queue_up(p, 6, extra=EXPECT)
            for i, client in enumerate(clients):
                assert not any(c.is_told() for c in clients[i:]), f"{i} of them may be in"
                assert holders.pop(0).finish().status == 201
                client.read_continue()
                client.send(1000)
                holders.append(client)
            for client in holders:
                assert is_whole(client.finish(), [noise(300_000)])
            all_is_back(p)


def test_nothing_is_lost_of_a_body_that_was_sent_meanwhile():
    data = [noise(n, n) for n in (0, 1, 300, 70_000, 300_000, 5_000_000)]
    for chunk in (None, 1000):
        with run(workers=2) as p, contextlib.ExitStack() as ends:
            holders, clients, threads = fill(p), [], []
            for d in data:
                body = form(part("f", d, "name"))
                text = head_of("/large") + chunked(body, chunk) if chunk else head_of("/large", len(body)) + body
                clients.append(ends.enter_context(connect(p.port)))
                threads.append(threading.Thread(target=clients[-1].sendall, args=(text,)))
                threads[-1].start()
            wait_for(lambda: waiting(p) == len(data), "all wait")
            assert not any(map(is_readable, clients))
            assert [h.finish().status for h in holders] == [201, 201]
            for client, d in zip(clients, data):
                assert is_whole(read_answer(client), [d]), len(d)
            for t in threads:
                t.join()
            all_is_back(p)


def test_a_second_form_on_the_same_connection_waits_like_the_first():
    with run() as p:
        client = Client(p)
        client.send()
        assert read_answer(client.socket).status == 201
        holders = fill(p)
        client.socket.sendall(head_of("/large", len(BODY)) + BODY[:20_000])
        client.sent = 20_000
        wait_for(lambda: waiting(p) == 1, "it waits")
        assert [h.finish().status for h in holders] == [201, 201]
        assert is_whole(client.finish(), [noise(300_000)])


def test_forms_that_need_none_pass_those_that_wait():
    with run() as p:
        holders = fill(p)
        clients = queue_up(p, 3)
        assert post(p.port, "/none", BODY).status == 201
        assert not any(c.is_told() for c in clients)
        for c in holders + clients:
            assert c.finish().status == 201


def test_where_memory_is_used_up_it_waits_instead_of_being_refused():
    """Clients of another route have it, who are given up after a while because they stall."""
    routes = ROUTES.replace("destinations:\n", 'destinations:\n  up: { type: http, url: "http://127.0.0.1:{up}" }\n') + """
  - { id: held, match: { path: /held }, fields: [ { name: "*", store: { to: up, path: "/{uuid}" } } ] }
"""
    start = form(part("f", noise(20_000), "name"))[:-100]
    with Upstream() as up, Admin(routes, up, head=WAITS, memory=TWO) as p, contextlib.ExitStack() as ends:
        def press():  # many at once: those who stall are given up after a while
            for _ in range(25):
                ends.enter_context(Client(p, len(start), path="/held", body=start + b"x" * 100).socket)
            return post(p.port, "/held", BODY).status == 503
        wait_for(press, "memory is used up")
        answer = post(p.port, "/large", BODY)
        assert is_whole(answer, [noise(300_000)]), answer.body
        wait_for(lambda: post(p.port, "/held", BODY).status == 201, "there is room again")


def test_who_has_waited_for_too_long_is_told_to_come_again():
    with run(head="memory_wait: 100ms\n") as p:
        holders = fill(p)
        for how in ({"extra": EXPECT}, {"start": 0}, {"start": 1000}, {"start": len(BODY)}):
            client = Client(p, **how)
            answer = client.answer()
            assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer.headers
            assert answer.json()["limit"] == "memory" and "memory_wait" in answer.json()["detail"], answer.body
        assert waiting(p) == 0
        assert [h.finish().status for h in holders] == [201, 201]
        assert post(p.port, "/large", BODY).status == 201
        all_is_back(p)


def test_a_client_that_leaves_while_it_waits_leaves_the_line():
    big = form(part("f", noise(20_000_000), "name"))
    with run() as p:
        holders = fill(p)
        first, second = queue_up(p, 2, body=big, start=1000)
        first.socket.close()
        wait_for(lambda: waiting(p) == 1, "the first has left")
        reset = queue_up(p, 1)[0]
        reset.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reset.socket.close()
        wait_for(lambda: waiting(p) == 1, "so has the one that reset its connection")
        assert holders[0].finish().status == 201
        assert is_whole(second.finish(), [noise(20_000_000)])
        assert holders[1].finish().status == 201
        wait_for(lambda: {line["status"] for line in p.requests()} == {201, 499}, "the log says so")
        all_is_back(p)


def test_who_has_sent_all_and_only_closed_that_side_keeps_its_place():
    with run() as p:
        holders = fill(p)
        client = queue_up(p, 1, start=len(BODY))[0]
        client.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.05)  # it may not be taken for one that has left, however long that is
        assert waiting(p) == 1
        assert [h.finish().status for h in holders] == [201, 201]
        assert is_whole(client.answer(), [noise(300_000)])


def test_a_drain_answers_those_who_wait_and_lets_the_others_finish():
    with run(workers=2) as p:
        holders = fill(p)
        clients = queue_up(p, 2, extra=EXPECT) + queue_up(p, 2, start=1000)
        p.process.send_signal(signal.SIGTERM)
        for c in clients:
            answer = c.answer()
            assert answer.status == 503 and "shutting down" in answer.json()["detail"], answer.body
        assert [h.finish().status for h in holders] == [201, 201]
        assert p.process.wait(DEADLINE) == 0


def test_whoever_is_too_slow_is_given_up_while_others_wait():
    """One drips, one is not fast but moves."""
    big = form(part("f", noise(12_000_000), "name"))
    with run() as p:
        slow, mover = Client(p, 1000, body=big), Client(p, 1000, body=big)
        wait_for(lambda: b'penstock_route_requests{route="large"} 2' in get(p.admin, "/metrics").body, "both are in")
        client = queue_up(p, 1, extra=EXPECT)[0]

        def drip():
            if not slow.is_told():
                slow.send(500)
            mover.send(100_000)
            return client.is_told()
        wait_for(lambda: drip() or time.sleep(0.3), "the next one is let in")
        assert slow.is_told(), "it was the slow one that had to go"
        answer = slow.answer()
        assert answer.status == 408 and "others wait for the memory" in answer.json()["detail"], answer.body
        client.read_continue()
        assert is_whole(client.finish(), [noise(300_000)])
        assert is_whole(mover.finish(), [noise(12_000_000)])
        all_is_back(p)


def test_a_form_of_many_files_needs_no_more_than_one_of_one():
    data = [noise(n * 300_000, n) for n in range(1, 21)]
    body = form(*(part("f", d, "name") for d in data))
    for how in ({}, {"workers": "2, placement: spread"}):
        with run(**how) as p:
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(post(p.port, "/large", body))) for _ in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert len(answers) == 4 and all(is_whole(a, data) for a in answers), [a.body[:300] for a in answers]
            all_is_back(p)


def test_parts_that_are_joined_have_memory_of_their_own():
    """Of both kinds in turn, so that each holds some while the other one comes."""
    data = [noise(400_000, n) for n in range(20)]
    body = form(*(part("log" if n % 2 else "f", d, "name") for n, d in enumerate(data)))
    with run() as p:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(p.port, "/both", body))) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert [a.status for a in answers] == [201] * 4, [a.body[:300] for a in answers]
        all_is_back(p)


def test_a_hundred_large_uploads_that_start_together_all_finish_within_the_memory():
    is_fast = os.environ.get("E2E_TREE", "release") == "release" and not SMALL
    n, size = 100, 100_000_000 if is_fast else 1_500_000
    block = noise(1 << 20)
    start, end = part("f", b"", "name")[:-2], f"\r\n--{BOUNDARY}--\r\n".encode()
    routes = ROUTES.replace("memory: 2MiB", "memory: 5MiB")
    with Admin(routes, head=WAITS, memory="64MiB", workers=2) as p:
        together, statuses, lock = threading.Barrier(n), [], threading.Lock()

        def upload():
            together.wait()
            with connect(p.port, timeout=600) as s:
                s.sendall(head_of("/large", len(start) + size + len(end)) + start)
                with contextlib.suppress(ConnectionError):  # refused: the answer says why
                    for at in range(0, size, len(block)):
                        s.sendall(block[:size - at])
                    s.sendall(end)
                answer = read_answer(s)
            with lock:
                told = answer.json() if answer else {}
                statuses.append((told.get("status"), told["parts"][0]["size"] if "parts" in told else told.get("detail")))
        threads = [threading.Thread(target=upload) for _ in range(n)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert statuses == [(201, size)] * n, [one for one in statuses if one != (201, size)]
        check_peak(p, 64 + 32)
        all_is_back(p)
