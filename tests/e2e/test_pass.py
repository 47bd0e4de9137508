# SPDX-License-Identifier: MIT
"""Headers of the client, and lines that are made of its request and of what was granted, go to a store with each object."""
import os
import subprocess

from lib import *

ROUTES = """destinations:
  app: { type: http, url: "http://127.0.0.1:{up}/app", headers: { X-App: own } }
  up: { type: http, url: "http://127.0.0.1:{up}/up", undo: DELETE, pass: [authorization, x-tenant],
        headers: { X-Fixed: fixed, X-User: { template: "user={grant.user}" } } }
  plain: { type: http, url: "http://127.0.0.1:{up}/plain" }
  kept: { type: http, url: "http://127.0.0.1:{up}/kept", pass: authorization }
routes:
  - id: up
    match: { path: "/up/*" }
    authorize: { to: app, path: /may }
    fields:
      - { name: a, max_count: 9, store: { to: up, path: "/{uuid}", pass: [cookie, if-none-match],
            headers: { X-Own: own, X-Name: { template: "{path.1}/{file.name}" }, X-Key: { template: "{header.x-key}" } } } }
      - { name: b, max_count: 9, store: { to: plain, path: "/{uuid}" } }
      - { name: c, store: { to: up, path: "/c/{uuid}" } }
      - { name: album, kind: value, drop: true }
      - { name: d, needs: { fields: album }, store: { to: plain, path: "/{uuid}", headers: { X-Album: { template: "{field.album}" } } } }
  - { id: kept, match: { path: /kept }, fields: [ { name: a, store: { to: kept, path: "/{uuid}" } } ] }
"""
GIVEN = "Authorization: Bearer abc%20/+==\r\nX-TENANT: t\u00e4\r\nCookie: a=b; c=d\r\nX-Other: no\r\nX-User: root\r\nX-Own: no\r\nX-Key: k\r\n"


def yes(request, grant="joe"):
    if not request.path.startswith("/app"):
        return None
    request.answer(204, extra=f"Penstock-Grant-User: {grant}\r\n")
    return "next"


def asked(up, method="PUT", path="/up/"):
    return [r for r in up.seen if r.method == method and r.path.startswith(path)]


def values(request, name):
    return [v for k, v in request.lines if k.lower() == name.lower()]


def test_what_goes_along():
    with Upstream(yes) as up, Penstock(ROUTES, up) as p:
        for size in (3, 70_000):  # kept, and streamed
            del up.seen[:]
            answer = post(p.port, "/up/x%2Fy", form(part("a", noise(size), "a b.txt"), part("b", b"1")), extra=GIVEN)
            assert answer.status == 201, answer.body
            (one,), (other,) = asked(up), asked(up, path="/plain")
            want = {"authorization": "Bearer abc%20/+==", "x-tenant": "t\u00e4".encode().decode("latin-1"), "cookie": "a=b; c=d", "x-fixed": "fixed",
                    "x-user": "user=joe", "x-own": "own", "x-name": "x/y/a b.txt", "x-key": "k"}
            for name, value in want.items():
                assert values(one, name) == [value], (name, one.lines)
                assert values(other, name) == [], (name, other.lines)
            assert values(one, "x-other") == [] and values(one, "if-none-match") == [], one.lines
            question = asked(up, "GET", "/app")[0]
            assert values(question, "x-app") == ["own"] and values(question, "x-user") == [], question.lines


def test_another_field_of_the_form():
    with Upstream(yes) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/up/x", form(part("album", b"s\r\nX-Evil: 1"), part("d", b"1", "f")))
        assert answer.status == 201, answer.body
        (one,) = asked(up, path="/plain")
        assert values(one, "x-album") == ["s%0D%0AX-Evil: 1"] and values(one, "x-evil") == [], one.lines


def test_what_takes_it_back_has_them_too():
    def no(request):
        if request.method == "PUT" and request.path.startswith("/plain"):
            request.read_all()
            request.answer(500)
            return "next"
        return yes(request)
    with Upstream(no) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/up/x", form(part("a", b"1"), part("b", b"2"), part("c", b"3")), extra=GIVEN)
        assert answer.status == 502 and up.store == {}, answer.body
        assert len(asked(up, "DELETE")) == 2, [(r.method, r.path) for r in up.seen]
        for request in asked(up, "DELETE"):
            assert values(request, "authorization") == ["Bearer abc%20/+=="] and values(request, "x-user") == ["user=joe"], request.lines


def test_a_head_of_which_a_part_cannot_be_passed_on_is_refused_before_the_body():
    long = "a" * (8192 - len("authorization: \r\n"))
    cases = [("X-Tenant: a\r\nx-tenant: a\r\n", 400, "more than one header x-tenant"), ("X-Tenant: a\r\nConnection: keep-alive, X-Tenant\r\n", 400, "Connection"),
             ("Cookie: a\r\nCookie: b\r\n", 400, "more than one header cookie"), (f"Authorization: {long}\r\n", 201, ""),
             (f"Authorization: {long}a\r\n", 431, "8193 bytes"), ("X-Key: 1\r\nX-Key: 2\r\n", 400, "more than one header x-key")]
    with Upstream(yes) as up, Penstock(ROUTES, up) as p:
        for extra, status, word in cases:
            del up.seen[:]
            with connect(p.port) as s:
                body = form(part("a", b"1"))
                s.sendall(head_of("/up/x", len(body), extra=extra + ("Expect: 100-continue\r\n" if status != 201 else "")))
                if status == 201:
                    s.sendall(body)
                answer = read_answer(s)
            assert answer.status == status and (status == 201 or word in answer.json()["detail"]), (extra[:60], answer.status, answer.body)
            assert len(asked(up)) == (status == 201)
            if status == 431:
                assert answer.json()["limit"] == "pass" and answer.json()["type"] == "urn:penstock:problem:headers-too-long", answer.body
                assert b"Request Header Fields Too Large" in answer.body
        assert post(p.port, "/kept", form(part("a", b"1")), extra="X-Tenant: a\r\nX-Tenant: b\r\n").status == 201  # another route passes none


def test_no_text_makes_a_line():
    def hostile(request):
        return yes(request, "joe\u00ff X-Evil: 1; %0d%0aX-Evil: 1")
    with Upstream(hostile) as up, Penstock(ROUTES, up) as p:
        for name in (r"a%0d%0aX-Evil: 1", "a\rX-Evil: 1", "a\x01\x7f\u00e4"):
            del up.seen[:]
            body = form(part("a", b"1", disposition=f'form-data; name="a"; filename="{name}"'))
            answer = post(p.port, "/up/%0d%0aX-Evil:%201", body)
            if answer.status == 400:  # a carriage return in the head of a part
                continue
            assert answer.status == 201, answer.body
            request = asked(up)[0]
            assert values(request, "x-evil") == [] and values(request, "x-name")[0].startswith("%0D%0AX-Evil: 1/a"), request.lines
            assert values(request, "x-user") == ["user=joe%C3%BF X-Evil: 1; %250d%250aX-Evil: 1"], request.lines
            assert all(" " <= c <= "~" for k, v in request.lines for c in k + v), request.lines


def test_what_is_made_and_too_long_refuses_the_form():
    with Upstream(yes) as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/up/x", form(part("a", b"1")), extra="X-Key: " + "%" * 2800 + "\r\n")
        assert answer.status == 422 and answer.json()["limit"] == "headers" and answer.json()["field"] == "a", answer.body
        assert asked(up) == []


def test_a_connection_that_somebody_has_authenticated_is_nobody_elses():
    for scheme, kept in (("Bearer", 1), ("Negotiate", 3), ("NTLM", 3)):
        ports = set()
        def script(request):
            ports.add(request.socket.getpeername())
            return None
        with Upstream(script) as up, Penstock(ROUTES, up) as p:
            for _ in range(3):
                assert post(p.port, "/kept", form(part("a", b"1")), extra=f"Authorization: {scheme} abc\r\n").status == 201
            assert len(ports) == kept, (scheme, ports)
            assert [values(r, "authorization") for r in up.seen] == [[f"{scheme} abc"]] * 3


def test_explain_shows_what_would_be_sent_but_no_secrets():
    body = form(part("a", b"1", "f.txt"))
    with Upstream(yes) as up, Penstock(ROUTES, up) as p:
        path = os.path.join(p.dir, "request")
        with open(path, "wb") as f:
            f.write(head_of("/up/x", len(body), extra=GIVEN) + body)
        for grant, user in (((), "user={grant.user}"), (("--grant", "user=joe"), "user=joe")):
            out = subprocess.run([BINARY, "explain", *grant, p.file, path], stdout=subprocess.PIPE, check=True).stdout.decode()
            for line in ("authorization: {of the client}", "cookie: {of the client}", "x-tenant: t\u00e4", f"X-User: {user}", "X-Own: {of the route file}",
                         "X-Fixed: {of the route file}", "X-Name: x/f.txt", "X-Key: {header.x-key}"):
                assert line in out.replace("\\u00e4", "\u00e4"), (line, out)
            assert "abc%20" not in out and "a=b" not in out, out
        out = subprocess.run([BINARY, "explain", "--human", p.file, path], stdout=subprocess.PIPE, check=True).stdout.decode()
        assert "authorization: {of the client}" in out and "abc%20" not in out, out
