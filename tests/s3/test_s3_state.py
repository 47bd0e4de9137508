# SPDX-License-Identifier: MIT
"""A process that is killed while forms are committed whose objects lie in a bucket: with `state`, the next start leaves none
of them half visible, and no upload of theirs unfinished."""
import itertools

import sigv4

from misbehave import *
from s3 import *
from test_s3_metrics import container, environment
from test_state import ADMIN, HEAD, Mortal, change

ROUTES = """destinations:
  s: {{ type: s3, endpoint: "http://127.0.0.1:{{up}}", bucket: bkt, {keys}undo: {undo}, put_max: 16KiB, timeout: {{ total: 1s }} }}
routes:
  - id: s
    match: {{ path: "/s" }}
    fields: [ {{ name: "*", store: {{ to: s, key: "{key}" }} }} ]
"""
KEYS = "credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, "
PUT, LARGE = 500, 50000  # a request at the commit; an upload


def routes_with(key="{part}-{uuid}", undo="DELETE", keys=KEYS):
    return ROUTES.format(key=key, undo=undo, keys=keys)


def cut_short(fake, sizes, kind, n, routes=None, env=None):
    """A process that was killed when the n-th call of a kind was at the store, which has carried it out and owes the answer."""
    reached = threading.Event()

    def owe(call):
        call.read()
        call.act()
        reached.set()
        call.fake.release.wait()
        return call.cut()
    fake.on(kind, n, owe)
    p = Mortal(routes or routes_with(), fake, head=HEAD + ADMIN, env=env)
    wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready, and has its keys: " + p.log())
    body = form(*files(*[bytes(size) for size in sizes]))
    client = connect(p.port)
    client.sendall(head_of("/s", len(body)) + body)
    assert reached.wait(DEADLINE), (kind, n, fake.calls)
    p.kill()
    client.close()
    fake.release.set()
    return p


def check_all_is_taken_back(p, fake):
    wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
    assert fake.store.objects() == {} and fake.store.unfinished() == [], (fake.calls, p.log())
    assert fake.refused() == [] and len(p.state_files()) == 1, (fake.calls, p.state_files())
    assert p.ask("readyz")[0] == 200, p.ask("readyz")


def test_no_kill_within_a_commit_leaves_a_half_or_an_upload():
    for sizes, kind, n in itertools.chain(
            (((PUT,) * 3, "put", n) for n in (1, 2)), (((LARGE,) * 3, "complete", n) for n in (1, 2)),
            (((LARGE, PUT, LARGE), kind, 1) for kind in ("complete", "put"))):
        for versioning in (False, True):
            with FakeS3(versioning=versioning) as fake, cut_short(fake, sizes, kind, n) as p:
                assert fake.store.objects() and len(fake.store.objects()) + len(fake.store.unfinished()) <= 3
                p.again()
                check_all_is_taken_back(p, fake)
                assert len({call.upload for call in fake.of("abort")}) == sizes.count(LARGE), fake.calls
                n_there = len({call.key for call in fake.of("delete")})
                assert len(fake.of("delete")) == n_there and p.figure("penstock_state_taken_back_total") == n_there, fake.calls
                assert len({call.key for call in fake.of("head")}) == 3, fake.calls
                assert not any(fake.store.versions.values()), fake.store.versions  # neither a version of it nor a marker


def test_what_a_bucket_refuses_to_take_back_is_taken_back_while_the_process_runs():
    """In a bucket with versions, too, no version of it is left, and no marker."""
    for sizes, versioning in (((PUT,) * 3, False), ((PUT,) * 3, True), ((LARGE, PUT, LARGE), True)):
        with FakeS3(versioning=versioning) as fake, Mortal(routes_with(), fake, head=HEAD + ADMIN) as p:
            wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready: " + p.log())
            fake.on("delete", EVERY, status(403, "AccessDenied"))
            fake.on("put", 2 if sizes[0] == PUT else 1, status(403, "AccessDenied"))
            assert post(p.port, "/s", form(*files(*[bytes(size) for size in sizes]))).status == 502
            n = len(fake.store.objects())
            assert n > 0 and p.ask("readyz")[0] == 200, (fake.calls, p.log())
            wait_for(lambda: p.log().count("an object of a form that was given up cannot be taken back yet") == n, "it is asked for again: " + p.log())
            fake.on("delete", EVERY, normal)
            wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
            assert fake.store.objects() == {} and fake.store.unfinished() == [] and not any(fake.store.versions.values()), (fake.calls, p.log())
            assert p.figure("penstock_state_taken_back_total") == n and len(p.state_files()) == 1, fake.calls


def test_an_upload_is_ended_before_its_object_is_asked_for():
    with FakeS3() as fake, cut_short(fake, (LARGE, LARGE), "complete", 1) as p:
        p.again()
        check_all_is_taken_back(p, fake)
        for key in {call.key for call in fake.of("delete")}:
            kinds = [call.kind for call in fake.calls if call.key == key and call.method == "DELETE"]
            assert kinds[0] == "abort" and set(kinds[1:]) == {"delete"}, fake.calls


def test_an_upload_is_ended_also_where_nobody_may_touch_the_object():
    for routes in (routes_with(key="{part}"), routes_with(undo="none")):
        with FakeS3() as fake, cut_short(fake, (LARGE, LARGE), "complete", 1, routes) as p:
            p.again()
            wait_for(lambda: p.log().count("may be there, and is let be") == 2, "both are told: " + p.log())
            assert fake.store.unfinished() == [] and len(fake.store.objects()) == 1 and fake.of("delete") == [], fake.calls
            assert p.unsettled() == 2 and p.ask("readyz")[0] == 200


def test_a_store_that_is_busy_is_asked_again():
    with FakeS3() as fake, cut_short(fake, (LARGE, PUT), "complete", 1) as p:
        for kind in ("abort", "delete"):
            for n in (1, 2):
                fake.on(kind, n, status(503, "SlowDown"))
        p.again()
        wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
        assert fake.store.objects() == {} and fake.store.unfinished() == [], fake.calls
        wait_for(lambda: "its destination refuses" in p.log(), "the log says so")


def test_what_lands_after_the_first_delete_is_taken_back():
    with FakeS3() as fake, cut_short(fake, (PUT, PUT), "put", 1) as p:
        late = dict(fake.store.versions)
        assert len(late) == 1

        def land(call):
            reply = call.act()
            with fake.lock:
                fake.store.versions.update({key: late.pop(key) for key in list(late) if key == call.key})
            return call.send(reply)
        fake.on("delete", EVERY, land)
        p.again()
        check_all_is_taken_back(p, fake)
        assert not late and len(fake.of("delete")) == 2, fake.calls


def test_who_may_not_look_deletes_unseen():
    with FakeS3() as fake, cut_short(fake, (PUT, PUT), "put", 1) as p:
        fake.on("head", EVERY, status(403, None))
        p.again()
        check_all_is_taken_back(p, fake)
        assert len({call.key for call in fake.of("delete")}) == 2, fake.calls


def test_with_keys_that_are_refused_it_waits_for_others():
    with FakeS3() as fake, cut_short(fake, (LARGE, PUT), "complete", 1) as p:
        change(p, "SKTESTSECRET", "SKOTHER")
        p.again()
        wait_for(lambda: "its destination refuses" in p.log(), "it is refused: " + p.log())
        assert p.ask("readyz")[0] == 503 and len(fake.store.objects()) == 1
        change(p, "SKOTHER", "SKTESTSECRET")
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
        assert fake.store.objects() == {} and fake.store.unfinished() == [], fake.calls


def test_keys_that_are_refused_are_renewed():
    """They are fetched anew once they are ten seconds old. Each reload asks the store at once."""
    given, old, new = {"left": 3600}, sigv4.Keys(), sigv4.Keys(access="AKNEW")
    with FakeS3(keys=[old]) as fake, container(given) as keys, cut_short(fake, (LARGE, PUT), "complete", 1, routes_with(keys=""), environment(keys)) as p:
        fake.keys = [new]
        p.again(environment(keys))
        wait_for(lambda: any(call.code == "InvalidAccessKeyId" for call in fake.calls), "it is refused: " + p.log())
        given["access"] = "AKNEW"
        wait_for(lambda: p.process.send_signal(signal.SIGHUP) or p.unsettled() == 0, "all is settled: " + p.log())
        assert fake.store.objects() == {} and fake.store.unfinished() == [], fake.calls


def test_a_form_that_is_there_is_not_taken_back():
    with FakeS3() as fake, Mortal(routes_with(), fake, head=HEAD + ADMIN) as p:
        for sizes in ((LARGE, LARGE), (PUT, LARGE, PUT), (PUT, PUT)):
            assert post(p.port, "/s", form(*files(*[bytes(size) for size in sizes]))).status == 201
        p.kill()
        p.again()
        wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready: " + p.log())
        assert p.unsettled() == 0 and len(fake.store.objects()) == 7 and fake.of("delete") == fake.of("abort") == []
