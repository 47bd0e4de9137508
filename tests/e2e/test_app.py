# SPDX-License-Identifier: MIT
"""The application that is told of a form (`app`): what it gets, what its answer does, and what is there after each of its answers, as the table
in sidecar/sink/app/README.md has it."""
import re
import sys
import types
import urllib.parse
from email.message import Message

from agreement import explain
from lib import *

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from application import signature  # noqa: E402

KEY = "a key of this test"
FIELDS = """fields: [ { name: title, kind: value, forward: true }, { name: "tag[]", kind: value, forward: true },
        { name: photo, kind: file, digest: sha256, store: { to: files, key: "{uuid}" } }, { name: doc, kind: file, max_count: 1, store: { to: store, path: "/{uuid}" } } ]"""
APP = 'to: app, sign: { key: "a key of this test" }, pass: [cookie, x-user], failed: { path: /failed }, answer: 64KiB, timeout: 2s'
ROUTES = f"""state: "{{dir}}/state"
destinations:
  files: {{ type: directory, path: "{{dir}}/out" }}
  store: {{ type: http, url: "http://127.0.0.1:{{up}}/s", undo: DELETE }}
  app: {{ type: http, url: "http://127.0.0.1:{{app}}/base" }}
routes:
  - {{ id: committed, match: {{ path: "/committed/*", method: [POST, PUT] }}, {FIELDS}, app: {{ {APP} }}, response: {{ from: app }} }}
  - {{ id: held, match: {{ path: "/held/*" }}, {FIELDS}, app: {{ {APP}, when: held }}, response: {{ from: app }} }}
  - {{ id: keeps, match: {{ path: "/keeps/*" }}, {FIELDS}, app: {{ {APP}, undo_on: none }}, response: {{ from: app }} }}
  - {{ id: some, match: {{ path: "/some/*" }}, {FIELDS}, app: {{ {APP}, undo_on: [409, 5xx] }} }}
  - {{ id: json, match: {{ path: "/json/*" }}, {FIELDS}, app: {{ {APP}, form: json, path: "/forms/{{path.1}}?q={{query.q}}", method: PUT }} }}
"""
MORE = f"""  - {{ id: each, match: {{ path: "/each/*" }}, commit: each, {FIELDS}, app: {{ {APP}, undo_on: none }}, response: {{ from: app }} }}
  - {{ id: raw, match: {{ path: "/raw/*", method: PUT }}, body: {{ raw: photo }}, fields: [ {{ name: photo, store: {{ to: files, key: "{{uuid}}" }} }} ], app: {{ {APP} }}, response: {{ from: app }} }}
  - {{ id: values, match: {{ path: "/values/*" }}, fields: [ {{ name: t, kind: value, forward: true }} ], app: {{ {APP} }}, response: {{ from: app }} }}
"""
PHOTO, DOC = noise(3000), noise(40_000, 2)
BODY = form(part("title", b"A & B=\xc3\xa4"), part("photo", PHOTO, "p.png", "image/png"), part("tag[]", b"x"), part("doc", DOC, "d.bin"), part("tag[]", b"y z"))


class App(Upstream):
    """`how(request)` is what it does with a form, once its body is there (but for `early`)."""

    def __init__(self, how, early=False):
        super().__init__(script=self.take)
        self.how, self.early, self.forms = how, early, []

    def take(self, request):
        if request.path.startswith("/base/failed"):
            return None
        if not self.early and not request.read_all():
            return "done"
        self.forms.append(request)
        self.how(request)
        return "done" if self.early else "next"


@contextlib.contextmanager
def world(how, early=False, routes=ROUTES, down=False, store=None, **more):
    with App(how, early) as app, Upstream(script=store) as up:
        port = free_port() if down else app.port
        with Penstock(routes.replace("{app}", str(port)), upstream=up, **more) as p:
            yield p, app, up


def raw(data):
    return lambda request: request.socket.sendall(data)


def says(status, lines=(), body=b""):
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines)
    return raw(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def stall(request):
    request.upstream.release.wait(DEADLINE)


def cut(request):
    request.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    request.socket.shutdown(socket.SHUT_RDWR)


def endless(request):
    with contextlib.suppress(OSError):
        request.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            request.socket.sendall(b"x" * 65536)


def fields_of(request):
    """As the application reads them: names and values in order."""
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def is_signed(request, purpose="form"):
    lines = [v for k, v in request.lines if k.lower() == "penstock-signature"]
    said = dict(pair.split("=", 1) for pair in lines[0].split(","))
    good = signature(KEY, purpose, said["t"], request.method, request.path, request.headers["x-request-id"], bytes(request.body))
    return len(lines) == 1 and said["p"] == purpose and said["v1"] == good


def files(p):
    """What is visible; the journal of the folder is not."""
    return {name: data for name, data in p.files().items() if not name.startswith(".penstock")}


def owes(p, app):
    """The application has been told that a form does not stand, or the journal says that it has to be."""
    found = b""
    for name in os.listdir(p.dir + "/state"):
        with contextlib.suppress(FileNotFoundError), open(f"{p.dir}/state/{name}", "rb") as f:
            found += f.read()
    told = [request for request in app.seen if request.path == "/base/failed" and request.complete]
    assert all(is_signed(request, "failed") for request in told), [request.lines for request in told]
    return bool(told) or re.search(rb"^[0-9a-f]{8} [0-9a-f]{8} F", found, re.M) is not None


# What the application does; does the form stand (committed, held, with undo_on: none); the client's status; is the application owed word.
STANDS, GONE = True, False
OUTCOMES = (
    ("says yes", says(200, [("Content-Type", "text/x")], b"fine"), (STANDS, STANDS, STANDS), 200, False),
    ("says nothing but yes", says(204), (STANDS, STANDS, STANDS), 204, False),
    ("redirects", says(303, [("Location", "/there?x=1")]), (STANDS, STANDS, STANDS), 303, False),
    ("redirects for good", says(301, [("Location", "http://other/")]), (STANDS, STANDS, STANDS), 301, False),
    ("refuses", says(422, [("Content-Type", "text/x")], b"no"), (GONE, GONE, STANDS), 422, False),
    ("forbids", says(401, [("WWW-Authenticate", "Basic realm=x")]), (GONE, GONE, STANDS), 401, False),
    ("has failed", says(500, (), b"oops"), (GONE, GONE, STANDS), 500, False),
    ("is too busy", says(503, [("Retry-After", "7")]), (GONE, GONE, STANDS), 503, False),
    ("is not reachable", None, (GONE, GONE, STANDS), 502, False),
    ("is silent", stall, (GONE, GONE, STANDS), 504, True),
    ("closes without a word", lambda r: r.socket.shutdown(socket.SHUT_RDWR), (GONE, GONE, STANDS), 502, True),
    ("is cut off in the middle", cut, (GONE, GONE, STANDS), 502, True),
    ("answers garbage", raw(b"hello\r\n\r\n"), (GONE, GONE, STANDS), 502, True),
    ("answers 100 MB", endless, (GONE, GONE, STANDS), 502, True),
    ("answers one byte too much", says(200, (), b"x" * 65537), (GONE, GONE, STANDS), 502, True),
    ("says two types", says(200, [("Content-Type", "text/html"), ("Content-Type", "text/plain")], b"<p>"), (GONE, GONE, STANDS), 502, True),
    ("says two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), (GONE, GONE, STANDS), 502, True),
    ("answers all that it may", says(200, (), b"x" * 65536), (STANDS, STANDS, STANDS), 200, False),
)


def check_outcome(route, row, stands):
    name, how, _, status, owed = row
    where = f"{route}: the application {name}"
    with world(how, down=how is None) as (p, app, up):
        answer = post(p.port, f"/{route}/x", BODY)
        wait_for(lambda: p.requests(), where)
        there = sorted(files(p).values()), sorted(up.store.values())
        assert answer.status == status, (where, answer.status, answer.body)
        assert there == (([PHOTO], [DOC]) if stands else ([], [])), (where, [len(x) for y in there for x in y])
        assert len(app.forms) == (how is not None), (where, len(app.forms))
        if owed and not stands:
            wait_for(lambda: owes(p, app), where)
        else:
            assert not owes(p, app), where
        assert how is None or is_signed(app.forms[0]), where
        if status in (502, 504):
            assert answer.json()["type"].startswith("urn:penstock:problem:"), where
            assert len(answer.json().get("parts", [])) == (5 if stands else 0), (where, answer.body)
        app.release.set()


def test_every_outcome_is_that_of_the_table():
    for row in OUTCOMES:
        for route, stands in zip(("committed", "held", "keeps"), row[2]):
            check_outcome(route, row, stands)


def test_it_gets_the_form_as_it_came():
    with world(says(200)) as (p, app, up):
        extra = "Cookie: a=1\r\nCookie: b=2\r\nX-User: u\r\nX-Other: no\r\nPenstock-Signature: t=1,p=form,v1=0\r\nPenstock-Grant-User: me\r\nX-Request-Id: id-7\r\n"
        answer = post(p.port, "/committed/a%20b?q=%2f&q=2", BODY, extra=extra)
        (got,) = app.forms
        assert answer.status == 200 and (got.method, got.path) == ("POST", "/base/committed/a%20b?q=%2f&q=2"), (answer.status, got.path)
        assert [v for k, v in got.lines if k.lower() == "cookie"] == ["a=1", "b=2"], got.lines
        assert got.headers["x-user"] == "u" and "x-other" not in got.headers and "penstock-grant-user" not in got.headers
        assert got.headers["x-request-id"] == "id-7" and is_signed(got)
        assert got.headers["x-forwarded-method"] == "POST" and got.headers["x-forwarded-uri"] == "/committed/a%20b?q=%2f&q=2"
        assert got.headers["x-forwarded-host"] == "test" and got.headers["x-penstock-route"] == "committed"
        fields = fields_of(got)
        assert [name for name, _ in fields] == ["title", "photo", "tag[]", "doc", "tag[]"], fields
        assert [fields[i][1] for i in (0, 2, 4)] == ["A & B=\xe4", "x", "y z"], fields
        photo, doc = json.loads(fields[1][1]), json.loads(fields[3][1])
        (target,) = files(p)
        assert photo == {"name": "p.png", "type": "image/png", "detected_type": None, "size": 3000, "digests": {"sha256": sha256(PHOTO)}, "destination": "files",
                         "target": target, "location": None, "version": None, "part": 2}, photo
        assert "/s" + doc["target"] in up.store and doc["part"] == 4 and doc["size"] == len(DOC) and doc["digests"] == {}, doc
        assert p.dir not in got.body.decode()


def test_what_it_has_granted_stands_in_its_path():
    def answer(request):
        says(204, [("Penstock-Grant-User", "me")])(request) if "/may" in request.path else says(200)(request)

    granted = f"""  - {{ id: granted, match: {{ path: "/granted/*" }}, authorize: {{ to: app, path: /may }}, {FIELDS}, app: {{ {APP}, path: "/users/{{grant.user}}" }} }}
"""
    with world(answer, routes=ROUTES + granted) as (p, app, _):
        assert post(p.port, "/granted/x", BODY).status == 201
        assert [request.path for request in app.forms] == ["/base/may", "/base/users/me"]
        assert is_signed(app.forms[0], "authorize") and is_signed(app.forms[1])  # with the key of `app`


def test_a_document_has_all_of_it():
    with world(says(200)) as (p, app, up):
        answer = post(p.port, "/json/a%20b?q=x%26y", BODY)
        (got,) = app.forms
        assert answer.status == 201 and len(answer.json()["parts"]) == 5, answer.body
        assert (got.method, got.path) == ("PUT", "/base/forms/a%20b?q=x%26y"), got.path
        assert got.headers["content-type"] == "application/json" and is_signed(got)
        told = json.loads(got.body)
        assert told["route"] == "json" and told["request_id"] == got.headers["x-request-id"]
        assert [f["name"] for f in told["fields"]] == ["title", "photo", "tag[]", "doc", "tag[]"] and told["fields"][0]["value"] == "A & B=\xe4"


def test_its_answer_is_the_clients_and_nothing_else_of_it():
    lines = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("ETag", '"x"'), ("Link", "</x>; rel=next"), ("HX-Redirect", "/y"), ("Turbo-Frame", "f"),
             ("Cache-Control", "private"), ("Content-Type", "text/html"), ("Server", "secret"), ("X-Internal", "secret"), ("Penstock-Grant-User", "u")]
    for route, status in (("committed", 200), ("committed", 404), ("held", 302), ("some", 404)):
        with world(says(status, lines, b"<p>")) as (p, _, _):
            with connect(p.port) as s:
                s.sendall(head_of(f"/{route}/x", len(BODY)) + BODY)
                data = s.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d" % status) and body == b"<p>", data
            got = [tuple(x.strip() for x in line.decode().split(":", 1)) for line in head.split(b"\r\n")[1:]]
            for line in lines[:8]:
                assert (line[0].lower(), line[1]) in [(k.lower(), v) for k, v in got], (line, got)
            assert b"secret" not in head and b"Penstock-Grant" not in head and [k.lower() for k, _ in got].count("x-request-id") == 1, head


def test_what_comes_with_an_answer_that_has_no_content_is_not_the_clients():
    for status in (204, 205, 304):
        with world(says(status, (), b"HTTP/1.1 200 OK\r\n\r\n")) as (p, app, up), connect(p.port) as s:
            for _ in range(2):
                s.sendall(head_of("/committed/x", len(BODY)) + BODY)
                answer = read_answer(s)
                assert answer.status == status and answer.headers.get("content-length", "0") == "0", (status, answer.headers)
            assert len(app.forms) == 2


def test_a_yes_is_a_summary_where_the_route_says_so():
    for status, there in ((200, True), (303, True), (404, True), (409, False), (500, False)):
        with world(says(status, (), b"app")) as (p, app, up):
            answer = post(p.port, "/some/x", BODY)
            assert answer.status == (201 if status < 400 else status), (status, answer.status)
            assert (answer.body == b"app") == (status >= 400), answer.body
            assert (len(files(p)), len(up.store)) == ((1, 1) if there else (0, 0)), (status, files(p).keys(), up.store.keys())


def test_it_is_asked_when_the_objects_are_there_or_not_yet():
    for route, there in (("committed", 1), ("held", 0)):
        with world(stall) as (p, app, up):
            with connect(p.port) as s:
                s.sendall(head_of(f"/{route}/x", len(BODY)) + BODY)
                wait_for(lambda: app.forms, "the application is asked")
                assert (len(files(p)), len(up.store)) == (there, there), (route, files(p).keys(), up.store.keys())
                app.release.set()


def test_who_leaves_while_it_is_asked_changes_nothing():
    answer = threading.Event()

    def late(request):
        answer.wait(DEADLINE)
        says(200)(request)

    for route in ("committed", "held"):
        answer.clear()
        with world(late) as (p, app, up):
            with connect(p.port) as s:
                s.sendall(head_of(f"/{route}/x", len(BODY)) + BODY)
                wait_for(lambda: app.forms, "the application is asked")
            answer.set()
            wait_for(lambda: p.requests(), "the request is over")
            assert (len(files(p)), len(up.store)) == (1, 1) and p.requests()[0]["status"] in (200, 499) and not owes(p, app), p.requests()


def test_a_commit_that_fails_after_its_yes_is_owed():
    def refuse(request):
        if request.method == "DELETE":
            return None
        request.read_all()
        request.answer(507)
        return "next"

    with world(says(200), store=refuse) as (p, app, up):
        answer = post(p.port, "/held/x", BODY)
        assert answer.status in (502, 507) and app.forms and not files(p), (answer.status, answer.body)
        wait_for(lambda: owes(p, app), "the application is owed word")
        assert post(p.port, "/committed/x", BODY).status == answer.status and len(app.forms) == 1  # it is not asked at all


def test_a_store_that_fails_while_it_is_asked_ends_the_question():
    answer = threading.Event()

    def late(request):
        answer.wait(DEADLINE)
        says(200, (), b"yes")(request)

    body = form(part("title", b"x"), part("doc", noise(3_000_000, 3), "d.bin"))
    for leaves in (False, True):
        answer.clear()
        with App(late) as app:

            def fail(request):
                while not app.forms:
                    if has_come(request.socket, 0.01):
                        request.socket.recv(65536)
                return request.reset()

            with Upstream(script=fail) as up, Penstock(ROUTES.replace("{app}", str(app.port)), upstream=up) as p:
                with connect(p.port) as s:
                    s.sendall(head_of("/held/x", len(body)) + body)
                    wait_for(lambda: app.forms, "the application is asked")
                    got = None if leaves else read_answer(s)
                assert leaves or (got.status == 502 and got.json()["type"].startswith("urn:penstock:problem:")), (got.status, got.body)
                wait_for(lambda: p.requests(), "the request is over")
                wait_for(lambda: owes(p, app), "the application is owed word")
                answer.set()
                assert post(p.port, "/held/x", form(part("title", b"x"))).status == 200 and not up.store


def test_the_time_of_a_request_ends_the_question_too():
    with world(stall, head="client: { timeout: { total: 1s } }") as (p, app, up):
        for route, there in (("committed", 0), ("held", 0), ("keeps", 1)):
            answer = post(p.port, f"/{route}/x", BODY)
            assert answer.status == 408, (route, answer.status, answer.body)
            assert (len(files(p)), len(up.store)) == (there, there), (route, files(p).keys())
        wait_for(lambda: owes(p, app), "the application is owed word")
        app.release.set()


def test_a_yes_that_came_to_nothing_is_not_the_clients():
    def late(request):
        if request.method == "DELETE":
            return None
        begun = time.monotonic()
        request.read_all()
        request.upstream.release.wait(max(0, begun + 3 - time.monotonic()))  # the time of the request is over then
        request.answer(201)
        return "next"

    with world(says(303, [("Location", "/done")]), store=late, head="client: { timeout: { total: 2s } }") as (p, app, up):
        answer = post(p.port, "/held/x", BODY)
        assert answer.status == 408 and "location" not in answer.headers and app.forms, (answer.status, answer.headers)
        wait_for(lambda: owes(p, app), "the application is owed word")
        assert not files(p) and not up.store


def test_a_form_is_not_told_twice_where_a_kept_connection_dies():
    def how(request):
        if len(request.upstream.forms) == 1:
            says(200)(request)
        else:
            request.socket.shutdown(socket.SHUT_RDWR)

    with world(how) as (p, app, up):
        for n, status in ((1, 200), (2, 502)):
            with connect(p.port) as s:
                s.sendall(head_of("/committed/x", len(BODY), method="PUT") + BODY)
                assert read_answer(s).status == status
            assert len(app.forms) == n, len(app.forms)
        wait_for(lambda: owes(p, app), "the application is owed word")


def test_a_connection_that_was_kept_is_used_where_the_destination_says_so():
    """And a form for which it dies is not told again over another one."""
    def how(request):
        if len(request.upstream.forms) < 3:
            says(200)(request)
        else:
            request.socket.shutdown(socket.SHUT_RDWR)

    for reuse, connections in ((", reuse: always", 1), ("", 2)):
        with world(how, routes=ROUTES.replace('/base"', f'/base"{reuse}')) as (p, app, up):
            with connect(p.port) as s:
                for status in (200, 200, 502):
                    s.sendall(head_of("/committed/x", len(BODY)) + BODY)
                    assert read_answer(s).status == status, (reuse, status)
            assert len(app.forms) == 3 and len({id(request.socket) for request in app.forms[:2]}) == connections, reuse
            wait_for(lambda p=p, app=app: owes(p, app), "the application is owed word")


def test_an_end_waits_for_its_answer():
    answer = threading.Event()

    def late(request):
        answer.wait(DEADLINE)
        says(200)(request)

    with world(late) as (p, app, up):
        with connect(p.port) as s:
            s.sendall(head_of("/held/x", len(BODY)) + BODY)
            wait_for(lambda: app.forms, "the application is asked")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "draining" in p.log() or "shutting" in p.log() or "SIGTERM" in p.log(), "it drains")
            answer.set()
            assert read_answer(s).status == 200
        p.process.wait(DEADLINE)
        assert (len(files(p)), len(up.store)) == (1, 1)


def test_an_end_that_waits_no_longer_takes_it_back():
    with world(stall, head="shutdown: { drain: 1s }") as (p, app, up):
        with connect(p.port) as s:
            s.sendall(head_of("/committed/x", len(BODY)) + BODY)
            wait_for(lambda: app.forms, "the application is asked")
            p.process.send_signal(signal.SIGTERM)
            assert read_answer(s).status == 503
        p.process.wait(DEADLINE)
        assert owes(p, app) and not files(p)
        app.release.set()


def test_values_with_the_name_of_a_file_are_refused():
    with world(says(200)) as (p, app, up):
        for path, body, field in (("/committed/x?photo=1", BODY, None), ("/committed/x?a&%70hoto%5bx%5d", BODY, None), ("/committed/x?%5Bphoto%5D", BODY, None),
                                  ("/committed/x?" + "%5B" * 2000 + "photo", BODY, None), ("/committed/x", form(part("[photo]", b"fake")), "[photo]"),
                                  ("/committed/x", form(part("photo", b"fake")), "photo"), ("/committed/x", form(part("doc[name]", b"fake")), "doc[name]")):
            answer = post(p.port, path, body)
            assert answer.status == 400 and answer.json().get("field") == field, (path, answer.status, answer.body)
        assert not app.forms and not files(p) and not up.store


def test_parts_that_are_committed_one_by_one_stay_whatever_it_says():
    for how, status in ((says(200), 200), (says(500), 500), (stall, 504)):
        with world(how, routes=ROUTES + MORE) as (p, app, up):
            assert post(p.port, "/each/x", BODY).status == status
            assert (len(files(p)), len(up.store), len(app.forms)) == (1, 1, 1) and not owes(p, app), status
            app.release.set()


def test_a_body_that_is_one_file_and_a_form_without_any_are_told_too():
    with world(says(200, (), b"ok"), routes=ROUTES + MORE) as (p, app, up):
        with connect(p.port) as s:
            s.sendall(b"PUT /raw/a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            assert read_answer(s).status == 200
        ((name, value),) = fields_of(app.forms[0])
        assert name == "photo" and json.loads(value)["name"] == "a.txt" and json.loads(value)["size"] == 5, value
        assert post(p.port, "/values/x", form(part("t", b"1"))).body == b"ok" and fields_of(app.forms[1]) == [("t", "1")]
        assert post(p.port, "/values/x", form()).body == b"ok" and app.forms[2].body == b"" and is_signed(app.forms[2])


def test_explain_shows_the_request_that_it_would_get():
    with world(says(200)) as (p, app, _):
        for path, said in (("/committed/x?y=%20z", fields_of), ("/json/b?q=1&r=2", lambda request: json.loads(request.body))):
            assert post(p.port, path, BODY).status in (200, 201)
            got, would = app.forms[-1], explain(p, head_of(path, len(BODY)) + BODY)["application"]
            assert (would["method"], would["target"]) == (got.method, f"http://127.0.0.1:{app.port}{got.path}"), would
            assert would["type"] == got.headers["content-type"]
            pattern = re.escape(would["body"])
            for shown in ("{uuid}", "%7Buuid%7D", "{request_id}"):
                pattern = pattern.replace(re.escape(shown), "[0-9a-f-]{36}")
            assert re.fullmatch(pattern, got.body.decode()) and said(got), (would["body"], got.body)


def test_explain_says_whose_answer_the_client_gets():
    """Of a form that is refused it is penstock's, and of one with nothing for the store, too."""
    relay = """  - { id: relay, match: { path: /relay }, fields: [ { name: photo, max_count: 1, store: { to: store, path: "/{uuid}" } }, { name: n, drop: true } ],
      response: { from: upstream } }
"""
    with world(says(302), routes=ROUTES + relay) as (p, app, _):
        for path, body, status, whose, human in (
                ("/committed/x", BODY, None, "app", "status that of the application's answer  route committed\n"),
                ("/committed/x", form(part("other", b"")), 422, None, "status 422  route committed\n"),
                ("/some/x", BODY, 201, None, "status 201  route some\n"),
                ("/relay", form(part("photo", b"x", "a")), None, "upstream", "status that of the store's answer  route relay\n"),
                ("/relay", form(part("n", b"x")), 201, None, "status 201  route relay\n")):
            request = head_of(path, len(body)) + body
            told = explain(p, request)
            assert (told["status"], told.get("from")) == (status, whose), told
            shown = subprocess.run([BINARY, "explain", "--human", p.file, "-"], input=request, stdout=subprocess.PIPE, check=True).stdout
            assert shown.decode().startswith(human), shown


def test_what_is_forwarded_has_a_quarter_of_memory_and_what_is_stored_any_of_it():
    """As `penstock check` says of `values`. Letters and digits are told as they are, so a form just below that is taken."""
    routes = ROUTES + MORE.replace('"/values/*" }, fields: [ ', '"/values/*" }, limits: { values: 64MiB }, fields: [ '
                                   '{ name: long, kind: value, store: { to: files, key: "{uuid}" } }, ')
    with world(says(200, [], b"ok"), routes=routes, memory="4MiB") as (p, app, up):
        assert post(p.port, "/values/x", form(part("t", b"x" * ((1 << 20) + 1)))).status == 503 and not app.forms
        assert post(p.port, "/values/x", form(part("t", b"x" * 900_000))).status == 200
        assert post(p.port, "/values/x", form(part("long", b"x" * (6 << 20)))).status == 200
        assert [len(data) for data in files(p).values()] == [6 << 20]


def test_an_answer_that_may_have_no_body_has_none():
    routes = ROUTES.replace("answer: 64KiB", "answer: 0B")
    for how, status in ((says(204), 204), (says(303, [("Location", "/x")]), 303), (says(200, (), b"x"), 502), (says(422, (), b"x" * 3000), 502)):
        with world(how, routes=routes) as (p, app, up):
            answer = post(p.port, "/committed/x", BODY)
            assert answer.status == status, (status, answer.status, answer.body)
            assert (len(files(p)), len(up.store)) == ((0, 0) if status == 502 else (1, 1)), status


def test_what_a_store_does_not_take_back_is_told_to_whoever_runs_it():
    def keep(request):
        if request.method != "DELETE":
            return None
        request.read_all()
        request.answer(500)
        return "next"

    port = free_port()
    head = f'admin: {{ listen: ["127.0.0.1:{port}"] }}'
    for how, status in ((says(409, (), b"no"), 409), (lambda r: r.socket.shutdown(socket.SHUT_RDWR), 502)):
        with world(how, store=keep, head=head, routes=ROUTES + MORE) as (p, _, up):
            assert post(p.port, "/each/x", BODY).status == status and len(up.store) == 1  # of which it is meant so
            assert post(p.port, "/keeps/x", BODY).status == status and len(up.store) == 2
            assert post(p.port, "/committed/x", BODY).status == status and len(up.store) == 3, up.store.keys()
            wait_for(lambda: len(p.requests()) == 3, "the log")
            (line,) = p.lines('"msg":"left"')
            assert (line["level"], line["destination"], line["is"]) == ("error", "store", "there") and "/s" + line["target"] == list(up.store)[-1], line
            assert line["id"] == p.requests()[-1]["id"] and "500" in line["why"], line
            with connect(port) as s:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"\npenstock_objects_left_total 1\n" in read_answer(s).body


def test_the_handler_and_the_route_of_its_page_work():
    with open("sidecar/sink/app/README.md", encoding="utf-8") as f:
        page = f.read()
    route, handler = (re.search(f"```{kind}\n(.*?)```", page, re.S)[1] for kind in ("yaml", "python"))
    told = []
    names = {"KEY": KEY.encode(), "remember": lambda *row: told.append(row), "forget": told.append}
    exec(compile(handler, "README.md", "exec"), names)

    def take(request):
        request.read_all()
        asked = types.SimpleNamespace(headers=Message(), method=request.method, target=request.path)
        for name, value in request.lines:
            asked.headers[name] = value
        status, lines = names["gallery_failed" if request.path == "/gallery-failed" else "gallery"](asked, bytes(request.body))
        says(status, lines.items())(request)
        return "next"

    with Upstream(script=take) as app:
        for old, new in (("/var/lib/penstock/state", "{dir}/state"), ("/srv/gallery", "{dir}/out"), ("127.0.0.1:8000", f"127.0.0.1:{app.port}"), ("/run/secrets/penstock", "{dir}/key")):
            assert old in route
            route = route.replace(old, new)
        with Penstock(route.replace("{ file: {dir}/key }", f'"{KEY}"')) as p:
            body = form(part("title", b"Summer"), part("photo", PHOTO, "p.png"))
            answer = post(p.port, "/gallery/summer?x=%20y", body)
            assert (answer.status, answer.headers["location"]) == (303, "/gallery/summer"), answer.body
            ((_, title, target, size),) = told
            assert (title, size) == ("Summer", len(PHOTO)) and files(p) == {target: PHOTO}, told
            assert post(p.port, "/gallery/summer", form(part("title", b"Summer"))).status == 422
            assert post(app.port, "/gallery/summer", b"title=x&photo=%7B%7D").status == 403
            assert post(app.port, "/gallery-failed", b"").status == 403 and len(told) == 1, told


def test_the_lines_of_its_answer_are_bounded():
    for size, status in ((28_000, 200), (40_000, 502)):
        with world(says(200, [("Set-Cookie", "a=" + "x" * size)])) as (p, app, up):
            answer = post(p.port, "/committed/x", BODY)
            assert answer.status == status and (status != 200 or len(answer.headers["set-cookie"]) == size + 2), (size, answer.status)
            assert (len(files(p)), len(up.store)) == ((1, 1) if status == 200 else (0, 0)), size


def test_many_at_once_are_all_told():
    with world(says(200), workers=2) as (p, app, up):
        errors = []

        def one():
            for _ in range(rounds(10)):
                answer = post(p.port, "/committed/x", BODY)
                if answer.status != 200:
                    errors.append((answer.status, answer.body))

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors and len(app.forms) == len(files(p)) == len(up.store) == 8 * rounds(10), (errors[:1], len(app.forms))
