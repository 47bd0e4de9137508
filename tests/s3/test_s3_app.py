# SPDX-License-Identifier: MIT
"""An application that is told of forms whose objects lie in a bucket: the bucket and what it was told agree, whatever it answers, and
after a kill."""
import urllib.parse

from s3 import *
from test_app_kill import KEY, App
from test_state import Mortal, change

HEAD = """state: "{dir}/state"
admin: { listen: ["unix:{dir}/admin.sock"] }
"""
BODY = form(part("title", b"x"), *files(noise(KEPT), noise(SHORT, 2)))


def app_routes(app):
    fields = 'fields: [ { name: title, kind: value, forward: true }, { name: f, kind: file, store: { to: s, key: "ä b/{uuid}" } } ]'
    told = f'to: app, sign: {{ key: "{KEY}" }}, failed: {{ path: /failed }}, timeout: 1s'
    return f"""destinations:
{destination("undo: DELETE, timeout: { total: 1s }")}  app: {{ type: http, url: "http://127.0.0.1:{app.port}/base" }}
routes:
  - {{ id: committed, match: {{ path: /committed }}, {fields}, app: {{ {told}, resolve: {{ path: /resolve }} }} }}
  - {{ id: held, match: {{ path: /held }}, {fields}, app: {{ {told}, when: held }} }}
  - {{ id: stays, match: {{ path: /stays }}, {fields}, app: {{ {told}, undo_on: none }} }}
"""


def told_of(app):
    """The files of the last form that it was told of."""
    (last,) = [request for request in app.seen if request.complete and not request.path.endswith(("failed", "resolve"))][-1:]
    return [json.loads(value) for name, value in urllib.parse.parse_qsl(last.body.decode()) if name == "f"]


def test_what_it_says_is_what_becomes_of_the_bucket():
    for versioning in (False, True):
        with FakeS3(versioning=versioning) as fake, App() as app, Penstock(app_routes(app), fake, head=HEAD) as p:
            for route, how, status, stands in (("committed", 200, 201, True), ("held", 200, 201, True), ("stays", 200, 201, True), ("committed", 409, 409, False),
                                               ("held", 409, 409, False), ("stays", 409, 409, True), ("committed", lambda r: r.reset(), 502, False), ("held", lambda r: r.reset(), 502, False)):
                app.form, before, heard = how, set(fake.store.objects()), len(app.heard)
                answer = post(p.port, f"/{route}", BODY)
                new = set(fake.store.objects()) - before
                assert (answer.status, len(new)) == (status, 2 if stands else 0), (route, how, answer.body, new)
                wait_for(lambda: not fake.store.unfinished(), "no upload is left")
                said = told_of(app)
                assert not stands or {urllib.parse.unquote(file["target"]).removeprefix("/") for file in said} == new, (route, said)
                is_there = route != "held"
                assert all((file["version"] is not None) == (is_there and versioning) for file in said), said
                assert all((file["location"] is not None) == is_there for file in said), said
                if status == 502:
                    wait_for(lambda: [what for what, _ in app.heard[heard:]] == ["form", "failed"], "it is told that the form failed")
                else:
                    assert [what for what, _ in app.heard[heard:]] == ["form"], app.heard


def test_a_kill_while_it_is_asked_leaves_bucket_and_application_of_one_mind():
    for route, resolve, then, stays in (("committed", 404, "resolve", 0), ("committed", 200, "resolve", 2), ("held", 404, "failed", 0), ("stays", 404, None, 2)):
        asked = threading.Event()
        with FakeS3() as fake, App() as app:
            app.form, app.resolve = lambda request: (asked.set(), request.upstream.release.wait(DEADLINE)), resolve
            p = Mortal(app_routes(app), fake, head=HEAD)
            with connect(p.port) as client:
                client.sendall(head_of(f"/{route}", len(BODY)) + BODY)
                assert asked.wait(DEADLINE), p.log()
                p.kill()
            p.again()
            wait_for(lambda: p.unsettled() == 0 and len(p.state_files()) == 1, "all is settled: " + p.log())
            assert len(fake.store.objects()) == stays and not fake.store.unfinished(), (route, fake.store.objects().keys())
            assert [what for what, _ in app.heard] == ["form", *filter(None, [then])], (route, app.heard)
            app.release.set()
            p.stop()
