# SPDX-License-Identifier: MIT
"""Whole form or nothing, of S3 alone and mixed with an HTTP store and a folder; undo; names that exist."""
import misbehave as mis
from s3 import *

UNDO = "undo: DELETE"


def mixed(http, commit="all", undo=UNDO):
    return f"""destinations:
{destination(undo)}  h: {{ type: http, url: "http://127.0.0.1:{http.port}", undo: DELETE, timeout: {{ idle: 50s }} }}
  d: {{ type: directory, path: "{{dir}}/out" }}
routes:
  - id: s
    match: {{ path: /s }}
    commit: {commit}
    fields:
      - {{ name: s, store: {{ to: s, key: "{{part}}" }} }}
      - {{ name: h, store: {{ to: h, path: "/{{part}}" }} }}
      - {{ name: d, store: {{ to: d, key: "{{part}}" }} }}
"""


ORDER = [("s", KEPT), ("h", SHORT), ("d", KEPT), ("s", SHORT), ("h", KEPT), ("s", LONG), ("d", SHORT), ("s", KEPT)]
MIXED = form(*[part(name, noise(n, i), "x") for i, (name, n) in enumerate(ORDER)])


def visible(fake, http, p):
    return {**{f"s{k}": v for k, v in fake.store.objects().items()}, **{f"h{k[1:]}": v for k, v in http.store.items()}, **{f"d{k}": v for k, v in p.files().items()}}


WHOLE = {f"{name}{i + 1}": noise(n, i) for i, (name, n) in enumerate(ORDER)}


def test_a_form_of_three_kinds():
    for commit in ("all", "each"):
        with FakeS3() as fake, Upstream() as http, Penstock(mixed(http, commit), fake, memory="64MiB") as p:
            answer = post(p.port, "/s", MIXED)
            assert answer.status == 201 and visible(fake, http, p) == WHOLE, answer.body
            assert fake.store.unfinished() == [] and fake.refused() == []


def test_whichever_fails_nothing_of_a_form_of_three_kinds_is_visible():
    def http_fails(path):
        def script(request):
            if request.path == path and request.method != "DELETE":
                request.read_all()
                request.answer(500, extra="Connection: close\r\n")
                return "done"
        return script
    cases = [(None, kind, n) for kind, n in (("put", 1), ("put", 2), ("create", 1), ("create", 2), ("part", 1), ("part", 2), ("part", 3), ("part", 4), ("complete", 1), ("complete", 2))]
    cases += [(http_fails("/2"), None, 0), (http_fails("/5"), None, 0)]
    for script, kind, n in cases:
        with FakeS3() as fake, Upstream(script) as http, Penstock(mixed(http), fake, memory="64MiB") as p:
            if kind:
                fake.on(kind, n, mis.status(403, "AccessDenied"))
            answer = post(p.port, "/s", MIXED)
            assert answer.status == 502, (kind, n, answer.body)
            assert visible(fake, http, p) == {}, (kind, n, answer.body, visible(fake, http, p).keys())
            assert set(states(answer)) <= {"aborted", "undone"}, answer.body
            check_nothing_is_left(fake)


def test_a_folder_that_fails_takes_the_buckets_part_back():
    with FakeS3() as fake, Upstream() as http, Penstock(mixed(http), fake, memory="64MiB") as p:
        with open(os.path.join(p.out, "7"), "wb") as f:
            f.write(b"it was here")  # and the folder refuses what exists
        answer = post(p.port, "/s", MIXED)
        assert answer.status == 409, answer.body
        assert visible(fake, http, p) == {"d7": b"it was here"}, answer.body
        check_nothing_is_left(fake)


def test_a_client_that_breaks_the_form_at_its_end():
    with FakeS3() as fake, Upstream() as http, Penstock(mixed(http), fake, memory="64MiB") as p:
        for body, status in ((MIXED[:-20] + b"x" * 20, 400), (MIXED[:-len(END)] + part("unknown", b"") + END, 422)):
            answer = post(p.port, "/s", body)
            assert answer.status == status and visible(fake, http, p) == {}, answer.body
            check_nothing_is_left(fake)
        assert not fake.of("complete") and not fake.of("put")


def test_each_keeps_what_was_good():
    with FakeS3() as fake, Penstock(routes(route="commit: each,"), fake, memory="64MiB") as p:
        datas = [noise(KEPT), noise(SHORT, 2), noise(LONG, 3), noise(KEPT, 4)]
        held = Held(p, files(*datas) + files(b""))
        wait_for(lambda: len(fake.store.objects()) >= 4, "each is there as soon as it has ended")
        assert held.finish().status == 201
        check_nothing_is_left(fake)
    with FakeS3() as fake, Penstock(routes(route="commit: each,"), fake, memory="64MiB") as p:
        fake.on("complete", 2, mis.status(403, "AccessDenied"))
        answer = post(p.port, "/s", form(*files(*datas)))
        told = states(answer)
        assert answer.status == 502 and told[:3] == ["committed", "committed", "aborted"], answer.body
        assert fake.store.objects() == {str(i + 1): data for i, data in enumerate(datas) if told[i:i + 1] == ["committed"]}
        check_nothing_is_left(fake)


def undo_of(last, **store):
    """A form of which everything is committed but its last, which fails."""
    with FakeS3(**store) as fake, Penstock(routes(UNDO), fake, memory="64MiB") as p:
        before = {}
        if store:
            assert post(p.port, "/s", form(*files(noise(KEPT, 7), noise(SHORT, 8)))).status == 201
            before = fake.store.objects()
            fake.calls.clear()
        fake.on("put" if last == KEPT else "complete", 2, mis.status(403, "AccessDenied"))
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT), noise(last, 3))))
        assert answer.status == 502 and set(states(answer)) <= {"undone", "aborted"}, answer.body
        check_nothing_is_left(fake)
        return fake, before


def test_undo_deletes_what_was_made():
    for last in (KEPT, LONG):
        fake, _ = undo_of(last)
        assert fake.store.objects() == {} and fake.of("delete") and all("versionId" not in c.query for c in fake.of("delete"))


def test_undo_takes_back_the_version_that_was_made():
    for last in (KEPT, LONG):
        fake, before = undo_of(last, versioning=True)
        assert before and fake.store.objects() == before, fake.calls
        assert all("versionId" in call.query for call in fake.of("delete"))
        assert not any(v.is_marker for versions in fake.store.versions.values() for v in versions)


def test_an_undo_that_fails_is_told():
    with FakeS3() as fake, Penstock(routes(UNDO + ", retry: { parts: 1 }"), fake, memory="64MiB") as p:
        fake.on("delete", EVERY, mis.status(403, "AccessDenied"))
        fake.on("put", 2, mis.status(403, "AccessDenied"))
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(KEPT, 2))))
        assert answer.status == 502 and len(fake.store.objects()) == 1, answer.body
        told = answer.json()["parts"]
        assert any("could not be taken back" in t.get("problem", "") for t in told), answer.body
        check_told(fake, answer, [noise(KEPT), noise(KEPT, 2)])


# -- exists: refuse ---------------------------------------------------------------------------------------------------

REFUSE = "exists: refuse"


def test_a_name_that_exists_is_refused_and_stays():
    for data in (noise(KEPT), noise(SHORT), noise(LONG)):
        with FakeS3() as fake, Penstock(routes(REFUSE), fake) as p:
            assert post(p.port, "/s", form(*files(data))).status == 201
            answer = post(p.port, "/s", form(*files(data[::-1])))
            assert answer.status == 409 and fake.store.objects() == {"1": data}, answer.body
            assert states(answer) in ([], ["aborted"])
            check_nothing_is_left(fake)
        with FakeS3() as fake, Penstock(routes(), fake) as p:  # replace
            for body in (data, data[::-1]):
                assert post(p.port, "/s", form(*files(body))).status == 201 and fake.store.objects() == {"1": body}


def test_of_two_forms_that_race_for_a_name_one_is_told_409():
    for data in (noise(KEPT), noise(SHORT)):
        with FakeS3() as fake, Penstock(routes(REFUSE), fake, memory="64MiB") as p:
            helds = [Held(p, files(data + b"%d" % i)) for i in range(4)]
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(Held.finish, helds))
            assert sorted(a.status for a in answers) == [201, 409, 409, 409], [a.body for a in answers]
            winner = next(i for i, a in enumerate(answers) if a.status == 201)
            assert fake.store.objects() == {"1": data + b"%d" % winner}
            check_nothing_is_left(fake)


def test_a_lost_answer_is_not_mistaken_for_somebody_elses():
    """412 to what is sent again: the object is ours, which its id tells; or it is not."""
    for kind, data in (("put", noise(KEPT)), ("complete", noise(SHORT))):
        with FakeS3() as fake, Penstock(routes(REFUSE), fake) as p:
            fake.on(kind, 1, mis.lost_after)
            answer = post(p.port, "/s", form(*files(data)))
            assert answer.status == 201 and fake.store.objects() == {"1": data}, (answer.body, fake.calls)
        with FakeS3() as fake, Penstock(routes(REFUSE), fake) as p:
            def lost_and_somebody_was_faster(call):
                call.read()
                fake.store.put(mine)
                return call.cut()
            assert post(p.port, "/s", form(*files(b"theirs"))).status == 201
            mine = fake.of("put")[0]
            fake.store.versions.clear()
            fake.on(kind, 1, lost_and_somebody_was_faster)
            answer = post(p.port, "/s", form(*files(data)))
            assert answer.status == 409 and fake.store.objects() == {"1": b"theirs"}, (answer.body, fake.calls)
            check_nothing_is_left(fake)


def test_conditions_that_conflict():
    conflict = mis.status(409, "ConditionalRequestConflict")
    with FakeS3() as fake, Penstock(routes(REFUSE), fake) as p:
        fake.on("put", 1, conflict)
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
    with FakeS3() as fake, Penstock(routes(REFUSE), fake) as p:
        fake.on("complete", EVERY, conflict)
        answer = post(p.port, "/s", form(*files(noise(SHORT))))
        assert answer.status == 503 and "retry-after" in answer.headers and fake.store.objects() == {}, answer.body
        check_nothing_is_left(fake)


def test_several_of_one_form_when_one_exists():
    with FakeS3() as fake, Penstock(routes(REFUSE + ", undo: DELETE"), fake, memory="64MiB") as p:
        assert post(p.port, "/s", form(*files(b"a"))).status == 201  # "1" exists
        answer = post(p.port, "/s", form(*files(noise(SHORT), noise(KEPT), noise(LONG))))
        assert answer.status == 409 and fake.store.objects() == {"1": b"a"}, answer.body
        check_nothing_is_left(fake)
