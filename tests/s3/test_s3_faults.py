# SPDX-License-Identifier: MIT
"""What stores do now and then, call by call: what the client is told, what is in the store then, and that no upload stays."""
import misbehave as mis
from s3 import *

RETRY = "retry: { parts: 3, connect: 1 }, timeout: { idle: 50s }"
BRIEF = "retry: { parts: 1, connect: 1 }, timeout: { idle: 1s, total: 6s }"  # only where the store is silent: a busy machine may stand still, too
TRIES = 4


class Case:
    """(call, which, behaviour) -> status, states of the one part, and words of the detail. `calls`: how many of that kind."""

    def __init__(self, kind, n, behaviour, status, state="aborted", says=(), calls=None, size=LONG, more=RETRY, left=False, **store):
        self.kind, self.n, self.behaviour, self.status, self.state = kind, n, behaviour, status, state
        self.says, self.calls, self.size, self.more, self.left, self.store = says, calls, size, more, left, store


def run(case):
    data = noise(case.size)
    with FakeS3(**case.store) as fake, Penstock(routes(case.more), fake) as p:
        for kind, n, behaviour in case.kind if isinstance(case.kind, list) else [(case.kind, case.n, case.behaviour)]:
            fake.on(kind, n, behaviour)
        answer = post(p.port, "/s", form(*files(data)))
        told = answer.json()
        what = (answer.status, told, fake.calls)
        assert answer.status == case.status and (states(answer) or [case.state]) == [case.state], what
        check_told(fake, answer, [data])
        for word in case.says:
            assert word in told.get("detail", ""), (word, what)
            wait_for(lambda: word in p.log(), f"the log says {word}")
        if case.calls is not None:
            assert fake.count(case.kind) == case.calls, what
        if not case.left:
            check_nothing_is_left(fake)
        fake.behaviours.clear()
        again = post(p.port, "/s", form(*files(data)))
        assert again.status == 201, ("it goes on", again.body, what)
        if case.behaviour in (SLOW_DOWN, INTERNAL):  # the store has said that nothing was done
            assert "an unfinished upload may be left" not in p.log(), what


def run_all(cases):
    """Every case, side by side; all that fail are told."""
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        jobs = [(case, pool.submit(run, case)) for case in cases]
    failed = [f"case {cases.index(case) + 1} ({case.kind} {case.n} {case.status} {case.state}): {job.exception()!r}"[:1500] for case, job in jobs if job.exception()]
    assert not failed, "\n".join(failed)


SLOW_DOWN, INTERNAL, TOO_MANY = mis.status(503, "SlowDown"), mis.status(500, "InternalError"), mis.status(429, "TooManyRequests")
DENIED, NO_BUCKET, NO_UPLOAD = mis.status(403, "AccessDenied"), mis.status(404, "NoSuchBucket"), mis.status(404, "NoSuchUpload")


def test_a_put_that_fails():
    put = lambda n, behaviour, status, state="aborted", **how: Case("put", n, behaviour, status, state, size=KEPT, **how)
    run_all([
        put(1, SLOW_DOWN, 201, "committed", calls=2), put(1, INTERNAL, 201, "committed"), put(1, TOO_MANY, 201, "committed"),
        put(1, mis.lost_after, 201, "committed"), put(1, mis.lost_before, 201, "committed"), put(1, mis.reset_after(100), 201, "committed"),
        put(1, mis.half_an_answer, 201, "committed"), put(1, mis.drip(0.002), 201, "committed"), put(1, mis.early(503, "SlowDown"), 201, "committed"),
        put(EVERY, SLOW_DOWN, 502, says=["SlowDown"], calls=TRIES), put(EVERY, DENIED, 502, says=["AccessDenied"], calls=1),
        put(EVERY, NO_BUCKET, 502, says=["NoSuchBucket"], calls=1), put(EVERY, mis.status(400, "BadDigest"), 502, says=["BadDigest"], calls=TRIES),
        put(EVERY, mis.status(403, "SignatureDoesNotMatch"), 502, says=["SignatureDoesNotMatch"], calls=1),
        put(EVERY, mis.status(301, "PermanentRedirect", headers={"location": "http://elsewhere/"}), 502, calls=1),
        put(EVERY, mis.status(507, "InsufficientStorage"), 507), put(EVERY, mis.status(403, None), 502),
        put(EVERY, mis.wrong_sum_line, 502, says=["checksum"], calls=1),
    ])


def test_a_put_that_went_with_its_connection():
    """One that was kept: what the store says of the second time says nothing of the first."""
    for first, then, status, state in ((mis.lost_after, mis.normal, 201, "committed"), (mis.lost_before, DENIED, 502, "unknown")):
        with FakeS3() as fake, Penstock(routes("retry: { parts: 0, connect: 0 }, exists: refuse", key="{uuid}"), fake) as p:
            assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
            fake.on("put", 1, first)
            fake.on("put", 2, then)
            answer = post(p.port, "/s", form(*files(noise(KEPT))))
            assert fake.count("put") == 3 and (answer.status, states(answer)) == (status, [state]), (answer.body, fake.calls)
            assert len(fake.store.objects()) == (2 if status == 201 else 1)


def test_a_create_that_fails():
    create = lambda n, behaviour, status, state="aborted", **how: Case("create", n, behaviour, status, state, size=SHORT, **how)
    run_all([
        create(1, SLOW_DOWN, 201, "committed", calls=2), create(1, INTERNAL, 201, "committed"), create(1, mis.lost_before, 201, "committed"),
        create(1, mis.drip(0.002), 201, "committed"), create(EVERY, SLOW_DOWN, 502, says=["SlowDown"]), create(EVERY, DENIED, 502, says=["AccessDenied"], calls=1),
        create(EVERY, NO_BUCKET, 502, says=["NoSuchBucket"], calls=1), create(EVERY, mis.status(400, "InvalidRequest"), 502, says=["InvalidRequest"]),
        # here nobody can know which upload it is: a sweep, or the bucket's own rule, takes them away
        create(1, mis.lost_after, 201, "committed", left=True), create(1, mis.half_an_answer, 201, "committed", left=True),
        create(EVERY, mis.body_instead(b"this is no XML"), 502, left=True), create(EVERY, mis.body_instead(b""), 502, left=True),
        create(EVERY, mis.huge("InitiateMultipartUploadResult", 3_000_000), 502, left=True), create(EVERY, mis.body_instead(b"<a>" * 100_000), 502, left=True),
        create(EVERY, mis.error_in_200("InternalError"), 502), create(EVERY, mis.not_http, 502),
    ])


def test_a_part_that_fails():
    part_ = lambda n, behaviour, status, state="aborted", **how: Case("part", n, behaviour, status, state, **how)
    run_all([
        part_(2, SLOW_DOWN, 201, "committed", calls=4), part_(1, INTERNAL, 201, "committed"), part_(3, TOO_MANY, 201, "committed"),
        part_(1, mis.lost_after, 201, "committed"), part_(3, mis.lost_before, 201, "committed"), part_(2, mis.reset_after(1_000_000), 201, "committed"),
        part_(1, mis.half_an_answer, 201, "committed"), part_(1, mis.drip(0.002), 201, "committed"), part_(1, mis.early(503, "SlowDown"), 201, "committed"),
        part_(EVERY, SLOW_DOWN, 502, says=["SlowDown"]), part_(EVERY, DENIED, 502, says=["AccessDenied"]), part_(3, mis.status(400, "BadDigest"), 201, "committed"), part_(EVERY, mis.status(400, "BadDigest"), 502, says=["BadDigest"]),
        part_(2, NO_UPLOAD, 502, says=["NoSuchUpload"]), part_(EVERY, mis.lost_before, 502), part_(EVERY, mis.reset_after(100_000), 502),
        part_(2, mis.wrong_sum_line, 201, "committed", calls=4), part_(EVERY, mis.wrong_sum_line, 502, says=["checksum"]),
        part_(2, mis.wrong_etag, 502, says=["InvalidPart"]), part_(1, mis.without_etag, 502), part_(EVERY, mis.early(403, "AccessDenied"), 502, says=["AccessDenied"]),
    ])


def test_a_complete_that_fails():
    complete = lambda n, behaviour, status, state="aborted", **how: Case("complete", n, behaviour, status, state, **how)
    twice = lambda first, n, then: [("complete", 1, first), ("head", n, then)]
    run_all([
        complete(1, SLOW_DOWN, 201, "committed"), complete(1, INTERNAL, 201, "committed"), complete(1, mis.lost_before, 201, "committed"),
        complete(1, mis.lost_after, 201, "committed"), complete(1, mis.lost_after, 201, "committed", forgets=False), complete(1, mis.half_an_answer, 201, "committed"),
        complete(1, mis.drip(0.002), 201, "committed"), complete(1, mis.error_in_200("InternalError"), 201, "committed"),
        complete(1, mis.error_in_200("SlowDown", after=20), 201, "committed"), complete(EVERY, mis.error_in_200("InternalError"), 502, says=["InternalError"]),
        complete(EVERY, mis.error_in_200("AccessDenied"), 502, says=["AccessDenied"]), complete(EVERY, INTERNAL, 502, says=["InternalError"]),
        complete(EVERY, DENIED, 502, says=["AccessDenied"], calls=1), complete(EVERY, mis.status(400, "EntityTooSmall"), 502, says=["EntityTooSmall"]),
        complete(1, NO_UPLOAD, 502, says=["NoSuchUpload"], left=True), complete(EVERY, mis.lost_before, 502),
        complete(EVERY, mis.lost_after, 201, "committed"), complete(1, mis.body_instead(b""), 201, "committed"), complete(1, mis.body_instead(b"no XML"), 201, "committed"),
        complete(1, mis.huge("CompleteMultipartUploadResult", 3_000_000), 201, "committed"), complete(1, mis.body_instead(b"<a>" * 100_000), 201, "committed"),
        complete(1, mis.wrong_sum, 502, says=["checksum"], more=RETRY + ", checksum: crc64nvme"),
        # nobody says what became of it, and so nobody takes it away either
        Case(twice(mis.lost_after, EVERY, DENIED), 0, None, 502, "unknown"), Case(twice(mis.lost_after, EVERY, INTERNAL), 0, None, 502, "unknown"),
        Case(twice(mis.lost_after, 1, INTERNAL), 0, None, 201, "committed"),
        # nobody may look; that the store aborts the upload is no proof, for some say so of one that they have completed
        Case([("complete", EVERY, mis.lost_before), ("head", EVERY, DENIED)], 0, None, 502, "unknown"),
        Case([("complete", EVERY, mis.lost_after), ("head", EVERY, DENIED), ("abort", EVERY, mis.status(204, None))], 0, None, 502, "unknown"),
        Case([("complete", 1, mis.lost_after), ("complete", EVERY, SLOW_DOWN), ("head", EVERY, DENIED), ("abort", EVERY, mis.status(204, None))], 0, None, 502, "unknown"),
    ])


def test_the_white_space_of_a_complete_is_no_silence():
    run_all([Case("complete", 1, mis.white_space(20, 0.15), 201, "committed", more=BRIEF.replace("total: 6s", "total: 50s"))])
    with FakeS3() as fake, Penstock(routes("timeout: { idle: 50s, total: 2s }"), fake) as p:  # but it has an end
        fake.on("complete", EVERY, mis.white_space(200, 0.1))
        answer = post(p.port, "/s", form(*files(noise(SHORT))))
        assert answer.status in (502, 504), answer.body
        check_told(fake, answer, [noise(SHORT)])


def test_a_store_that_is_silent():
    run_all([
        Case("put", 1, mis.hang, 201, "committed", size=KEPT, more=BRIEF), Case("put", EVERY, mis.hang, 504, "unknown", size=KEPT, more=BRIEF),
        Case("create", 1, mis.hang, 201, "committed", size=SHORT, more=BRIEF), Case("create", EVERY, mis.hang, 504, size=SHORT, more=BRIEF),
        Case("part", 1, mis.hang, 201, "committed", more=BRIEF), Case("part", EVERY, mis.hang, 504, more=BRIEF),
        Case("part", EVERY, mis.deaf, 504, more=BRIEF), Case("complete", 1, mis.hang, 201, "committed", more=BRIEF),
    ])


def test_a_clock_that_is_wrong_is_told_with_both_times():
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        fake.clock = 3600
        for data in (noise(KEPT), noise(SHORT)):
            answer = post(p.port, "/s", form(*files(data)))
            detail = answer.json()["detail"]
            assert answer.status == 502 and "RequestTimeTooSkewed" in detail, answer.body
            assert time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 3600)) in detail.replace("%3A", ":") or "clock" in detail, detail
            assert fake.store.objects() == {} and fake.store.unfinished() == []


def test_a_wrong_key_says_so_and_shows_no_secret():
    for keys, code in (("access_key: OTHER, secret_key: SKTESTSECRET", "InvalidAccessKeyId"), ("access_key: AKTEST, secret_key: WRONGSECRET", "SignatureDoesNotMatch")):
        with FakeS3() as fake, Penstock(routes(f"credentials: {{ {keys} }}"), fake) as p:
            for data in (noise(KEPT), noise(SHORT)):
                answer = post(p.port, "/s", form(*files(data)))
                assert answer.status == 502 and code in answer.json()["detail"], answer.body
                wait_for(lambda: code in p.log(), "the log says so")
                assert "SECRET" not in p.log() + answer.body.decode(), p.log()
            assert fake.store.objects() == {} and fake.store.unfinished() == []


def test_an_abort_is_repeated_until_the_store_has_heard_it():
    gone = [("abort", 1, SLOW_DOWN), ("abort", 1, mis.lost_before), ("abort", 1, mis.lost_after), ("abort", 1, INTERNAL), ("abort", 1, mis.reset_after(0))]
    for case in gone:
        with FakeS3() as fake, Penstock(routes(RETRY), fake) as p:
            fake.on(*case)
            held = Held(p, files(noise(PART + 1000)))
            wait_for(lambda: fake.of("part"), "a part has come")
            held.socket.close()
            wait_for(lambda: fake.count("abort") > 1 and not fake.store.unfinished(), f"it is aborted: {fake.calls}")


def test_an_abort_waits_for_parts_in_flight():
    """AWS may keep a part that is still coming when its upload is aborted."""
    go = threading.Event()
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        fake.on("part", EVERY, mis.takes_until(go))
        held = Held(p, files(noise(PART + 1000)))
        wait_for(lambda: fake.of("part") and fake.of("part")[0].is_read, "a part is in flight")
        held.socket.close()
        wait_for(lambda: fake.of("abort"), "it is aborted")
        time.sleep(1)  # no pause would be long enough: only its answer says that it is over
        go.set()
        wait_for(lambda: p.requests() and all(c.ended for c in fake.calls), "all is over")
        check_nothing_is_left(fake, f"{fake.calls}")


def test_a_create_whose_answer_is_outstanding_is_aborted_when_it_comes():
    go = threading.Event()
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        fake.on("create", EVERY, mis.then_normal(go))
        held = Held(p, files(noise(SHORT)))
        wait_for(lambda: fake.of("create"), "the create has come")
        held.socket.close()
        threading.Timer(0.5, go.set).start()  # penstock has mostly noticed by then; if not, it is aborted all the same
        wait_for(lambda: fake.of("abort"), "it is aborted")
        check_nothing_is_left(fake)


def test_what_a_store_asks_to_wait_reaches_the_client_whole():
    """penstock itself waits for 20 seconds at the most, and tells all of it."""
    for kind, size in (("put", KEPT), ("create", LONG), ("part", LONG)):
        for said, want in (("600", "600"), ("90000", "86400")):
            with FakeS3() as fake, Penstock(routes("retry: { parts: 0, connect: 0 }"), fake) as p:
                fake.on(kind, EVERY, mis.status(503, "SlowDown", headers={"Retry-After": said}))
                answer = post(p.port, "/s", form(*files(noise(size))))
                assert answer.status == 502 and answer.headers.get("retry-after") == want, (kind, answer.status, answer.headers)
