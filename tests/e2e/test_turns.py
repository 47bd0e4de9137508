# SPDX-License-Identifier: MIT
"""Clients that send faster than they are read take turns; nobody who stops, leaves or is slow holds up the others."""
from lib import *

DIR = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, limits: { body: none }, digest: sha256, fields: [ { name: "*", drop: true } ] }
  - { id: s, match: { path: /s }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""


def at_once(n, run):
    """Runs run(0) .. run(n - 1) on threads; what they return, in order."""
    results = [None] * n

    def one(i):
        results[i] = run(i)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(DEADLINE * 2)
        assert not t.is_alive()
    return results


def test_fast_clients_take_turns_and_all_arrive_whole():
    size, n = rounds(24) * 1_000_000, 12
    data = [os.urandom(size) for _ in range(n)]
    with Penstock(DIR) as p:
        answers = at_once(n, lambda i: post(p.port, "/d", form(part("f", data[i], "f"), part("v", b"%d" % i))))
        for i, answer in enumerate(answers):
            assert answer.status == 201, answer.body
            assert answer.json()["parts"][0]["sha256"] == sha256(data[i])


def test_whoever_stops_in_his_turn_does_not_hold_up_others():
    body = form(part("f", noise(12_000_000), "f"))
    with Penstock(DIR) as p:
        stopped = [connect(p.port) for _ in range(6)]

        def start(i):
            stopped[i].sendall(head_of("/d", len(body)) + body[:8_000_000 + i])

        at_once(len(stopped), start)
        answers = at_once(6, lambda i: post(p.port, "/d", body))
        assert [a.status for a in answers] == [201] * 6
        for i, s in enumerate(stopped):
            s.sendall(body[8_000_000 + i:])
            assert read_answer(s).status == 201
            s.close()


def test_whoever_leaves_while_others_have_their_turn_leaves_nothing():
    body = form(part("f", noise(8_000_000), "f"))
    with Penstock(DIR) as p:
        def leave(i):
            with connect(p.port) as s:
                s.sendall(head_of("/s", len(body)) + body[:4_000_000 + 500_000 * (i % 8)])

        at_once(24, lambda i: leave(i) if i % 3 else post(p.port, "/s", body))
        wait_for(lambda: len(p.requests()) == 24, "every request has ended")
        assert sorted(r["status"] for r in p.requests()) == [201] * 8 + [499] * 16
        assert {sha256(data) for data in p.files().values()} == {sha256(noise(8_000_000))} and len(p.files()) == 8
