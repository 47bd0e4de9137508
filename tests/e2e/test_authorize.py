# SPDX-License-Identifier: MIT
"""An application is asked before a byte of a body is read: its yes lets in, its no is the client's answer, and silence is neither."""
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time

from lib import BINARY, DEADLINE, SMALL, Penstock, Upstream, connect, form, head_of, part, post, read_answer, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import application  # noqa: E402  pylint: disable=wrong-import-position

ROUTES = """
destinations:
  app: {{ type: http, url: "http://127.0.0.1:{app}/in", timeout: {{ connect: 5s }} }}
  files: {{ type: directory, path: "{{dir}}/out" }}
routes:
  - id: album
    match: {{ path: "/albums/*/photos", method: [POST] }}
    authorize: {{ to: app, path: "/may/{{path.1}}?q={{query.q}}"{more} }}
{extra}
    fields:
      - {{ name: "photo", kind: file, store: {{ to: files, path: "{name}" }} }}
      - {{ name: "*", kind: value, drop: true }}
  - id: open
    match: {{ path: "/open" }}
    fields:
      - {{ name: "photo", store: {{ to: files, path: "open-{{uuid}}" }} }}
"""
PHOTO = form(part("photo", b"jpeg", "a.jpg"), part("title", b"sea"))
YES = (204, [], b"")


def penstock(app, more="", name="{uuid}", extra="", **how):
    """Where no time is said it is one that no test waits for."""
    port = app if isinstance(app, int) else app.port
    more += "" if "timeout" in more else ", timeout: 60s"
    return Penstock(ROUTES.format(app=port, more=more, name=name, extra=extra), **how)


def yes(_):
    return YES


def lines(app, name):
    return [v for k, v in app.asked[-1][2] if k.lower() == name]


def test_what_is_asked():
    extra = ("Cookie: a=b\r\nCookie: c=d\r\nAuthorization: Bearer x\r\nX-Secret: no\r\nPenstock-Grant-User: root\r\n"
             "Penstock-Signature: forged\r\nX-Penstock-Route: forged\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
             "X-Forwarded-Method: forged\r\nX-Forwarded-Uri: /forged\r\nX-Request-Id: id-1\r\n"
             "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n")
    with application.Application(yes) as app, penstock(app) as p:
        assert post(p.port, "/albums/x%20y/photos?q=a/b&z", PHOTO, extra=extra).status == 201
        assert len(app.asked) == 1 and len(p.files()) == 1
        method, path, _ = app.asked[0]
        assert (method, path) == ("GET", "/in/may/x%20y?q=a%2Fb"), path
        wants = {"cookie": ["a=b", "c=d"], "authorization": ["Bearer x"], "x-secret": [], "penstock-grant-user": [], "penstock-signature": [],
                 "x-forwarded-method": ["POST"], "x-forwarded-proto": ["https"], "x-forwarded-host": ["test"],
                 "x-forwarded-uri": ["/albums/x%20y/photos?q=a/b&z"], "x-forwarded-for": ["192.0.2.7"], "x-request-id": ["id-1"],
                 "x-penstock-route": ["album"], "x-penstock-length": [str(len(PHOTO))], "content-length": [], "content-type": [],
                 "transfer-encoding": [], "expect": [], "traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]}
        for name, want in wants.items():
            assert lines(app, name) == want, (name, lines(app, name))
        assert post(p.port, "/albums/x/photos", PHOTO, chunk=100).status == 201
        assert lines(app, "x-penstock-length") == [] and lines(app, "cookie") == []
        assert post(p.port, "/open", PHOTO.replace(b'"title"', b'"photo"')).status == 201
        assert len(app.asked) == 2  # the other route asks nobody


def test_what_is_left_out_makes_no_other_path():
    for target, path, status in (("/may/{query.q}", "/albums/x/photos", 400), ("/may/{query.q}/x", "/albums/x/photos?q=", 400),
                                 ("/may/x{query.q}", "/albums/x/photos", 201), ("/may/?q={query.q}", "/albums/x/photos", 201)):
        routes = ROUTES.replace("/may/{{path.1}}?q={{query.q}}", target.replace("{", "{{").replace("}", "}}"))
        with application.Application(yes) as app, Penstock(routes.format(app=app.port, more=", timeout: 60s", name="{uuid}", extra="")) as p:
            answer = post(p.port, path, PHOTO)
            assert answer.status == status and len(app.asked) == (status == 201), (target, answer.body)
            assert status == 201 or "segment" in answer.json()["detail"], answer.body


def test_who_is_not_trusted_is_not_believed():
    with application.Application(yes) as app, penstock(app, head="trust: { proxies: none }") as p:
        assert post(p.port, "/albums/x/photos", PHOTO, extra="X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\n").status == 201
        assert lines(app, "x-forwarded-proto") == ["http"] and lines(app, "x-forwarded-for") == ["127.0.0.1"]


def test_the_question_is_signed_with_each_key():
    seen = []

    def decide(handler):
        seen.append([application.is_signed(key, handler, "authorize") for key in ("first", "second", "third")])
        return YES
    more = ", method: POST, sign: { key: first, next_key: { env: PENSTOCK_TEST_KEY } }"
    with application.Application(decide) as app, penstock(app, more, env={**os.environ, "PENSTOCK_TEST_KEY": "second"}) as p:
        assert post(p.port, "/albums/x/photos?q=1%262", PHOTO).status == 201
        assert seen == [[True, True, False]], seen


REFUSALS = [
    (401, [("WWW-Authenticate", 'Basic realm="x"')], b"who?"),
    (403, [("Content-Type", "application/json"), ("Cache-Control", "no-store")], b'{"no":true}'),
    (302, [("Location", "/login?next=%2F"), ("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=d")], b""),
    (429, [("Retry-After", "7")], b"later"),
    (404, [("X-Secret", "s"), ("Penstock-Grant-User", "42")], b""),
    (500, [], b"broken"),
]


def raw_answer(p, body):
    with connect(p.port) as s:
        s.sendall(head_of("/albums/x/photos", len(body), extra="Connection: close\r\n") + body)
        got = b""
        while piece := s.recv(65536):
            got += piece
    return got


def test_a_refusal_is_the_clients_answer():
    for status, sent, body in REFUSALS:
        with application.Application(lambda _, a=(status, sent, body): a) as app, penstock(app) as p:
            head, _, rest = raw_answer(p, PHOTO).partition(b"\r\n\r\n")
            text = head.decode()
            assert text.startswith(f"HTTP/1.1 {status} ") and rest == body, (text, rest)
            for name, value in sent:
                assert (f"\r\n{name}: {value}" in text) == (name not in ("X-Secret", "Penstock-Grant-User")), (name, text)
            assert "Penstock" not in text and "\r\nX-Request-Id: " in text, text
            assert p.files() == {} and len(app.asked) == 1
            line = wait_for(p.requests, "a line of the log")[0]
            assert line["status"] == status and line["error"] == ("refused" if status < 500 else "upstream"), line
            assert line["why"] == f"the application has answered {status}", line


def test_who_waits_for_100_sends_nothing():
    with application.Application(lambda _: (403, [], b"no")) as app, penstock(app) as p, connect(p.port) as s:
        s.sendall(head_of("/albums/x/photos", 10**9, extra="Expect: 100-continue\r\n"))
        assert s.recv(20).startswith(b"HTTP/1.1 403 ") and len(app.asked) == 1
    gate = threading.Event()

    def later(_):
        gate.wait(60)
        return YES
    with application.Application(later) as app, penstock(app) as p, connect(p.port) as s:
        s.sendall(head_of("/albums/x/photos", len(PHOTO), extra="Expect: 100-continue\r\n"))
        wait_for(lambda: app.asked, "a question")
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError(s.recv(10))  # no 100 before the yes
        s.setblocking(True)
        gate.set()
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(PHOTO)
        assert read_answer(s).status == 201 and len(app.asked) == 1


def test_who_does_not_wait_gets_the_refusal():
    with application.Application(lambda _: (403, [], b"no")) as app, penstock(app) as p:
        for _ in range(20):
            with connect(p.port) as s:
                with contextlib.suppress(ConnectionError):
                    s.sendall(head_of("/albums/x/photos", 8_000_000) + b"x" * 8_000_000)
                assert read_answer(s).status == 403
        assert len(app.asked) == 20


def test_no_answer_lets_nobody_in():
    def scripted(do):
        return Upstream(lambda request: do(request) or "done")

    def drip(request):
        request.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na")
        request.upstream.release.wait(60)
    cases = [
        (502, "its answer was cut short", lambda r: r.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")),
        (502, "it closed the connection without an answer", lambda r: r.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")),
        (502, "its answer has more than 65536 bytes", lambda r: r.answer(200, b"x" * 65537)),
        (502, "the head of its answer is too long", lambda r: r.answer(200, b"", "X: y\r\n" * 100_000)),
        (504, "it did not answer within timeout", lambda r: r.upstream.release.wait(60)),
        (504, "it did not answer within timeout", drip),
    ]
    for status, why, do in cases:
        with scripted(do) as up, penstock(up, ", timeout: 1s") as p:
            answer = post(p.port, "/albums/x/photos", PHOTO)
            assert answer.status == status and why in answer.json()["detail"], (answer.status, answer.body)
            assert p.files() == {}
            assert post(p.port, "/open", PHOTO.replace(b'"title"', b'"photo"')).status == 201  # others are not delayed
    with socket.create_server(("127.0.0.1", 0)) as s:
        nobody = s.getsockname()[1]
    with penstock(nobody) as p:
        answer = post(p.port, "/albums/x/photos", PHOTO)
        assert answer.status == 502 and "it refused the connection" in answer.json()["detail"], answer.body
        assert p.files() == {}


def test_what_comes_behind_an_answer_is_not_the_next_one():
    """A 204 has no content. What its application sends all the same may come late, and looks like a yes here."""
    late = threading.Event()

    def decide(request):
        if len(request.upstream.seen) > 1:
            request.answer(403)
            return "next"
        request.socket.sendall(b"HTTP/1.1 204 No\r\nContent-Length: 38\r\n\r\n")
        late.wait(60)
        with contextlib.suppress(OSError):
            request.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return "next"
    with Upstream(decide) as up, penstock(up) as p:
        assert post(p.port, "/albums/x/photos", PHOTO).status == 201
        late.set()
        for _ in range(5):
            assert post(p.port, "/albums/x/photos", PHOTO).status == 403


GRANT = ("Penstock-Grant-User", "../42")


def test_grants_fill_names():
    with application.Application(lambda _: (200, [GRANT, ("penstock-grant-home_dir", "A/b")], b"")) as app, \
            penstock(app, name="{grant.user}/{grant.home-dir}/{uuid}") as p:
        assert post(p.port, "/albums/x/photos", PHOTO).status == 201
        (name,) = p.files()
        assert name.startswith("..%2F42/A%2Fb/"), name


def test_a_grant_that_is_missing_or_malformed_is_502():
    cases = [([], "does not grant {grant.user}"), ([("Penstock-Grant-User", "")], "does not grant {grant.user}"),
             ([GRANT, ("penstock-grant-USER", "x")], "grants {grant.user} twice"),
             ([GRANT, ("Penstock-Limit-Body", "1MB")], "says a Penstock-Limit-Body that is no number"),
             ([GRANT, ("Penstock-Limit-Parts", "")], "says a Penstock-Limit-Parts that is no number"),
             ([GRANT, ("Penstock-Limit-Parts", "1"), ("Penstock-Limit-Parts", "2")], "says Penstock-Limit-Parts twice"),
             ([GRANT, ("Penstock-Limit-Rate", "1MiB/s")], "says a Penstock-Limit-Rate that is no number"),
             ([GRANT, ("Penstock-Limit-Rate", "0")], "says a Penstock-Limit-Rate of 0"),
             ([GRANT, ("Penstock-Limit-Files", "1")], "says Penstock-Limit-Files, a limit that penstock does not know")]
    for sent, why in cases:
        with application.Application(lambda _, a=(200, sent, b""): a) as app, penstock(app, name="{grant.user}/{uuid}") as p:
            answer = post(p.port, "/albums/x/photos", PHOTO)
            assert answer.status == 502 and why in answer.json()["detail"], answer.body
            assert p.files() == {}


def test_limits_are_narrowed_and_never_widened():
    n = len(PHOTO)
    cases = [(201, None, [("Penstock-Limit-Body", str(n))], ""), (413, "Penstock-Limit-Body", [("Penstock-Limit-Body", str(n - 1))], ""),
             (413, "Penstock-Limit-Body", [("Penstock-Limit-Body", "0")], ""), (201, None, [("Penstock-Limit-Parts", "2")], ""),
             (413, "Penstock-Limit-Parts", [("Penstock-Limit-Parts", "1")], ""),
             (413, "body", [("Penstock-Limit-Body", "1000000")], f"    limits: {{ body: {n - 1}B }}"),
             (413, "parts", [("Penstock-Limit-Parts", "9")], "    limits: { parts: 1 }")]
    for status, limit, sent, extra in cases:
        for chunk in (None, 50):
            with application.Application(lambda _, a=(200, sent, b""): a) as app, penstock(app, extra=extra) as p:
                answer = post(p.port, "/albums/x/photos", PHOTO, chunk=chunk)
                assert answer.status == status, (sent, extra, chunk, answer.body)
                assert limit is None or answer.json()["limit"] == limit, answer.body
                assert len(p.files()) == (status == 201)


def test_a_client_that_leaves_stops_the_question():
    def waits(request):
        request.read_head = None
        assert request.socket.recv(1) == b""  # penstock closes it
        request.upstream.store["closed"] = b""
        return "done"
    with Upstream(waits) as up, penstock(up, ", timeout: 60s") as p:
        s = connect(p.port)
        s.sendall(head_of("/albums/x/photos", 10**9))
        wait_for(lambda: up.seen, "a question")
        s.close()
        wait_for(lambda: "closed" in up.store, "the question is stopped")
        assert wait_for(p.requests, "a line of the log")[0]["status"] == 499


def test_a_place_is_counted_after_the_yes():
    gate = threading.Event()

    def decide(handler):
        if handler.path.endswith("slow?q="):
            gate.wait(60)
        return YES
    with application.Application(decide) as app, penstock(app, extra="    limits: { concurrent: 1 }") as p:
        slow = connect(p.port)
        slow.sendall(head_of("/albums/slow/photos", len(PHOTO)) + PHOTO)
        wait_for(lambda: len(app.asked) == 1, "a question")
        assert post(p.port, "/albums/x/photos", PHOTO).status == 201
        holds = connect(p.port)
        holds.sendall(head_of("/albums/x/photos", len(PHOTO), extra="Expect: 100-continue\r\n"))
        assert holds.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        gate.set()
        answer = read_answer(slow)
        assert answer.status == 429 and answer.json()["limit"] == "concurrent", answer.body
        holds.sendall(PHOTO)
        assert read_answer(holds).status == 201


def test_questions_wait_for_their_turn():
    gate = threading.Event()

    def decide(_):
        gate.wait(60)
        return YES
    with application.Application(decide) as app, \
            penstock(app, ", timeout: 60s", head="client: { questions: 3, questions_each: 2 }", listen="") as p:
        socks = []
        for i in range(6):  # two clients by what a trusted proxy says
            s = connect(p.port)
            s.sendall(head_of(f"/albums/{i}/photos", len(PHOTO), extra=f"X-Forwarded-For: 192.0.2.{i // 4}\r\n") + PHOTO)
            socks.append(s)
            wait_for(lambda i=i: len(app.asked) == min(i + 1, 2) + (i >= 4), f"question {i}")
        assert [path.split("/")[3][0] for _, path, _ in app.asked] == ["0", "1", "4"], app.asked
        gate.set()
        for s in socks:
            assert read_answer(s).status == 201
        assert [path.split("/")[3][0] for _, path, _ in app.asked][3] in "235" and len(app.asked) == 6


def test_who_waits_too_long_for_a_turn_is_told():
    release = threading.Event()

    def decide(_):
        release.wait(60)
        return YES
    with application.Application(decide) as app, penstock(app, ", timeout: 1s", head="client: { questions: 1 }") as p:
        first, second = connect(p.port), connect(p.port)
        for s in (first, second):
            s.sendall(head_of("/albums/x/photos", len(PHOTO)) + PHOTO)
            wait_for(lambda: app.asked, "a question")
        answer = read_answer(first)
        assert answer.status == 504, answer.body
        answer = read_answer(second)
        assert answer.status in (503, 504), answer.body  # its turn came just before its time was over, or not
        if answer.status == 503:
            assert answer.json()["limit"] == "questions" and "retry-after" in answer.headers
        release.set()


def test_a_drain_refuses_who_is_asked_about():
    release = threading.Event()

    def decide(_):
        release.wait(60)
        return YES
    with application.Application(decide) as app, penstock(app, ", timeout: 60s", head="client: { questions: 1 }") as p:
        socks = [connect(p.port), connect(p.port)]
        for s in socks:
            s.sendall(head_of("/albums/x/photos", len(PHOTO), extra="Expect: 100-continue\r\n"))
        wait_for(lambda: app.asked, "a question")
        p.process.terminate()
        for s in socks:
            answer = read_answer(s)
            assert answer.status == 503 and "shutting down" in answer.json()["detail"], answer.body
        p.process.wait(60)
        release.set()


def test_a_preflight_is_not_asked_about():
    with application.Application(lambda _: (403, [], b"no")) as app, \
            penstock(app, extra='    cors: { origins: "https://a.example" }') as p, connect(p.port) as s:
        s.sendall(b"OPTIONS /albums/x/photos HTTP/1.1\r\nHost: test\r\nOrigin: https://a.example\r\n"
                  b"Access-Control-Request-Method: POST\r\n\r\n")
        assert read_answer(s).status == 204 and app.asked == []
        answer = post(p.port, "/albums/x/photos", PHOTO, extra="Origin: https://a.example\r\n")
        assert answer.status == 403 and answer.headers["access-control-allow-origin"] == "https://a.example", answer.headers
        assert len(app.asked) == 1


def explain(p, request, *more):
    path = os.path.join(p.dir, "request")
    with open(path, "wb") as f:
        f.write(request)
    done = subprocess.run([BINARY, "explain", *more, p.file, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_explain_tells_the_question_and_what_grants_make():
    request = head_of("/albums/x/photos?q=1", len(PHOTO), extra="Cookie: secret\r\n") + PHOTO
    with application.Application(yes) as app, penstock(app, ", sign: { key: k }", name="{grant.user_id}/{uuid}") as p:
        code, out, _ = explain(p, request)
        told = json.loads(out)
        assert code == 0 and told["status"] == 201 and "secret" not in out
        assert told["asks"] == {"destination": "app", "method": "GET", "target": f"http://127.0.0.1:{app.port}/in/may/x?q=1",
                                "passed": ["cookie"], "signed": True, "grants": {"user-id": None}}, told["asks"]
        assert told["parts"][0]["target"] == "{grant.user_id}/{uuid}"
        told = json.loads(explain(p, request, "--grant", "User_Id=a/b")[1])
        assert told["parts"][0]["target"] == "a%2Fb/{uuid}" and told["asks"]["grants"] == {"user-id": "a/b"}, told
        code, out, _ = explain(p, request, "--human", "--grant", "user-id=42")
        assert code == 0 and "asks app: GET http://" in out and "if it grants user-id 42" in out and "files:42/{uuid}" in out, out
        for wrong in ("team=1", "user-id"):
            code, _, err = explain(p, request, "--grant", wrong)
            assert code == 1 and "--grant" in err, err
        assert app.asked == []


def test_explain_tells_that_the_key_of_app_signs_the_question_too():
    told = "    app: { to: app, path: /told, sign: %s, failed: { path: /failed } }"
    for of_app, own, signed in (("{ key: k }", "", True), ("{ key: k }", ", sign: none", False), ("none", "", False), ("none", ", sign: { key: k }", True)):
        with application.Application(yes) as app, penstock(app, own, extra=told % of_app, head='state: "{dir}/state"') as p:
            asks = json.loads(explain(p, head_of("/albums/x/photos", len(PHOTO)) + PHOTO)[1])["asks"]
            assert asks["signed"] == signed, (of_app, own, asks)
            post(p.port, "/albums/x/photos", PHOTO)
            _, _, sent = app.asked[0]
            assert any(name == "Penstock-Signature" for name, _ in sent) == signed, (of_app, own, sent)


def test_a_thousand_questions_hold_nobody_up():
    """All are under way at once, and the application answers when it has got all of them."""
    n = 100 if SMALL else 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536),) * 2)
    asked, gate = [], threading.Event()

    def waits(request):
        asked.append(request)
        gate.wait(DEADLINE)
        request.answer(204)
        return "next"
    with Upstream(waits) as up, penstock(up, head="client: { connections: 4096, questions_each: 10000 }", memory="64MiB", workers=2,
                                         extra="    limits: { concurrent: 2000 }") as p:
        before = p.memory("VmRSS")
        socks = [connect(p.port) for _ in range(n)]
        for s in socks:
            s.sendall(head_of("/albums/x/photos", len(PHOTO)) + PHOTO)
        wait_for(lambda: len(asked) >= min(n, 2 * (n // 2 - 60)), "the questions")
        began = time.monotonic()
        assert post(p.port, "/open", PHOTO.replace(b'"title"', b'"photo"')).status == 201
        assert time.monotonic() - began < 30
        grown = p.memory("VmRSS") - before
        gate.set()
        answers = [read_answer(s) for s in socks]
        assert all(a is not None and a.status == 201 for a in answers), {a and a.status for a in answers}
        assert len(up.seen) == n and len([f for f in p.files() if not f.startswith("open-")]) == n
        assert grown < n * 96 * 1024 or os.environ.get("E2E_TREE") == "tsan", grown  # of each: its connection, its question, and what libcurl has for it
        print(f"# {grown // n} bytes for each of {n} questions under way")
