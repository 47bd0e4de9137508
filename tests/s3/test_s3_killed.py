# SPDX-License-Identifier: MIT
"""With `state`, uploads that are under way are in the journal of commits: what a kill leaves of them the next start ends, those and
no others; and what could not be ended in time is ended by the same process, as soon as the store lets it."""
from fake_store import Upload
from misbehave import *
from s3 import *
from test_s3_abort import counted, in_journal, mortal
from test_s3_state import LARGE

SENT = PART + (1 << 20)  # one part, and some of the next


def begin(p, fake):
    """A file of which the store has a part, and more is to come."""
    client, n = connect(p.port), len(fake.of("part"))
    client.sendall(head_of("/s", 1 << 30) + form(*files(noise(SENT)))[:SENT])
    wait_for(lambda: len(fake.of("part")) > n and fake.of("part")[n].ended, f"the store has a part: {fake.calls}")
    upload = fake.of("part")[-1].upload
    wait_for(lambda: in_journal(p, upload), "the journal tells of it")
    return client, upload


def add_of_others(fake):
    """Of the same key, and of another."""
    others = {"other": Upload("1", {}, None, None, 0), "another": Upload("x", {}, None, None, 0)}
    with fake.lock:
        fake.store.uploads.update(others)
    return set(others)


def left(fake):
    with fake.lock:
        return {id for id, upload in fake.store.uploads.items() if not upload.done}


def test_what_was_under_way_at_a_kill_is_ended_and_nothing_else():
    with FakeS3() as fake, mortal(fake, memory="64MiB") as p:
        clients, ours = zip(*[begin(p, fake) for _ in range(3)])
        others = add_of_others(fake)
        p.kill()
        assert left(fake) == others | set(ours) and len(set(ours)) == 3
        n = len(fake.calls)
        p.again()
        wait_for(lambda: left(fake) == others, f"ours are ended: {fake.calls[n:]} {p.log()}")
        assert p.ask("readyz")[0] == 200
        wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
        assert {(call.kind, call.upload) for call in fake.calls[n:]} == {("abort", upload) for upload in ours}, fake.calls[n:]
        assert left(fake) == others and fake.store.objects() == {} and len(p.state_files()) == 1, p.state_files()
        for client in clients:
            client.close()


def test_a_kill_within_a_commit_of_one_object_takes_nothing_back():
    """Whether it was completed only the store knows; the object is whole or not there."""
    for is_done in (True, False):
        reached = threading.Event()

        def owe(call):
            call.read()
            if is_done:
                call.act()
            reached.set()
            call.fake.release.wait()
            return call.cut()
        with FakeS3() as fake, mortal(fake) as p:
            fake.on("complete", 1, owe)
            client, body = connect(p.port), form(*files(noise(LARGE)))
            client.sendall(head_of("/s", len(body)) + body)
            assert reached.wait(DEADLINE), fake.calls
            wait_for(lambda: in_journal(p, fake.of("complete")[-1].upload), "the journal tells of it; nobody waits for that (s3_note.h)")
            p.kill()
            client.close()
            fake.release.set()
            p.again()
            wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
            assert fake.store.objects() == ({"1": noise(LARGE)} if is_done else {}) and left(fake) == set(), fake.calls
            assert fake.of("delete") == fake.of("head") == [] and fake.of("abort"), fake.calls


def test_what_has_ended_is_not_in_the_journal():
    with FakeS3() as fake, mortal(fake) as p:
        for n in (1, 3):
            assert post(p.port, "/s", form(*files(*[noise(LARGE)] * n))).status == 201
        p.process.send_signal(signal.SIGTERM)
        p.ending.set()
        assert p.process.wait(DEADLINE) == 0, p.log()
        assert p.state_files() == [] and fake.of("abort") == [], (p.state_files(), fake.calls)


def test_what_could_not_be_ended_in_time_is_ended_later():
    """Nobody learns what became of a commit, and the abort that would tell is not answered either, for as long as the client waits."""
    with FakeS3() as fake, mortal(fake) as p:
        fake.on("complete", EVERY, lost_before)
        fake.on("head", EVERY, status(503, "SlowDown"))
        fake.on("abort", EVERY, status(503, "SlowDown"))
        answer = post(p.port, "/s", form(*files(noise(LARGE))))
        assert states(answer) == ["unknown"] and counted(p, "left") == 1, answer.body
        wait_for(lambda: p.unsettled() == 1, "it is left: " + p.log())
        fake.behaviours.clear()
        wait_for(lambda: left(fake) == set(), f"it is ended: {fake.calls}")
        wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
        p.process.send_signal(signal.SIGTERM)
        p.ending.set()
        assert p.process.wait(DEADLINE) == 0 and p.state_files() == [], (p.state_files(), p.log())
