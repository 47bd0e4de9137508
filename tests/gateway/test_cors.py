# SPDX-License-Identifier: MIT
"""Pages of other origins (`cors` of a route), behind each HAProxy: what a browser asks first goes through to penstock, and an answer says
the same of whose page may read it, whichever of the two gives it."""
import itertools

from gw import *
from lib import *

STORE = 'fields: [ { name: "*", max_size: 900, store: { to: files, key: "%s/{uuid}" } } ]'
FILES = 'destinations:\n  files: { type: directory, path: "{dir}/out" }\nroutes:\n'
A, ORG = "https://a.example", "https://x.example.org"


def route(name, match, more=""):
    return f"  - {{ id: {name}, match: {{ {match} }}, {more}{STORE % name} }}\n"


ROUTES = FILES + "".join((
    route("put", "path: /two, method: PUT"),
    route("post", "path: /two, method: [POST, PATCH]", 'limits: { body: 1KiB }, cors: { origins: ["https://a.example", "https://*.example.org", "web+app://*.b-c.example:81"], credentials: true }, '),
    route("late", "path: /two, method: [PUT, LINK]", "cors: { origins: https://a.example }, "),
    route("any", 'host: h, path: "/any/*", method: [POST, "IT\'S", "A%B"]', 'limits: { length: required }, cors: { origins: "*", headers: "*", expose: ["x-%\'a", x-b] }, '),
    route("silent", 'path: "/silent/**", method: POST', "body: { raw: a }, cors: { origins: https://a.example, headers: [], expose: [] }, "),
    route("none", 'path: /none, method: [POST, OPTIONS]'),
))
PLACES = (("h", "/two"), ("x", "/two?q"), ("h", "/any/x"), ("x", "/any/x"), ("h", "/silent/a/b"), ("h", "/none"), ("h", "/nope"), ("h", "/silent/%61"), ("h", "/any//x"))
ORIGINS = (None, A, ORG, "https://x.y.example.org", "https://example.org", "web+app://x.b-c.example:81", "webapp://x.b-c.example:81", "web+app://x.b-cxexample:81", "https://evil.example", "null", "",
           "https://evil.com/.example.org", "https://..example.org", A + "/", f"{A}\r\nOrigin: {A}")
METHODS = ("POST", "PUT", "PATCH", "LINK", "GET", "IT'S", "A%B", "OPTIONS")
LINES = ("Content-Length: 500\r\nExpect: 100-continue\r\n", "Content-Length: 5000\r\nExpect: 100-continue\r\n", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "")
ASKS = (None, "POST", "PUT", "PATCH", "LINK", "DELETE", "post", "IT'S", "A%B", "OPTIONS", "", "POST\r\nAccess-Control-Request-Method: POST")


def said(answer):
    """What matters of an answer: status, kind of refusal, and all that it says to the browser of a page."""
    if answer is None or answer.headers.get("content-type") == "text/html":
        return "HAProxy could read no request"
    kind = answer.json()["type"].split(":")[-1] if answer.body else ""
    return (answer.status, kind, "Origin" in answer.headers.get("vary", "").split(", "),
            {name: value for name, value in answer.headers.items() if name.startswith("access-control-")})


def send(port, method, host, path, origin, lines, asks=None):
    with connect(port) as s:
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n" + (f"Origin: {origin}\r\n" if origin is not None else "")
        head += f"Access-Control-Request-Method: {asks}\r\n" if asks is not None else ""
        form = "" if "silent" in path else f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        s.sendall(f"{head}{form}{lines}\r\n".encode())
        if "Expect" in lines:
            first = s.recv(65536)
            if first.startswith(b"HTTP/1.1 100"):
                return "let in"
            return said(read_answer(s, first))
        return said(read_answer(s))


def requests():
    for (host, path), origin, method, lines in itertools.product(PLACES, ORIGINS, METHODS, LINES):
        yield method, host, path, origin, lines
    for (host, path), origin, asks, lines in itertools.product(PLACES, ORIGINS, ASKS, ("", "Content-Length: 0\r\n", "Content-Length: 5\r\nExpect: 100-continue\r\n")):
        yield "OPTIONS", host, path, origin, lines, asks


def sample_of(n):
    return random.Random(19).sample(list(requests()), n)


def is_for_penstock_alone(request):
    """Paths with an escape or an empty segment: HAProxy tells what it refuses itself, and not whose page may read that."""
    return "%" in request[2] or "//" in request[2]


def without_cors(told):
    return told[:2] if isinstance(told, tuple) else told


def check_alike(p, g, sample):
    different, preflights = [], 0
    for request in sample:
        straight, through = send(p.port, *request), send(g.port, *request)
        preflights += straight[0] == 204
        if is_for_penstock_alone(request):
            straight, through = without_cors(straight), without_cors(through)
        if straight != through and through != "HAProxy could read no request":
            different.append(f"{str(request)[:140]}: straight {straight}, through {through}")
    assert not different, f"{len(different)} of {len(sample)}:\n" + "\n".join(different[:12]) + "\n" + g.log()[-1000:]
    assert preflights > 5, "no preflight in the sample"


def test_rules_alone_the_agent_and_the_filter_say_what_penstock_says():
    for head in ("", AGENT):
        with Penstock(ROUTES, head=head) as p:
            for program in haproxies().values():
                with Gateway(p, program) as g:
                    assert g.with_agent == bool(head)
                    check_alike(p, g, sample_of(300 if SMALL else 600))
    with Penstock(ROUTES) as p, contextlib.suppress(Skip):
        for program in with_filter().values():
            with Gateway(p, program, native=True) as g:
                check_alike(p, g, sample_of(300 if SMALL else 600))


def flavours(p):
    for program in haproxies().values():
        yield program, False
    with contextlib.suppress(Skip):
        for program in with_filter().values():
            yield program, True


def test_ones_own_rules_refuse_no_preflight_and_pages_read_why_they_refuse():
    def edit(text):
        mine = "    http-request set-var(txn.upload.refuse) int(401) unless { req.fhdr(x-key) -m str secret }\n" \
               "    http-request set-var(txn.upload.refuse) int(429) if { req.fhdr(x-often) -m found }\n"
        return text.replace("    # ---- end of your own rules\n", mine)

    waits = "Content-Length: 500\r\nExpect: 100-continue\r\n"
    for head in ("", AGENT):
        with Penstock(ROUTES, head=head) as p:
            for program, native in flavours(p):
                if native and head:
                    continue
                with Gateway(p, program, native=native, edit=edit) as g:
                    told = send(g.port, "OPTIONS", "h", "/two", ORG, "", "POST")
                    assert told[0] == 204 and told[3]["access-control-allow-origin"] == ORG, told
                    for lines in (waits, ""):  # HAProxy answers
                        status, _, varies, told = send(g.port, "POST", "h", "/two", A, lines)
                        assert (status, varies, told["access-control-allow-origin"], told["access-control-allow-credentials"]) == (401, True, A, "true"), told
                    answer = post(g.port, "/two", form(part("a", b"x")), extra=f"Origin: {A}\r\n")  # penstock does
                    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, A), answer.headers
                    assert send(g.port, "POST", "h", "/two", A, "X-Key: secret\r\n" + waits) == "let in"
                    # what is about load holds for all; and what is no preflight is refused
                    assert send(g.port, "OPTIONS", "h", "/two", A, "X-Often: 1\r\n", "POST")[0] == 429
                    for path, asks in (("/none", "POST"), ("/two", "PUT"), ("/two", "DELETE"), ("/any/%61", "POST")):
                        assert send(g.port, "OPTIONS", "h", path, A, "", asks)[0] == 401, (path, asks)
                    assert send(g.port, "OPTIONS", "h", "/none", A, waits, "POST")[0] == 401
                    assert p.files() == {}


def test_a_page_reads_what_haproxy_says_when_penstock_is_gone():
    with Penstock(ROUTES, head=AGENT) as p, Gateway(p) as g:
        p.process.kill()
        wait_for(lambda: g.agent_is("DOWN"), "HAProxy has found the agent down")
        status, kind, varies, told = send(g.port, "POST", "h", "/two", A, "Content-Length: 500\r\nExpect: 100-continue\r\n")
        assert (status, kind, varies, told["access-control-allow-origin"]) == (503, "busy", True, A), told
        p.process.wait()
        p.process.returncode = 0
