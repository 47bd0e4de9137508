# SPDX-License-Identifier: MIT
"""`sweep`: what a killed penstock has left unfinished in a bucket is ended by the next one, and nothing else is."""
import misbehave as mis
from fake_store import Upload
from s3 import *
from test_ops import Admin, read_metrics
from test_s3_metrics import container, environment, reload
from test_state import ADMIN, Mortal

HOUR, PREFIX = 3600, "up/"
SWEEP = 'retry: { parts: 2, connect: 1 }, sweep: { prefix: "up/" }'
ROUTES = routes(SWEEP, key="up/{part}-{uuid}")
SWEPT, FAILED = "a bucket was swept of unfinished uploads", "a bucket could not be swept of unfinished uploads"


def leave(fake, key, hours=49):
    """An unfinished upload of somebody who is dead."""
    name = f"id+/=~& {len(fake.store.uploads)}"
    with fake.lock:
        fake.store.uploads[name] = Upload(key, {}, None, "COMPOSITE", time.time() - hours * HOUR)
    return name


def left(fake):
    with fake.lock:
        return sorted(upload.key for upload in fake.store.unfinished())


def sweeps(p, result, to="s"):
    return read_metrics(p)[f'penstock_s3_sweeps_total{{destination="{to}",result="{result}"}}']


def swept(p):
    return read_metrics(p)['penstock_s3_uploads_swept_total{destination="s"}']


def wait_for_sweep(p, fake, n=1):
    wait_for(lambda: sweeps(p, "done") >= n, f"{n} sweeps are done: {fake.calls[-20:]} {p.log()}")
    wait_for(lambda: p.lines(SWEPT), "the log says so")


def rewrite(p, change):
    with open(p.file, encoding="utf-8") as f:
        text = f.read()
    assert change(text) != text
    with open(p.file, "w", encoding="utf-8") as f:
        f.write(change(text))


def test_old_ones_go_and_young_and_foreign_ones_stay():
    with FakeS3() as fake:
        odd = PREFIX + "sp ace+%2F//\u2603\U0001f600~!*'()&<>\"?#;=:@$,"
        for key in (PREFIX + "old", PREFIX, odd):
            leave(fake, key)
        for key, hours in ((PREFIX + "young", 47.9), (PREFIX + "new", 0), (PREFIX + "tomorrow", -24), ("other/old", 99), ("up", 99), ("x" + PREFIX, 99)):
            leave(fake, key, hours)
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert left(fake) == sorted([PREFIX + "young", PREFIX + "new", PREFIX + "tomorrow", "other/old", "up", "x" + PREFIX])
            assert swept(p) == 3 and sweeps(p, "failed") == 0 and fake.count("list_uploads") == 1, fake.calls
            assert sorted(call.key for call in fake.of("abort")) == sorted([PREFIX, PREFIX + "old", odd]) and fake.refused() == []
            line, = p.lines(SWEPT)
            assert (line["destination"], line["prefix"], line["seen"], line["ended"]) == ("s", PREFIX, 6, 3), line
            assert read_metrics(p)['penstock_s3_calls_total{destination="s",call="ListMultipartUploads",status="2xx"}'] == 1
            assert post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT)))).status == 201


def test_without_sweep_nothing_is_asked():
    with FakeS3() as fake:
        leave(fake, PREFIX + "old")
        with Admin(routes(key="up/{uuid}"), fake) as p:
            assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
            assert fake.count("list_uploads") == 0 and sweeps(p, "done") == 0
            rewrite(p, lambda text: text.replace("timeout: { idle: 50s }", "timeout: { idle: 50s }, " + SWEEP))  # there is no thread for it yet
            reload(p, 1)
            wait_for_sweep(p, fake)
            assert left(fake) == [] and swept(p) == 1


def test_every_page_is_read():
    with FakeS3() as fake:
        for i in range(330):
            leave(fake, f"{PREFIX}{i // 3:04}", hours=49 if i % 3 else 1)  # several of one key
        leave(fake, "other")
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert len(left(fake)) == 111 and swept(p) == 220 and fake.count("abort") == 220
            lists = fake.of("list_uploads")
            assert 4 <= len(lists) <= 20 and all(call.query["max-uploads"] == "100" and call.query["prefix"] == PREFIX for call in lists)
            assert fake.refused() == [] and p.lines(SWEPT)[0]["seen"] == 330


def test_a_store_that_gives_more_than_it_was_asked_for():
    def all_of_them(call):
        call.read()
        call.query = {"uploads": ""}
        return call.send(call.act())
    with FakeS3() as fake:
        for i in range(250):
            leave(fake, f"{PREFIX}{i}")
        leave(fake, "other")
        fake.on("list_uploads", EVERY, all_of_them)
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert left(fake) == ["other"] and swept(p) == 250 and fake.count("list_uploads") == 3


def test_a_list_that_leads_nowhere_is_given_up():
    for marker in ("", "<NextKeyMarker></NextKeyMarker>", "<NextKeyMarker>up/1</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>", "<NextUploadIdMarker>1</NextUploadIdMarker>"):
        inside = f"<IsTruncated>true</IsTruncated>{marker}"
        with FakeS3() as fake:
            fake.on("list_uploads", EVERY, lambda call, inside=inside: call.send(mis.document("ListMultipartUploadsResult", inside)))
            with Admin(ROUTES, fake) as p:
                wait_for(lambda: sweeps(p, "failed") > 0, "it is given up")
                wait_for(lambda: p.lines(FAILED), "the log says so")
                assert p.lines(FAILED)[0]["reason"] == "the store does not say where its list goes on", p.log()
                assert fake.count("list_uploads") <= 2 * (sweeps(p, "failed") + 1)


def test_a_list_that_is_refused_is_asked_for_again_and_told_once():
    denied = mis.status(403, "AccessDenied")
    no_id = mis.body_instead(b"<ListMultipartUploadsResult><Upload><Key>up/old</Key></Upload></ListMultipartUploadsResult>")
    for behaviour, tries, says in ((denied, 1, "AccessDenied"), (mis.error_in_200("AccessDenied"), 1, "AccessDenied"),
                                   (mis.body_instead(b"<html/>"), 3, "ListMultipartUploads"), (no_id, 3, "ListMultipartUploads")):
        with FakeS3() as fake:
            leave(fake, PREFIX + "old")
            for n in range(tries):
                fake.on("list_uploads", n + 1, behaviour)
            fake.on("list_uploads", tries + 1, denied)
            with Admin(ROUTES, fake) as p:
                wait_for_sweep(p, fake)
                assert sweeps(p, "failed") == 2 and left(fake) == [] and swept(p) == 1, (fake.calls, p.log())
                line, = p.lines(FAILED)
                assert line["level"] == "warn" and says in line["reason"] and "SKTEST" not in p.log(), line


def test_a_list_that_breaks_off_is_no_list():
    with FakeS3() as fake:
        for i in range(30):
            leave(fake, f"{PREFIX}{i}")
        fake.on("list_uploads", 1, mis.half_an_answer)
        fake.on("list_uploads", 2, mis.status(503, "SlowDown"))
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert left(fake) == [] and swept(p) == 30 and fake.count("abort") == 30 and sweeps(p, "failed") == 0, fake.calls


def test_what_another_has_ended_is_as_good_as_ended():
    def too_late(call):
        with call.fake.lock:
            call.fake.store.uploads.pop(call.upload)
        return mis.normal(call)
    with FakeS3() as fake:
        for i in range(3):
            leave(fake, f"{PREFIX}{i}")
        fake.on("abort", 2, too_late)
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert left(fake) == [] and swept(p) == 2 and sweeps(p, "failed") == 0 and [c.status for c in fake.of("abort")] == [204, 404, 204]


def test_a_store_that_lists_what_it_does_not_have():
    with FakeS3() as fake:
        for i in range(250):
            leave(fake, f"{PREFIX}{i:04}")
        fake.on("abort", EVERY, mis.status(404, "NoSuchUpload"))
        with Admin(ROUTES, fake) as p:
            wait_for(lambda: p.lines(FAILED), f"it is given up: {fake.count('list_uploads')}")
            assert "goes on listing" in p.lines(FAILED)[0]["reason"] and sweeps(p, "done") == 0, p.log()
            assert fake.count("list_uploads") <= 5 * (sweeps(p, "failed") + 1), fake.count("list_uploads")


def test_one_that_cannot_be_ended_does_not_keep_the_others():
    with FakeS3() as fake:
        for i in range(5):
            leave(fake, f"{PREFIX}{i}")
        fake.on("abort", 2, mis.status(403, "AccessDenied"))
        fake.on("abort", 3, mis.status(503, "SlowDown"))
        with Admin(ROUTES, fake) as p:
            wait_for_sweep(p, fake)
            assert sweeps(p, "failed") == 1 and left(fake) == [] and swept(p) == 5 and fake.count("abort") == 7, fake.calls
            assert p.lines(FAILED)[0]["ended"] == 4


def test_after_ten_that_cannot_be_ended_no_other_is_tried():
    with FakeS3() as fake:
        for i in range(30):
            leave(fake, f"{PREFIX}{i}")
        fake.on("abort", EVERY, mis.status(403, "AccessDenied"))
        with Admin(ROUTES, fake) as p:
            wait_for(lambda: sweeps(p, "failed") > 0, "it is given up")
            wait_for(lambda: fake.count("abort") % 10 == 0 and fake.count("list_uploads") * 10 == fake.count("abort"), "ten for each list")
            assert len(left(fake)) == 30 and swept(p) == 0


def test_the_stores_clock_counts_if_it_is_behind():
    for seconds, gone in ((-2 * HOUR, False), (2 * HOUR, True), (None, True)):
        def dated(call, seconds=seconds):
            call.read()
            reply = call.act()
            reply.headers["date"] = "yesterday" if seconds is None else time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))
            return call.send(reply)
        with FakeS3() as fake:
            leave(fake, PREFIX + "old", hours=49)
            leave(fake, PREFIX + "young", hours=47)  # the store's clock is before ours, but ours was there first
            fake.on("list_uploads", EVERY, dated)
            with Admin(ROUTES, fake) as p:
                wait_for_sweep(p, fake)
                assert left(fake) == [PREFIX + "old"] * (not gone) + [PREFIX + "young"], (seconds, left(fake))


def test_two_on_one_bucket_do_no_harm_to_each_other():
    with FakeS3() as fake:
        for i in range(150):
            leave(fake, f"{PREFIX}{i}")
        with Admin(ROUTES, fake) as one:
            held = Held(one, files(noise(SHORT)) + files(b""))
            wait_for(lambda: [call.status for call in fake.of("part")] == [200], "an upload is under way")
            with Admin(ROUTES, fake) as two:
                for p in (one, two):
                    wait_for_sweep(p, fake)
                    assert sweeps(p, "failed") == 0, (fake.calls, p.log())
                assert swept(one) + swept(two) == 150 and len(left(fake)) == 1
                assert held.finish().status == 201 and left(fake) == []


def test_what_a_kill_has_left_goes_with_the_next_start():
    with FakeS3() as fake, Mortal(ROUTES, fake, head=ADMIN) as p:
        p.admin = os.path.join(p.dir, "admin.sock")
        wait_for_sweep(p, fake)
        held = [Held(p, files(noise(SHORT)) + files(b"")) for _ in range(3)]
        wait_for(lambda: [call.status for call in fake.of("part")] == [200] * 3, "three uploads are under way")
        p.kill()
        for client in held:
            client.socket.close()
        assert len(left(fake)) == 3
        p.again()
        wait_for_sweep(p, fake)
        assert len(left(fake)) == 3  # they are young
        p.kill()
        with fake.lock:
            for upload in fake.store.uploads.values():
                upload.when -= 49 * HOUR
        p.again()
        wait_for_sweep(p, fake)
        assert left(fake) == [] and fake.refused() == []


def test_keys_that_are_still_fetched_are_waited_for():
    text = ROUTES.replace("credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, ", "")
    gives = {"left": None}
    with FakeS3() as fake, container(gives) as keys:
        leave(fake, PREFIX + "old")
        with Admin(text, fake, env=environment(keys)) as p:
            wait_for(lambda: sweeps(p, "failed") > 0 and fake.calls == [], "there are no keys")
            gives["left"] = HOUR
            wait_for_sweep(p, fake)
            assert left(fake) == [] and len(p.lines(FAILED)) <= 1, p.log()


def test_a_reload_begins_it_anew():
    for kind in ("list_uploads", "abort"):
        with FakeS3() as fake:
            for i in range(5):
                leave(fake, f"{PREFIX}{i}")
            fake.on(kind, 1, mis.hang)
            with Admin(ROUTES, fake) as p:
                wait_for(lambda: fake.count(kind) == 1, "it is under way")
                reload(p, 1)
                wait_for_sweep(p, fake)
                assert left(fake) == [] and sweeps(p, "cut") == 1 and sweeps(p, "failed") == 0, (fake.calls, p.log())
                lists = fake.count("list_uploads")
                rewrite(p, lambda text: text.replace(", " + SWEEP.partition("}, ")[2], ""))
                reload(p, 2)
                assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201 and fake.count("list_uploads") == lists


def test_reload_after_reload_while_it_runs():
    with FakeS3() as fake:
        for i in range(150):
            leave(fake, f"{PREFIX}{i}")
        with Admin(ROUTES, fake) as p:
            for n in range(1, 11):
                reload(p, n)
                assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
            wait_for_sweep(p, fake)
            assert left(fake) == [] and fake.refused() == [] and sweeps(p, "failed") == 0


def test_the_end_does_not_wait_for_it():
    for kind in ("list_uploads", "abort"):
        with FakeS3() as fake:
            leave(fake, PREFIX + "old")
            fake.on(kind, EVERY, mis.hang)
            with Penstock(ROUTES, fake) as p:
                wait_for(lambda: fake.count(kind) == 1, "it is under way")
                held = Held(p, files(noise(SHORT)))
                wait_for(lambda: "create" in [call.kind for call in fake.calls], "an upload is under way")
                p.process.send_signal(signal.SIGTERM)
                wait_for(lambda: '"msg":"draining"' in p.log(), "it drains: " + p.log())
                assert held.finish().status == 201 and p.process.wait(DEADLINE) == 0, p.log()
                assert left(fake) == [PREFIX + "old"]
