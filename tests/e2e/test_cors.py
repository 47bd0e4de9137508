# SPDX-License-Identifier: MIT
"""Pages of other origins (`cors` of a route): what a browser is told when it asks, and that it may show a page every answer, refusals
too. tests/compose/test_clients.py does the same with browsers."""
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: some, match: { path: /some, method: [POST, PUT] }, limits: { body: 100000, concurrent: 1 },
      cors: { origins: ["https://a.example", "https://*.example.org"], headers: [content-type, x-a], expose: [location, x-b], max_age: 90s, credentials: true },
      fields: [ { name: file, max_size: 5000, store: { to: files, key: "{uuid}" } } ] }
  - { id: any, match: { path: /any }, cors: { origins: "*" }, fields: [ { name: file, store: { to: files, key: "{uuid}" } } ] }
  - { id: silent, match: { path: /silent }, cors: { origins: https://a.example, headers: [], expose: [], max_age: 0s }, fields: [ { name: file, store: { to: files, key: "{uuid}" } } ] }
  - { id: passing, match: { path: /passing }, cors: { origins: https://a.example }, fields: [ { name: file, max_count: 1, store: { to: up, path: /x } } ], response: { from: upstream } }
  - { id: away, match: { path: /away }, cors: { origins: https://a.example }, fields: [ { name: file, store: { to: files, key: "{uuid}" } } ], response: { redirect: /done } }
  - { id: sized, match: { path: /sized }, limits: { length: required }, cors: { origins: https://a.example }, fields: [ { name: file, store: { to: files, key: "{uuid}" } } ] }
  - { id: none, match: { path: /none }, fields: [ { name: file, store: { to: files, key: "{uuid}" } } ] }
"""
A, ORG = "https://a.example", "https://x.example.org"
OK = form(part("file", b"hello", "f"))
DEFAULT_HEADERS = "content-type, content-disposition, cache-control, x-requested-with"
DEFAULT_EXPOSE = "location, x-request-id, retry-after"


def lines(**named):
    return "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())


def ask(to, path, method="POST", origin=A, extra=""):
    with connect(to) as s:
        s.sendall(f"OPTIONS {path} HTTP/1.1\r\nHost: test\r\n{lines(Origin=origin, Access_Control_Request_Method=method)}{extra}\r\n".encode())
        return read_answer(s)


def said(answer):
    return {name.removeprefix("access-control-"): value for name, value in answer.headers.items() if name.startswith("access-control-")}


def varies(answer):
    return "Origin" in answer.headers.get("vary", "").split(", ")


def is_readable(answer, status, origin=A, credentials=True, expose="location, x-b"):
    wanted = {"allow-origin": origin, "expose-headers": expose, "allow-credentials": "true" if credentials else None}
    assert (answer.status, said(answer), varies(answer)) == (status, {k: v for k, v in wanted.items() if v}, True), (answer.status, answer.headers)
    return True


@contextlib.contextmanager
def penstock(**how):
    with Upstream() as up, Penstock(ROUTES, upstream=up, **how) as p:
        yield p


def test_a_preflight_is_told_what_may_be_sent():
    with penstock() as p:
        told = {"allow-origin": A, "allow-methods": "POST", "allow-headers": "content-type, x-a", "max-age": "90", "allow-credentials": "true"}
        answer = ask(p.port, "/some")
        assert (answer.status, said(answer), varies(answer), answer.body) == (204, told, True, b""), (answer.status, answer.headers)
        assert "content-length" not in answer.headers and answer.headers["x-request-id"], answer.headers
        assert said(ask(p.port, "/some", "PUT", ORG)) == told | {"allow-origin": ORG, "allow-methods": "PUT"}
        assert said(ask(p.port, "/any")) == {"allow-origin": "*", "allow-methods": "POST", "allow-headers": DEFAULT_HEADERS, "max-age": "600"}
        assert said(ask(p.port, "/silent")) == {"allow-origin": A, "allow-methods": "POST", "max-age": "0"}
        assert [(r["status"], r["route"], r["level"]) for r in wait_for(lambda: len(p.requests()) == 4 and p.requests(), "the log")] == [
            (204, "some", "info"), (204, "some", "info"), (204, "any", "info"), (204, "silent", "info")], p.requests()
        assert p.files() == {}


def test_who_may_not_send_is_told_nothing():
    with penstock() as p:
        for path, origin in (("/some", "https://evil.example"), ("/some", "null"), ("/some", "https://example.org"), ("/any", "null"),
                             ("/some", "http://a.example"), ("/some", "https://a.example/")):
            answer = ask(p.port, path, origin=origin)
            assert (answer.status, said(answer), varies(answer)) == (204, {}, True), (path, origin, answer.headers)
            answer = post(p.port, path, OK, extra=lines(Origin=origin))
            assert (answer.status, said(answer), varies(answer)) == (201, {}, True), (path, origin, answer.headers)


def test_what_is_no_preflight_is_refused_as_before():
    with penstock() as p:
        for answer in (ask(p.port, "/some", "DELETE"), ask(p.port, "/some", "post"), ask(p.port, "/some", extra="Content-Length: 1\r\n"),
                       ask(p.port, "/some", extra="Origin: https://b.example\r\n"), ask(p.port, "/none")):
            assert answer.status == 405 and "allow-methods" not in said(answer), (answer.status, answer.headers)
        assert ask(p.port, "/nowhere").status == 404
        with connect(p.port) as s:
            s.sendall(b"OPTIONS /some HTTP/1.1\r\nHost: test\r\n\r\n")
            assert read_answer(s).status == 405


def test_every_answer_may_be_read_by_the_page():
    with penstock() as p:
        how = {"extra": lines(Origin=A)}
        assert is_readable(post(p.port, "/some", OK, **how), 201)
        assert is_readable(post(p.port, "/any", OK, **how), 201, "*", False, DEFAULT_EXPOSE)
        assert is_readable(post(p.port, "/silent", OK, **how), 201, A, False, None)
        assert is_readable(post(p.port, "/passing", OK, **how), 201, A, False, DEFAULT_EXPOSE)
        assert is_readable(post(p.port, "/away", OK, **how), 303, A, False, DEFAULT_EXPOSE)
        # by its head, in its body, at its end
        assert is_readable(post(p.port, "/some", b"x" * 100_001, **how), 413)
        assert is_readable(post(p.port, "/some", form(part("file", noise(60_000), "f")), **how), 413)
        assert is_readable(post(p.port, "/some", form(part("other", b"x")), **how), 422)
        assert is_readable(post(p.port, "/some", b"junk", **how), 400)
        assert is_readable(post(p.port, "/some", OK, type="text/plain", **how), 415)
        assert is_readable(post(p.port, "/some", OK, extra=lines(Origin=A, Content_Encoding="gzip")), 415)
        assert is_readable(post(p.port, "/sized", OK, chunk=10, **how), 411, A, False, DEFAULT_EXPOSE)
        assert is_readable(post(p.port, "/some", OK, extra=lines(Origin=A, Expect="tea")), 417)
        # before its route is known
        answer = post(p.port, "/some", OK, method="DELETE", **how)
        assert is_readable(answer, 405) and answer.headers["allow"] == "POST, PUT"
        for status in (401, 403, 429, 503):
            answer = post(p.port, "/some", OK, extra=lines(Origin=A, X_Penstock_Refuse=status))
            assert is_readable(answer, status) and answer.json()["status"] == status
        assert ask(p.port, "/some", extra=lines(X_Penstock_Refuse=401)).status == 204
        # without an origin there is nobody to allow, but a cache has to know
        answer = post(p.port, "/some", OK)
        assert (answer.status, said(answer), varies(answer)) == (201, {}, True), answer.headers
        answer = post(p.port, "/none", OK, **how)
        assert (answer.status, said(answer), varies(answer)) == (201, {}, False), answer.headers
        assert said(post(p.port, "/nowhere", OK, **how)) == {}


def test_a_preflight_takes_no_place():
    with penstock() as p, connect(p.port) as s:
        s.sendall(head_of("/some", len(OK), extra="Expect: 100-continue\r\n"))
        assert s.recv(100).startswith(b"HTTP/1.1 100")
        assert [ask(p.port, "/some").status for _ in range(3)] == [204] * 3
        answer = post(p.port, "/some", OK, extra=lines(Origin=A))
        assert is_readable(answer, 429) and answer.json()["limit"] == "concurrent"
        s.sendall(OK)
        assert read_answer(s).status == 201


def test_a_page_reads_why_while_it_still_sends():
    """The answer goes out while the body comes in, past libmicrohttpd."""
    with penstock() as p, connect(p.port) as s:
        s.sendall(head_of("/some", extra=lines(Origin=ORG)) + b"4000\r\n" + form(part("file", noise(0x4000), "f"))[:0x4000] + b"\r\n")
        assert is_readable(read_answer(s), 413, ORG)


def explain(p, request, *how):
    return subprocess.run([BINARY, "explain", *how, p.file, "-"], input=request, stdout=subprocess.PIPE, check=True).stdout.decode()


def test_explain_says_what_a_preflight_gets():
    with penstock() as p:
        for path, method, route in (("/some", "PUT", "some"), ("/any", "POST", "any"), ("/some", "DELETE", None), ("/none", "POST", None), ("/nowhere", "POST", None)):
            request = f"OPTIONS {path} HTTP/1.1\r\nHost: test\r\n{lines(Origin=A, Access_Control_Request_Method=method)}\r\n".encode()
            told, done = json.loads(explain(p, request)), ask(p.port, path, method)
            assert (told["status"], told["route"], told["parts"], told["would"]) == (done.status, route, [], []), told
            assert told.get("cors", []) == lines_of(done), (path, told, done.headers)
            if route == "any":
                assert told["routes"] == [{"id": "some", "misses": "path"}, {"id": "any", "misses": None}], told
                assert "not some: path\nanswer Vary: Origin \nanswer Access-Control-Allow-Origin: * \n" in explain(p, request, "--human")


def lines_of(answer):
    """As `explain` says them."""
    vary = ["Vary: Origin"] if varies(answer) else []
    return vary + [f"{name.title()}: {value}" for name, value in answer.headers.items() if name.startswith("access-control-")]


def test_explain_says_what_the_answer_to_a_form_says_to_browsers():
    with penstock() as p:
        for origin in (A, ORG, "https://evil.example", "null"):
            for path, body in (("/some", OK), ("/some", form(part("other", b"1", "f"))), ("/any", OK), ("/none", OK)):
                head = head_of(path, len(body), extra=lines(Origin=origin))
                told = json.loads(explain(p, head + body))
                answer = post(p.port, path, body, extra=lines(Origin=origin))
                assert told.get("cors", []) == lines_of(answer), (origin, path, told, answer.headers)
