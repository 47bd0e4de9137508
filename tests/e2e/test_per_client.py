# SPDX-License-Identifier: MIT
"""What one client may have of a route at once: counted over all workers, for whom `trust` believes, and given back whatever
ends an upload."""
import threading

from lib import *
from test_ops import Admin, read_metrics

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: up, match: { path: /up }, limits: { per_client: { uploads: 3 } }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
  - { id: lines, match: { path: /lines }, limits: { per_client: { connections: 2 } }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
  - { id: free, match: { path: /free }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
"""
BODY = form(part("a", noise(2000), "a"))


def of(client):
    return f"X-Forwarded-For: {client}\r\n"


def begin(p, client, path="/up"):
    """An upload that is let in, and of which only some has come."""
    s = connect(p.port)
    s.sendall(head_of(path, len(BODY), extra=of(client) + "Expect: 100-continue\r\n"))
    assert s.recv(4096).startswith(b"HTTP/1.1 100"), client
    s.sendall(BODY[:500])
    return s


def refusal(answer, limit):
    assert answer.status == 429 and answer.headers["retry-after"] == "1", (answer.status, answer.body)
    told = answer.json()
    assert told["limit"] == limit and told["type"] == "urn:penstock:problem:too-many", told
    return told


def test_all_workers_count_one_client_together():
    with Admin(ROUTES, workers=4) as p:
        running = [begin(p, "192.0.2.1") for _ in range(3)]
        for _ in range(8):  # on whatever worker
            told = refusal(post(p.port, "/up", BODY, extra=of("192.0.2.1")), "per_client.uploads")
            assert told["route"] == "up" and "3 uploads" in told["detail"], told
        assert post(p.port, "/up", BODY, extra=of("192.0.2.2")).status == 201, "another client"
        assert post(p.port, "/free", BODY, extra=of("192.0.2.1")).status == 201, "another route"
        wait_for(lambda: read_metrics(p)["penstock_client_counts"] == 1, "nobody else is remembered")
        for s in running[:2]:
            s.sendall(BODY[500:])
            assert read_answer(s).status == 201
        running[2].close()  # in the middle of its body
        wait_for(lambda: read_metrics(p)["penstock_client_counts"] == 0, "nothing is left of any of them")
        for s in running:
            s.close()
        wait_for(lambda: read_metrics(p)['penstock_client_refusals_total{limit="uploads"}'] == 8, "each refusal is counted once")
        assert post(p.port, "/up", BODY, extra=of("192.0.2.1")).status == 201


def test_a_64_is_one_client_and_a_liar_is_himself():
    with Penstock(ROUTES) as p:
        running = [begin(p, f"2001:db8:0:1::{n}") for n in range(3)]
        refusal(post(p.port, "/up", BODY, extra=of("2001:db8:0:1:ffff:ffff:ffff:ffff")), "per_client.uploads")
        assert post(p.port, "/up", BODY, extra=of("2001:db8:0:2::")).status == 201
        for s in running:
            s.close()
    with Penstock(ROUTES, head="trust: { proxies: none }") as p:
        running = [begin(p, f"192.0.2.{n}") for n in range(3)]
        refusal(post(p.port, "/up", BODY, extra=of("192.0.2.9")), "per_client.uploads")
        for s in running:
            s.close()


def test_a_client_that_comes_all_at_once_gets_no_more():
    """Sixteen at one moment: three are let in, whichever they are, and the others are told."""
    with Penstock(ROUTES, workers=4) as p, contextlib.ExitStack() as open_ones:
        answers, start = [], threading.Barrier(16)

        def come():
            s = open_ones.enter_context(connect(p.port))
            start.wait()
            s.sendall(head_of("/up", len(BODY), extra=of("192.0.2.1") + "Expect: 100-continue\r\n"))
            answers.append(s.recv(4096).split()[1])

        threads = [threading.Thread(target=come) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(answers) == [b"100"] * 3 + [b"429"] * 13, answers


def test_a_connection_counts_while_it_is_open():
    with Penstock(ROUTES, workers=2) as p:
        kept = [connect(p.port) for _ in range(2)]
        for s in kept * 2:
            s.sendall(head_of("/lines", len(BODY), extra=of("192.0.2.1")) + BODY)
            assert read_answer(s).status == 201, "each as often as it likes"
        with connect(p.port) as s:
            s.sendall(head_of("/lines", len(BODY), extra=of("192.0.2.1")) + BODY)
            answer = read_answer(s)
            refusal(answer, "per_client.connections")
            assert answer.headers["connection"] == "close" and s.recv(1) == b"", "it is not kept"
        assert post(p.port, "/lines", BODY, extra=of("192.0.2.2")).status == 201
        kept[0].sendall(head_of("/lines", len(BODY), extra=of("192.0.2.2")) + BODY)  # a gateway's, for another client
        assert read_answer(kept[0]).status == 201
        assert post(p.port, "/lines", BODY, extra=of("192.0.2.1")).status == 201
        kept[1].close()
        wait_for(lambda: post(p.port, "/lines", BODY, extra=of("192.0.2.1")).status == 201, "its place is free")
        kept[0].close()
