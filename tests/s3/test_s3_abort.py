# SPDX-License-Identifier: MIT
"""An upload that nobody wants any more is aborted, and nobody waits for it: neither the client who is refused, nor longer than it
has been told to a process that ends. What a kill cuts short the next start ends, if there is a journal."""
import urllib.parse

import misbehave as mis
from s3 import *
from test_ops import Admin
from test_s3_metrics import s3_metrics
from test_s3_state import routes_with
from test_state import ADMIN, HEAD, Mortal

ROUTES = routes(rule="max_size: 300KiB,")
DENIED = mis.status(403, "AccessDenied")
MOST = 64  # on one engine


def refuse_too_large(p):
    """When it has an upload already."""
    body, n = form(*files(noise(400 << 10))), len(p.fake.of("create"))
    with connect(p.port) as s:
        s.sendall(head_of("/s", len(body)) + body[:290 << 10])
        wait_for(lambda: len(p.fake.of("create")) > n, "its upload has begun")
        s.sendall(body[290 << 10:])
        answer = read_answer(s)
    assert answer.status == 413, answer.body


def refuse_bad_part(p):
    p.fake.on("part", 1, DENIED)
    answer = post(p.port, "/s", form(*files(noise(SHORT))))
    assert answer.status == 502 and "AccessDenied" in answer.json()["detail"], answer.body


def refuse_bad_complete(p):
    p.fake.on("complete", 1, DENIED)
    answer = post(p.port, "/s", form(*files(noise(SHORT))))
    assert answer.status == 502 and states(answer) in ([], ["aborted"]), answer.body


def leave(p):
    held = Held(p, files(noise(SHORT)) + files(b"so that the one before has ended"))
    wait_for(lambda: p.fake.of("part") and p.fake.of("part")[-1].ended, "the part is there")
    held.socket.close()


def serve(kind, routes, fake, **how):
    p = kind(routes, fake, **how)
    p.fake = fake
    return p


def pending(fake):
    return [call for call in fake.of("abort") if not call.ended]


def ending(p):
    return sum(n for key, n in s3_metrics(p).items() if key.startswith("penstock_s3_uploads_ending{"))


def counted(p, name):
    return s3_metrics(p)[f'penstock_s3_uploads_{name}_total{{destination="s"}}']


def test_a_refusal_does_not_wait_for_an_abort_that_is_never_answered():
    for refuse in (refuse_too_large, refuse_bad_part, refuse_bad_complete, leave):
        with FakeS3() as fake, serve(Admin, ROUTES if refuse is refuse_too_large else routes(), fake) as p:
            fake.on("abort", EVERY, mis.hang)
            refuse(p)
            wait_for(lambda: len(pending(fake)) == 1, f"it is being aborted: {fake.calls}")
            wait_for(lambda: len(p.requests()) == 1, "the request is over")
            assert ending(p) == 1 and counted(p, "left") == 0 and "may be left" not in p.log(), p.log()
            fake.behaviours.clear()
            assert post(p.port, "/s", form(*files(noise(SHORT)))).status == 201  # others go on beside it
            fake.release.set()
            check_nothing_is_left(fake)


def test_an_abort_that_is_answered_late_ends_the_upload():
    for refuse in (refuse_too_large, refuse_bad_part, leave):
        go = threading.Event()
        with FakeS3() as fake, serve(Admin, ROUTES if refuse is refuse_too_large else routes(), fake) as p:
            fake.on("abort", 1, mis.then_normal(go))
            refuse(p)
            wait_for(lambda: pending(fake) and len(p.requests()) == 1, "it is being aborted, and the request is over")
            assert len(fake.store.unfinished()) == 1 and ending(p) == 1
            go.set()
            check_nothing_is_left(fake)
            wait_for(lambda: ending(p) == 0, "it has ended")
            assert counted(p, "aborted") == 1 and counted(p, "left") == 0 and "may be left" not in p.log(), p.log()


def test_a_refusal_does_not_wait_for_a_create_either():
    go = threading.Event()
    with FakeS3() as fake, serve(Admin, ROUTES, fake) as p:
        fake.on("create", 1, mis.then_normal(go))
        refuse_too_large(p)
        assert len(fake.of("create")) == 1 and not fake.of("create")[0].ended and fake.of("abort") == [], fake.calls
        wait_for(lambda: len(p.requests()) == 1, "the request is over")
        assert ending(p) == 1
        go.set()
        wait_for(lambda: counted(p, "aborted") == 1 and ending(p) == 0, f"its upload is aborted: {fake.calls}")
        check_nothing_is_left(fake)


def refuse_with_a_part_in_flight(p, behaviour):
    p.fake.on("part", 1, behaviour)
    body = form(*files(noise(SHORT), noise(400 << 10)))
    with connect(p.port) as s:
        s.sendall(head_of("/s", len(body)) + body[:SHORT + 2000])
        wait_for(lambda: p.fake.of("part") and p.fake.of("part")[0].is_read, "the store has its part")
        s.sendall(body[SHORT + 2000:])
        answer = read_answer(s)
    assert answer.status == 413, answer.body


def test_a_refusal_does_not_wait_for_a_part_either():
    """The store may keep it, and with it the upload, so this is aborted at once, and again when the part has been answered."""
    go = threading.Event()
    with FakeS3() as fake, serve(Admin, ROUTES, fake) as p:
        refuse_with_a_part_in_flight(p, mis.takes_until(go))
        wait_for(lambda: len(p.requests()) == 1 and fake.store.unfinished() == [] and ending(p) == 1, f"it is aborted: {fake.calls}")
        time.sleep(1)
        n = len(fake.of("abort"))
        go.set()
        wait_for(lambda: ending(p) == 0, "it has ended")
        assert [call.upload for call in fake.of("abort")[n:]] == [fake.of("part")[0].upload], fake.calls
        assert fake.store.unfinished() == [] and "may be left" not in p.log(), (fake.calls, p.log())


def test_a_part_that_is_never_answered_is_waited_for_only_so_long():
    """Here the process ends."""
    with FakeS3() as fake, serve(Admin, ROUTES, fake) as p:
        refuse_with_a_part_in_flight(p, mis.hang)
        wait_for(lambda: len(p.requests()) == 1 and fake.store.unfinished() == [] and ending(p) == 1, f"it is aborted: {fake.calls}")
        for _ in range(2):
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
        assert p.process.wait(DEADLINE) == 0 and "may be left" not in p.log(), p.log()
        upload = fake.of("part")[0].upload
        assert len([call for call in fake.of("abort") if call.upload == upload]) == 2, fake.calls


def test_a_reload_takes_nothing_from_an_abort():
    go = threading.Event()
    with FakeS3() as fake, serve(Admin, ROUTES, fake) as p:
        fake.on("abort", 1, mis.then_normal(go))
        refuse_too_large(p)
        wait_for(lambda: pending(fake), "it is being aborted")
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("  s: {", "  other: {").replace("to: s,", "to: other,"))
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any('"other"' in key for key in s3_metrics(p)), "the destination is gone: " + p.log())
        go.set()
        check_nothing_is_left(fake)
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201


def test_there_are_only_so_many():
    """The next one waits for its abort, as long as that may last."""
    go = threading.Event()
    with FakeS3() as fake, serve(Admin, ROUTES, fake, memory="64MiB", workers=1) as p:
        fake.on("abort", EVERY, mis.then_normal(go))
        for _ in range(MOST):
            refuse_too_large(p)
        wait_for(lambda: len(pending(fake)) == MOST and len(p.requests()) == MOST, f"as many as may be: {len(pending(fake))}")
        assert ending(p) == MOST
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            last = pool.submit(refuse_too_large, p)
            wait_for(lambda: len(fake.of("abort")) == MOST + 1, "one more is being aborted")
            assert not last.done() and len(p.requests()) == MOST and ending(p) == MOST
            go.set()
            last.result(DEADLINE)
        wait_for(lambda: ending(p) == 0, "all have ended")
        check_nothing_is_left(fake)
        assert counted(p, "aborted") == MOST + 1


def test_a_drain_waits_for_what_is_being_aborted():
    go = threading.Event()
    with FakeS3() as fake, serve(Penstock, ROUTES, fake) as p:
        fake.on("abort", 1, mis.then_normal(go))
        refuse_too_large(p)
        wait_for(lambda: pending(fake), "it is being aborted")
        p.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in p.log(), "it drains")
        assert p.process.poll() is None and pending(fake)
        go.set()
        assert p.process.wait(DEADLINE) == 0
        assert fake.store.unfinished() == [] and "may be left" not in p.log(), (fake.calls, p.log())


def test_but_not_longer_than_it_may():
    """By itself, or told for the second time; also of a create."""
    for head, second, kind in (("shutdown: { drain: 300ms }", False, "abort"), ("", True, "abort"), ("shutdown: { drain: 300ms }", False, "create")):
        with FakeS3() as fake, serve(Penstock, ROUTES, fake, head=head) as p:
            fake.on(kind, EVERY, mis.hang)
            refuse_too_large(p)
            wait_for(lambda: fake.of(kind), "it is being aborted")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
            if second:
                p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(DEADLINE) == 0, p.log()
            assert "an unfinished upload may be left" in p.log() and "ending although" not in p.log(), p.log()


def test_an_end_does_not_deny_what_may_still_come_to_be():
    """The store has the whole Complete, whose connection dies, and takes its time; the abort that would keep it from it is not answered."""
    go = threading.Event()

    def late(call):
        call.read()
        call.socket.shutdown(socket.SHUT_RDWR)
        go.wait()
        call.act()
        return call.cut()
    with FakeS3() as fake, serve(Penstock, routes("retry: { parts: 0, connect: 0 }"), fake) as p:
        fake.on("complete", 1, late)
        fake.on("abort", EVERY, mis.hang)
        held = Held(p, files(noise(SHORT)))
        held.socket.sendall(END)
        wait_for(lambda: pending(fake), f"it is being aborted: {fake.calls}")
        for n in (1, 2):
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
        answer = held.answer()
        go.set()
        wait_for(lambda: fake.store.objects() == {"1": noise(SHORT)}, f"it comes to be after all: {fake.calls}")
        assert states(answer) == ["unknown"], (answer.status, answer.body)
        assert p.process.wait(DEADLINE) == 0


def in_journal(p, upload):
    def is_in(name):
        with open(os.path.join(p.dir, "state", name), "rb") as f:
            return urllib.parse.quote(upload, safe="").encode() in f.read()
    return any(is_in(name) for name in p.state_files())


def check_next_start_ends_it(p, fake):
    """That, and nothing else: there never was an object."""
    fake.behaviours.clear()
    fake.release.set()
    n = len(fake.calls)
    p.again()
    wait_for(lambda: "an upload that may have been unfinished is gone" in p.log(), "it is ended: " + p.log())
    assert fake.store.unfinished() == [] and {call.kind for call in fake.calls[n:]} == {"abort"}, fake.calls
    assert p.ask("readyz")[0] == 200 and p.figure("penstock_state_taken_back_total") == 0
    wait_for(lambda: p.unsettled() == 0 and len(p.state_files()) == 1, f"nothing is left to do: {p.state_files()}")


def mortal(fake, **how):
    p = Mortal(routes_with(key="{part}"), fake, head=HEAD + ADMIN, **how)
    p.fake, p.admin = fake, os.path.join(p.dir, "admin.sock")
    return p


def journalled(fake):
    """A form that was refused, whose upload the journal tells of, and whose abort is not answered."""
    p = mortal(fake)
    fake.on("abort", EVERY, mis.hang)
    refuse_bad_part(p)
    wait_for(lambda: fake.of("abort") and in_journal(p, fake.of("abort")[0].upload), "it is being aborted, and the journal says so")
    assert len(fake.store.unfinished()) == 1
    return p


def test_what_a_kill_cuts_short_the_next_start_ends():
    with FakeS3() as fake, journalled(fake) as p:
        p.kill()
        check_next_start_ends_it(p, fake)


def test_what_an_end_cuts_short_the_next_start_ends():
    with FakeS3() as fake, journalled(fake) as p:
        p.ending.set()
        p.process.send_signal(signal.SIGTERM)
        wait_for(lambda: '"draining"' in p.log(), "it drains")
        p.process.send_signal(signal.SIGTERM)
        assert p.process.wait(DEADLINE) == 0, p.log()
        check_next_start_ends_it(p, fake)


def test_what_is_ended_is_forgotten():
    """And what nobody may end as well: the next start could not, either."""
    for behaviour, left in ((None, 0), (DENIED, 1)):
        with FakeS3() as fake, mortal(fake) as p:
            if behaviour is not None:
                fake.on("abort", EVERY, behaviour)
            refuse_bad_part(p)
            wait_for(lambda: fake.of("abort") and fake.of("abort")[0].ended and ending(p) == 0, f"it is over: {fake.calls}")
            assert counted(p, "left") == left and len(fake.store.unfinished()) == left
            p.process.send_signal(signal.SIGTERM)
            p.ending.set()
            assert p.process.wait(DEADLINE) == 0, p.log()
            assert p.state_files() == [], p.state_files()


def test_what_is_refused_now_is_not_forgotten():
    """Keys and clocks change, so it is asked again, by this process."""
    with FakeS3() as fake, mortal(fake) as p:
        fake.on("abort", EVERY, mis.status(403, "RequestTimeTooSkewed"))
        refuse_bad_part(p)
        wait_for(lambda: p.unsettled() == 1, f"it is left: {fake.calls}")
        fake.behaviours.clear()
        check_nothing_is_left(fake)
        wait_for(lambda: p.unsettled() == 0, f"nothing is left to do: {p.state_files()}")


def test_what_the_store_was_too_busy_for_at_the_end_the_next_start_ends():
    """Whichever status it says that by."""
    for code, name in ((409, "OperationAborted"), (408, None)):
        with FakeS3() as fake, mortal(fake) as p:
            fake.on("abort", EVERY, mis.status(code, name))
            refuse_bad_part(p)
            wait_for(lambda: len(fake.of("abort")) > 1 and in_journal(p, fake.of("abort")[0].upload), "it is asked again, and in the journal")
            p.ending.set()
            for _ in range(2):
                p.process.send_signal(signal.SIGTERM)
                wait_for(lambda: '"draining"' in p.log(), "it drains")
            assert p.process.wait(DEADLINE) == 0, p.log()
            check_next_start_ends_it(p, fake)


def test_an_upload_of_a_destination_that_is_gone_is_told():
    with FakeS3() as fake, journalled(fake) as p:
        p.kill()
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("  s: {", "  other: {").replace("to: s,", "to: other,"))
        fake.release.set()
        n = len(fake.calls)
        p.again()
        wait_for(lambda: "may be unfinished, and is let be" in p.log(), "it is told: " + p.log())
        assert fake.calls[n:] == [] and p.unsettled() == 1 and p.ask("readyz")[0] == 200
