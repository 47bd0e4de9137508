# SPDX-License-Identifier: MIT
"""Clients that leave at any place, a penstock that is told to end, and what all of it may cost of memory."""
import random

import misbehave as mis
from s3 import *

FORM = form(*files(noise(KEPT), noise(SHORT), noise(LONG), noise(KEPT, 2), noise(PART, 3)))


def cut(p, n, reset, chunks):
    with connect(p.port) as s, contextlib.suppress(ConnectionError):
        if reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.sendall(head_of("/s") + b"%x\r\n" % len(FORM) + FORM[:n] if chunks else head_of("/s", len(FORM)) + FORM[:n])


def test_a_client_cut_at_a_hundred_places_leaves_no_object_and_no_upload():
    where = random.Random(15)
    places = [where.randrange(len(FORM)) for _ in range(rounds(90))] + [len(FORM) - n for n in (1, 2, 3, 4, 5, 20, 40, PART, PART + 100, PART + KEPT)]
    with FakeS3() as fake, Penstock(routes(), fake, memory="64MiB", workers=2) as p:
        fake.on("part", 7, mis.slow(0.3))
        fake.on("create", 5, mis.slow(0.3))
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda i: cut(p, places[i], i % 3 == 0, i % 2 == 0), range(len(places))))
        assert post_when_there_is_room(p, FORM).status == 201  # and whole it is good
        wait_for(lambda: all(call.ended for call in fake.calls), "every call has ended")
        check_nothing_is_left(fake)
        assert sorted(fake.store.objects()) == ["1", "2", "3", "4", "5"] and fake.count("complete") == 3, fake.calls
        assert fake.count("put") == 2 and {r["status"] for r in p.requests()} <= {499, 400, 503, 201}, p.requests()
        assert fake.refused() == []


def post_when_there_is_room(p, body):
    def tried():
        answer = post(p.port, "/s", body)
        assert answer.status in (201, 503), answer.body
        return answer.status == 201 and answer
    return wait_for(tried, "there is room")


def test_sigterm_lets_an_upload_finish():
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        held = Held(p, files(noise(LONG)))
        wait_for(lambda: fake.of("part"), "it has begun")
        p.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in p.log(), "it drains")
        assert held.finish().status == 201 and list(fake.store.objects().values()) == [noise(LONG)]
        assert p.process.wait(DEADLINE) == 0


def test_what_a_drain_gives_up_is_aborted_before_the_end():
    for head, second in (("shutdown: { drain: 300ms }", False), ("", True)):
        with FakeS3() as fake, Penstock(routes(), fake, head=head, memory="64MiB") as p:
            helds = [Held(p, files(noise(n))) for n in (SHORT, LONG, PART + 1000)]
            wait_for(lambda: len(fake.store.unfinished()) == 3, "they have begun")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
            if second:
                p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(DEADLINE) == 0
            assert fake.store.objects() == {} and fake.store.unfinished() == [], fake.calls
            for held in helds:
                held.socket.close()


def test_a_drain_waits_for_a_complete_that_is_owed():
    go = threading.Event()
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        fake.on("complete", 1, mis.then_normal(go))
        held = Held(p, files(noise(SHORT)))
        held.socket.sendall(END)
        wait_for(lambda: fake.of("complete"), "the complete has come")
        p.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in p.log(), "it drains")
        go.set()
        answer = held.answer()
        assert answer.status == 201 and list(fake.store.objects().values()) == [noise(SHORT)], answer.body
        assert p.process.wait(DEADLINE) == 0


# -- memory -----------------------------------------------------------------------------------------------------------

def check_peak(p, most_mib):
    """Without the pages of programs and libraries: how many of them are mapped is the kernel's affair, and it can drop them."""
    if os.environ.get("E2E_TREE", "release") == "release":
        peak = p.memory("VmHWM") - p.memory("RssFile")
        assert peak < most_mib << 20, f"{peak >> 20} MiB"


def test_one_long_file_costs_its_parts_and_16_mib():
    data = noise(60_000_000)
    with FakeS3(keep=False) as fake, Penstock(routes("in_flight: 2"), fake, memory="64MiB") as p:
        fake.on("part", EVERY, mis.slow(0.05))
        assert post(p.port, "/s", form(*files(data))).status == 201
        check_peak(p, 3 * 5 + 16)


def test_a_crowd_stays_within_the_budget():
    n = 8 if SMALL else 40
    data = noise(2 * PART + 1000)
    whole, body = [sha256(data[i:i + PART]) for i in range(0, len(data), PART)], form(*files(data))
    with FakeS3(keep=False) as fake, Penstock(routes(key="{uuid}"), fake, memory="64MiB", workers=2) as p:
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            answers = list(pool.map(lambda _: post(p.port, "/s", body), range(n)))
        statuses = [a.status for a in answers]
        assert 201 in statuses and set(statuses) <= {201, 503}, statuses
        assert all("retry-after" in a.headers for a in answers if a.status == 503)
        check_peak(p, 96)
        check_nothing_is_left(fake)
        stored = {key: fake.store.object(key).pieces for key in fake.store.objects()}
        assert len(stored) == statuses.count(201) and all(pieces == whole for pieces in stored.values())
        post_when_there_is_room(p, body)


def test_clients_that_stand_still_cost_no_more_than_the_budget():
    n = 8 if SMALL else 60
    with FakeS3(keep=False) as fake, Penstock(routes(key="{uuid}"), fake, memory="64MiB", workers=2) as p:
        body = b"".join(files(noise(SHORT)))
        sockets = [connect(p.port) for _ in range(n)]
        for s in sockets:
            with contextlib.suppress(ConnectionError):
                s.sendall(head_of("/s", 20 * MIB) + body[:SHORT])
        wait_for(lambda: len(fake.of("create")) + len(p.requests()) >= n, f"all are in or refused: {len(fake.of('create'))} {len(p.requests())}")
        check_peak(p, 96)
        for s in sockets:
            s.close()
        check_nothing_is_left(fake)
        assert fake.store.objects() == {}
