# SPDX-License-Identifier: MIT
"""`penstock probe` of buckets: of one that keeps every promise, and of some that break one; and that nothing is left there."""
from misbehave import *
from s3 import *
from test_probe import Probe


def probe(fake, more="", during=None, **rule):
    return Probe("version: 1\n" + routes(more, **rule).replace("{up}", str(fake.port)), "--json", during=during)


def is_empty(fake):
    return not any(fake.store.versions.values()) and fake.store.unfinished() == []


STRICT = "exists: refuse, undo: DELETE"


def test_probe_of_a_bucket_that_keeps_everything():
    for more in ("checksum: crc32c", "checksum: crc64nvme", "checksum: sha256", "headers: { x-amz-storage-class: COLD }"):
        for versioning in (False, True):
            with FakeS3(versioning=versioning) as fake:
                found = probe(fake, f"{STRICT}, {more}")
                assert found.code == 0 and set(found.answers("s").values()) == {"yes"}, found.out
                assert is_empty(fake), fake.store.versions
                assert [call.code for call in fake.refused()] == ["BadDigest"], fake.calls
                assert all(call.key.startswith(".penstock-probe-") for call in fake.calls if call.kind not in ("list", "list_uploads", "bucket_head"))


def test_probe_of_a_bucket_without_checksums():
    with FakeS3() as fake:
        found = probe(fake, f"{STRICT}, checksum: none")
        assert found.code == 0 and found.answers("s")["wrong checksum"] == "not tried" and is_empty(fake), found.out
        assert not any(name.startswith("x-amz-checksum") for call in fake.calls for name, _ in call.headers)


def test_probe_follows_a_link():
    """As the rules have it; without `presign` nobody relies on it."""
    def plain(call):
        reply = call.fake.store.get(call)
        return call.send(Reply(reply.status, {n: v for n, v in reply.headers.items() if n != "content-disposition"}, reply.body))

    def other(call):
        reply = call.fake.store.get(call)
        return call.send(Reply(reply.status, reply.headers, reply.body[1:] + b"x"))

    def links(fake):
        return [call for call in fake.of("get") if "X-Amz-Signature" in call.query]
    minutes, shown = {"store": "presign: 15m"}, {"store": "presign: 1h, content_disposition: none"}
    for behaviour, says in ((None, "as an attachment"), (plain, "but not as an attachment"), (other, "does not give what was put"), (status(403, "AccessDenied"), "403")):
        for versioning in (False, True):
            with FakeS3(versioning=versioning) as fake:
                fake.on("get", 2, behaviour or normal)
                found = probe(fake, **minutes)
                assert found.broken() == [("s", "presigned link")] * (behaviour is not None) and is_empty(fake), found.out
                assert says in found.found["s"]["presigned link"]["sentence"] and "Signature" not in found.out, found.out
                link, = links(fake)
                assert link.n == 2 and link.query["X-Amz-Expires"] == "900" and ("versionId" in link.query) == versioning, link.query
                assert link.query["response-content-disposition"].startswith("attachment;") and not link.find("authorization"), link.headers
    with FakeS3() as fake:
        fake.on("get", 2, plain)
        assert probe(fake, **shown).broken() == [] and "response-content-disposition" not in links(fake)[0].query
        fake.on("get", 2, status(403, "AccessDenied"))
        found = probe(fake)
        assert found.code == 0 and found.answers("s")["presigned link"] == "no" and is_empty(fake), found.out


def test_probe_of_a_bucket_without_conditions():
    for versioning in (False, True):
        with FakeS3(conditions=False, versioning=versioning) as fake:
            found = probe(fake, STRICT)
            assert found.code == 1 and found.broken() == [("s", "conditional put"), ("s", "conditional complete")], found.out
            assert is_empty(fake), fake.store.versions
            assert probe(fake, "exists: replace").code == 0 and is_empty(fake)


def test_probe_of_a_bucket_that_takes_a_wrong_checksum():
    def take(call):
        call.read()
        call.headers = [(name, value) for name, value in call.headers if not name.startswith("x-amz-checksum")]
        return call.send(call.act())
    with FakeS3() as fake:
        fake.on("put", EVERY, take)
        found = probe(fake)
        assert found.code == 1 and found.broken() == [("s", "wrong checksum")] and is_empty(fake), found.out


def test_probe_of_a_bucket_that_lists_nothing():
    """But repeats what it was asked for; only a sweep relies on it."""
    def empty(call):
        root = "ListBucketResult" if call.kind == "list" else "ListMultipartUploadsResult"
        return call.send(document(root, f"<Prefix>{call.query['prefix']}</Prefix><IsTruncated>false</IsTruncated>"))
    sweep = {"more": 'sweep: { prefix: "up/" }', "key": "up/{part}"}
    for behaviour, says in ((empty, "does not list what is there"), (status(403, "AccessDenied"), "AccessDenied")):
        with FakeS3() as fake:
            fake.on("list", EVERY, behaviour)
            fake.on("list_uploads", EVERY, behaviour)
            found = probe(fake)
            assert found.code == 0 and found.answers("s")["list"] == found.answers("s")["list uploads"] == "no" and is_empty(fake), found.out
            assert says in found.found["s"]["list"]["sentence"] and says in found.found["s"]["list uploads"]["sentence"], found.out
            found = probe(fake, **sweep)
            assert found.code == 1 and found.broken() == [("s", "list uploads")] and is_empty(fake), found.out
    with FakeS3() as fake:
        assert probe(fake, **sweep).code == 0 and is_empty(fake)


def test_probe_of_a_bucket_that_takes_no_uploads():
    with FakeS3() as fake:
        fake.on("create", EVERY, status(501, "NotImplemented"))
        found = probe(fake, STRICT)
        assert found.code == 1 and found.broken() == [("s", "multipart")] and is_empty(fake), found.out
        assert "NotImplemented" in found.found["s"]["multipart"]["sentence"] and found.answers("s")["wrong checksum"] == "yes", found.out


def test_probe_puts_nothing_that_it_may_not_delete():
    with FakeS3() as fake:
        fake.on("delete", EVERY, status(403, "AccessDenied"))
        found = probe(fake)
        assert found.code == 0 and found.answers("s")["delete"] == "no" and found.answers("s")["put"] == "not tried", found.out
        assert probe(fake, STRICT).broken() == [("s", "delete")]
        assert fake.of("put") == fake.of("create") == []


def test_probe_puts_nothing_where_there_is_no_bucket():
    with FakeS3() as fake:
        fake.on("bucket_head", EVERY, status(404, None))
        found = probe(fake)
        assert found.code == 1 and found.broken() == [("s", "put")] and "no such bucket" in found.found["s"]["put"]["sentence"], found.out
        assert {call.kind for call in fake.calls} == {"bucket_head"}, fake.calls


def test_probe_with_keys_that_nobody_knows():
    with FakeS3() as fake:
        found = probe(fake, "credentials: { access_key: AKOTHER, secret_key: x }")
        assert found.code == 1 and found.broken() == [("s", "put")] and "InvalidAccessKeyId" in found.found["s"]["put"]["sentence"], found.out


def test_probe_tells_what_stays_in_a_bucket():
    with FakeS3() as fake:
        fake.on("abort", EVERY, status(403, "AccessDenied"))
        found = probe(fake)
        assert found.code == 1 and ("s", "removed again") in found.broken() and ("s", "abort") in found.broken(), found.out
        left = found.found["s"]["removed again"]["sentence"].split()[-1]
        assert left in {upload.key for upload in fake.store.unfinished()} and fake.store.objects() == {}, (left, found.out)


def test_probe_asks_a_busy_bucket_again():
    with FakeS3() as fake:
        fake.on("put", 1, status(503, "SlowDown"))
        found = probe(fake, STRICT)
        assert found.code == 0 and fake.count("put") == 4 and is_empty(fake), found.out


def test_probe_of_a_bucket_that_is_interrupted_leaves_nothing():
    for kind in ("put", "create", "part", "complete", "list", "list_uploads"):
        with FakeS3() as fake:
            def hang_until_released(call, fake=fake):
                call.read()
                fake.release.wait(DEADLINE)
                return call.send(call.act())

            def during(process, fake=fake, kind=kind):
                wait_for(lambda: any(call.is_read for call in fake.of(kind)) or process.poll() is not None, kind)
                process.send_signal(signal.SIGINT)
                fake.release.set()
            fake.on(kind, 1, hang_until_released)
            found = probe(fake, STRICT, during=during)
            assert found.code == 1 and found.json["interrupted"] and found.broken() == [] and is_empty(fake), (kind, found.out, fake.calls)
