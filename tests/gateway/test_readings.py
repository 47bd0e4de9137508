# SPDX-License-Identifier: MIT
"""One request, several readings. Each row of ROWS goes straight to penstock, and through HAProxy with what `penstock haproxy` writes (rules
alone, the agent, the filter) and through one that has nothing but the filter: all clients hear the same. A new feature adds its route
to ROUTES and what is said of it to ROWS. Below: what two parsers might read differently (the rows are those of
tests/e2e/test_smuggling.py), and of two faults of one body filter and penstock tell the same one."""
import re
import time

from front import Haproxy
from gw import *
from lib import *
from test_smuggling import check_behind, test_behind_haproxy_both_read_the_same  # noqa: F401

ANY = 'fields: [ { name: "*", max_size: none, store: { to: files, key: "{part}" } } ]'
STORE = 'fields: [ { name: "*", max_size: 2KiB, store: { to: files, key: "{part}" } } ]'
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
  backend: { type: http, url: "http://127.0.0.1:{up}" }
state: "{dir}/state"
routes:
""" + "".join(f"  - {{ {line.replace('STORE', STORE).replace('ANY', ANY)} }}\n" for line in (
    "id: form, match: { path: /form }, limits: { body: 4KiB, parts: 3, part_head: 256B }, STORE",
    "id: many, match: { path: /many }, limits: { body: 4KiB }, ANY",
    "id: length, match: { path: /length }, limits: { length: required }, STORE",
    "id: methods, match: { path: /methods, method: [PUT, PATCH] }, STORE",
    "id: raw, match: { path: /raw, method: [PUT, POST] }, body: { raw: file }, limits: { body: 1KiB }, STORE",
    'id: page, match: { path: /page, method: [POST, PUT] }, cors: { origins: ["https://a.example", "https://*.b.example"], credentials: true }, limits: { body: 4KiB }, ANY',
    'id: any, match: { path: /any }, cors: { origins: "*" }, limits: { body: 4KiB }, ANY',
    'id: short, match: { path: /short }, fields: [ { name: "*", names: { long: shorten }, store: { to: files, key: "short/{part}-{file.name}" } } ]',
    'id: long, match: { path: /long }, fields: [ { name: "*", store: { to: files, key: "long/{part}-{file.name}" } } ]',
    'id: told, match: { path: /told }, fields: [ { name: "photo[]", kind: file, store: { to: files, key: "told/{uuid}" } }, { name: title, kind: value, forward: true } ], '
    "app: { to: backend, sign: none, failed: { path: /failed }, resolve: { path: /resolve } }",
    'id: tenant, match: { path: [/tenant, "/t/*"], header: { x-tenant: "acme-*" } }, limits: { body: 4KiB }, ANY',
))
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
B = BOUNDARY.encode()
TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
GOOD = part("a", b"1")
FORM = form(GOOD)
PHOTO = form(part("photo[]", b"1", "a.jpg"))
A, PREFLIGHT = "Origin: https://a.example\r\n", {"method": "OPTIONS", "type": "", "body": b""}

# Who says it before penstock has seen a byte of the body, where HAProxy may answer at all; BODY: the filter, while it streams; LENGTH:
# like HEAD where there is a Content-Length, else like BODY.
HEAD, FILTER, BODY, LENGTH, PENSTOCK = {"agent", "filter"}, {"filter"}, {"body"}, {"length"}, set()


class Row:
    def __init__(self, what, path, status, by=PENSTOCK, lines="", method="POST", type=TYPE, body=FORM, sent=("at once", "chunked", "waits")):
        self.what, self.path, self.status, self.by, self.lines, self.method, self.type, self.body = what, path, status, by, lines, method, type, body
        self.sent = sent if body else ("at once",)

    def knows(self, way, version, how):
        """Does HAProxy tell it, going this way?"""
        by = HEAD if self.by is LENGTH and how != "chunked" else BODY if self.by is LENGTH else self.by
        if way == "bare" or (way == "filter" and version >= [3, 0]):
            return by is BODY or "filter" in by
        return way in by and ("waits" in how or not self.body)


def padded(length):
    """A form of so many bytes."""
    return form(part("a", b"x" * (length - len(form(part("a", b""))))))


def named(length):
    """It is stored under a name of so many bytes."""
    return form(part("f", b"1", "x" * (length - len("1-.jpg")) + ".jpg"))


ROWS = [
    Row("a form", "/form", 201),
    Row("a query", "/form?photo=x", 201),
    Row("no route", "/nope", 404, HEAD),
    Row("another method", "/methods", 405, HEAD),
    Row("the second method", "/methods", 201, method="PATCH"),
    Row("GET", "/form", 405, HEAD, method="GET", body=b"", type=""),
    Row("no body", "/form", 411, HEAD, body=b""),
    Row("another Expect", "/form", 417, HEAD, lines="Expect: 200-ok\r\n", sent=("at once",)),
    Row("a length where one is wanted", "/length", 201, sent=("at once", "waits")),
    Row("none where one is wanted", "/length", 411, HEAD, sent=("chunked", "waits chunked")),
    Row("as many bytes as the limit", "/many", 201, body=padded(4096)),
    Row("one more", "/many", 413, LENGTH, body=padded(4097)),
    # -- types and codings
    Row("no type", "/form", 415, HEAD, type=""),
    Row("a form of another type", "/form", 415, HEAD, type="Content-Type: application/x-www-form-urlencoded\r\n"),
    Row("no boundary", "/form", 415, HEAD, type="Content-Type: multipart/form-data\r\n"),
    Row("two types", "/form", 415, HEAD, type=TYPE + TYPE),
    Row("the longest type", "/form", 201, type=TYPE[:-2] + "; x=" + "x" * (511 - len(TYPE) + len("Content-Type: ") - 2) + "\r\n"),
    Row("a longer type", "/form", 415, HEAD, type=TYPE[:-2] + "; x=" + "x" * (512 - len(TYPE) + len("Content-Type: ") - 2) + "\r\n"),
    Row("a body in gzip", "/form", 415, HEAD, lines="Content-Encoding: gzip\r\n"),
    Row("a body as it is", "/form", 201, lines="Content-Encoding: Identity\r\n"),
    Row("an empty coding", "/form", 201, lines="Content-Encoding:\r\n"),
    Row("two codings in a line", "/form", 415, HEAD, lines="Content-Encoding: identity, gzip\r\n"),
    Row("two codings in two lines", "/form", 415, HEAD, lines="Content-Encoding: identity\r\nContent-Encoding: identity\r\n"),
    Row("a long coding", "/form", 415, HEAD, lines="Content-Encoding: identity" + "," * 200 + "\r\n"),
    # -- what stands around a form
    Row("a preamble", "/form", 201, body=b"This is a form.\r\n" + FORM),
    Row("the longest preamble", "/form", 201, body=b"x" * 1024 + b"\r\n" + FORM),
    Row("a longer preamble", "/form", 400, BODY, body=b"x" * 1025 + b"\r\n" + FORM),
    Row("a preamble that looks like another form", "/form", 400, BODY, body=b"--other\r\n" + FORM),
    Row("line ends before", "/form", 201, body=b"\r\n\r\n" + FORM),
    Row("an epilogue", "/form", 201, body=FORM + b"bye\r\n"),
    Row("too many parts", "/form", 413, BODY, body=form(GOOD * 4)),
    Row("a head over its limit", "/form", 413, BODY, body=form(part("a" * 250, b""))),
    Row("a file over its limit", "/form", 413, body=form(part("a", b"x" * 2049))),
    Row("a form that ends too soon", "/form", 400, body=GOOD),
    # -- names
    Row("a name that is too long, and shortened", "/short", 201, body=named(256)),
    Row("a name that is too long", "/long", 422, body=named(256)),
    Row("the longest name", "/long", 201, body=named(255)),
    # -- bodies that are one file
    Row("one file", "/raw", 201, method="PUT", type="Content-Type: image/png\r\n", body=b"x" * 1024),
    Row("one file over the limit", "/raw", 413, LENGTH, method="PUT", type="Content-Type: image/png\r\n", body=b"x" * 1025),
    Row("one file of no type, with a name", "/raw", 201, type="", lines="Content-Disposition: attachment; filename=b\r\n", body=b"x"),
    Row("one file with two names", "/raw", 400, type="", lines="Content-Disposition: attachment; filename=b; filename=c\r\n", body=b"x"),
    Row("one file in gzip", "/raw", 415, HEAD, type="", lines="Content-Encoding: gzip\r\n", body=b"x"),
    Row("a form where one file is wanted", "/raw", 415, HEAD),
    # -- pages of other origins
    Row("what a page asks first", "/page", 204, lines=A + "Access-Control-Request-Method: PUT\r\n", **PREFLIGHT),
    Row("what a page below a name asks first", "/page", 204, lines="Origin: https://x.b.example\r\nAccess-Control-Request-Method: POST\r\n", **PREFLIGHT),
    Row("what another page asks first", "/page", 204, lines="Origin: https://b.example\r\nAccess-Control-Request-Method: PUT\r\n", **PREFLIGHT),
    Row("what a page asks first of another method", "/page", 405, HEAD, lines=A + "Access-Control-Request-Method: DELETE\r\n", **PREFLIGHT),
    Row("what a page asks first elsewhere", "/form", 405, HEAD, lines=A + "Access-Control-Request-Method: POST\r\n", **PREFLIGHT),
    Row("OPTIONS of no page", "/page", 405, HEAD, **PREFLIGHT),
    Row("a page's form", "/page", 201, lines=A),
    Row("a page's form to all", "/any", 201, lines=A),
    Row("another page's form", "/page", 201, lines="Origin: https://evil.example\r\n"),
    Row("a page's form of another type", "/page", 415, HEAD, lines=A, type="Content-Type: text/plain\r\n"),
    Row("another page's form of another type", "/page", 415, HEAD, lines="Origin: null\r\n", type="Content-Type: text/plain\r\n"),
    Row("a page's form over the limit", "/page", 413, LENGTH, lines=A, body=padded(4097)),
    Row("a page's form to all over the limit", "/any", 413, LENGTH, lines=A, body=padded(4097)),
    Row("a page's form by another method", "/page", 405, HEAD, lines=A, method="PATCH"),
    # -- what an application could take for a file of ours
    Row("a form that an application is told of", "/told", 201, body=PHOTO),
    Row("a harmless query", "/told?photos=1&a=photo%5B%5D&xphoto", 201, body=PHOTO),
    *(Row(f"a reserved parameter, {query}", "/told?" + query, 400, HEAD, body=PHOTO)
      for query in ("photo=x", "photo[]=x", "photo%5B%5D", "a=b&%70hoto%5b1%5D=", "a;photo=1", "+photo", "photo%00x=1", "[photo]=x")),
    Row("a reserved parameter behind much", "/told?" + "x" * 3000 + "&photo=1", 400, FILTER, body=PHOTO),
    Row("a reserved parameter that is cut", "/told?" + "x" * (2311 - len("/told?&phot")) + "&photo=1", 400, FILTER, body=PHOTO),
    Row("a reserved parameter whose value is cut", "/told?" + "x" * (2311 - len("/told?&photo=")) + "&photo=1", 400, HEAD, body=PHOTO),
    Row("a reserved field", "/told", 400, body=form(part("title", b"x"), part("photo", b"{}"))),
    Row("a reserved field in brackets", "/told", 400, body=form(part("photo[0][x]", b"{}"))),
    Row("a field of no rule", "/told", 422, body=form(part("other", b"x"))),
    # -- a route by its header; by the query: test_named.py
    Row("a route by its header", "/tenant", 201, lines="X-Tenant: acme-1\r\n"),
    Row("a route by its header and its second path", "/t/x", 201, lines="x-tenant: acme-1 \r\n"),
    Row("none of its header", "/tenant", 404, HEAD),
    Row("its header with a comma", "/tenant", 404, HEAD, lines="X-Tenant: acme-1, acme-2\r\n"),
    Row("its header twice", "/t/x", 400, HEAD, lines="X-Tenant: acme-1\r\nX-Tenant: acme-1\r\n"),
    Row("its header and another method", "/tenant", 405, FILTER, lines="X-Tenant: acme-1\r\n", method="PUT", sent=("at once", "chunked")),
    Row("its header over the limit", "/tenant", 413, LENGTH, lines="X-Tenant: acme-1\r\n", body=padded(4097)),
]


def send(port, row, how):
    """The answer, and whether 100 came before it."""
    is_chunked = "chunked" in how
    framing = "" if not row.body else "Transfer-Encoding: chunked\r\n" if is_chunked else f"Content-Length: {len(row.body)}\r\n"
    expect, body = "Expect: 100-continue\r\n" * ("waits" in how), chunked(row.body, 333) if is_chunked else row.body
    with connect(port) as s:
        s.sendall(f"{row.method} {row.path} HTTP/1.1\r\nHost: test\r\n{row.type}{framing}{expect}{row.lines}\r\n".encode() + (b"" if expect else body))
        first = s.recv(65536) if expect else b""
        if goes_on := first.startswith(b"HTTP/1.1 100"):
            s.sendall(body)
        return read_answer(s, first), goes_on


OF_THE_WAY = ("date", "connection", "content-length", "keep-alive")  # headers of a connection


def said(answer, goes_on):
    """All that a client hears, flat."""
    told = {"answer " + name: value for name, value in (answer.json() if answer.body else {}).items()}
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_WAY}
    told = {"status": answer.status, "100 before": goes_on, **headers, **told}
    told["allow"] = sorted(told.get("allow", "").split(", "))
    told["vary"] = "Origin" in told.get("vary", "").split(", ")  # HAProxy has no pages of HTML, so it does not go by Accept
    return {name: re.sub(UUID, "ID", str(value)) for name, value in told.items()}


def differences(straight, through):
    names = sorted(set(straight) | set(through))
    return "; ".join(f"{name}: straight {straight.get(name)!r}, through {through.get(name)!r}" for name in names if straight.get(name) != through.get(name))


class Ways:
    """Every row by every way. Who has told a refusal is looked up when penstock has ended, and its log is whole."""

    def __init__(self, head, ways):
        self.wrong, self.told = [], []
        with Upstream() as up, Penstock(ROUTES, up, head=head) as p:
            with contextlib.ExitStack() as stack:
                self.straight, self.ports = p.port, {way: stack.enter_context(start(p)).port for way, start in ways.items()}
                for row, how in [(row, how) for row in ROWS for how in row.sent]:
                    self.send(row, how)
            p.process.send_signal(signal.SIGTERM)
            p.process.wait(DEADLINE)
            self.look_up({(r["id"], r["status"]) for r in p.requests()})
        assert not self.wrong, f"{len(self.wrong)}:\n" + "\n".join(self.wrong[:12])

    def send(self, row, how):
        straight = said(*send(self.straight, row, how))
        if straight["status"] != str(row.status):
            self.wrong.append(f"{row.what}, {how}: {straight}")
        for way, port in self.ports.items():
            answer, goes_on = send(port, row, how)
            if why := differences(straight, said(answer, goes_on)):
                self.wrong.append(f"{row.what}, {how}, {way}: {why}")
            self.told.append((row, how, way, (answer.headers["x-request-id"], answer.status)))

    def look_up(self, of_penstock):
        for row, how, (way, version), told in [(row, how, way.split(), told) for row, how, way, told in self.told]:
            by_haproxy = told not in of_penstock
            if way != "rules" and by_haproxy != row.knows(way, [int(n) for n in version.split(".")], how):
                self.wrong.append(f"{row.what}, {how}, {way}: told by {'HAProxy' if by_haproxy else 'penstock'}")


def gateways(way, programs, **how):
    return {f"{way} {version}": lambda p, program=program: Gateway(p, program, **how) for version, program in programs.items()}


def bare(program):
    return lambda p: Haproxy(f"127.0.0.1:{p.port}", program=program, frontend=f"    filter penstock config '{p.file}'")


def test_rules_alone_say_what_penstock_says():
    Ways("", gateways("rules", haproxies()))


def test_the_agent_says_what_penstock_says():
    Ways(AGENT, gateways("agent", haproxies()))


def test_the_filter_says_what_penstock_says():
    Ways("", {**gateways("filter", with_filter(), native=True), **{f"bare {version}": bare(program) for version, program in with_filter().items()}})


def seconds(port):
    """What a refusal takes, of a connection that stays open."""
    began = time.monotonic()
    with connect(port) as s:
        s.sendall(b"GET /form HTTP/1.1\r\nHost: test\r\n\r\n")
        assert read_answer(s).status == 405
        return time.monotonic() - began


def test_a_refusal_of_the_filter_is_not_held_back():
    """Where HAProxy says that more will follow the kernel waits 200 ms for it, each time."""
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for program in with_filter().values():
            with bare(program)(p) as h:
                assert min(seconds(h.port) for _ in range(20)) < 0.15


# -- two parsers, and two faults --------------------------------------------------------------------------------------

TWO_FAULTS = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, limits: { body: 4KiB, parts: 3, part_head: 256B }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
FAULTS = {  # each is a part, or what stands in place of one
    "no colon in a head": b"--" + B + b"\r\nno colon\r\n\r\n1\r\n",
    "a blank before a colon": b"--" + B + b"\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n",
    "two filenames": b"--" + B + b"\r\nContent-Disposition: form-data; name=a; filename=a; filename*=utf-8\'\'b\r\n\r\n1\r\n",
    "no disposition": b"--" + B + b"\r\n\r\n1\r\n",
    "a nested form": b"--" + B + b"\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n1\r\n",
    "a head that is too long": b"--" + B + b"\r\nX: " + b"x" * 300 + b"\r\n\r\n1\r\n",
    "a head that is too long and has no colon": b"--" + B + b"\r\n" + b"x" * 300 + b"\r\n\r\n1\r\n",
    "text behind a delimiter": b"--" + B + b"x\r\n\r\n1\r\n",
    "a delimiter behind LF alone": GOOD[:-2] + b"\n--" + B + b"\r\n\r\n1\r\n",
    "a form behind the end": GOOD + b"--" + B + b"--\r\n" + GOOD,
    "too many parts": GOOD * 4,
    "too many bytes": part("a", b"x" * 4096),
}


def test_behind_the_filter_both_read_the_same():
    for program in with_filter().values():
        check_behind(program, "    filter penstock config '{file}'")


def told(port, body):
    answer = post(port, "/d", body)
    problem = answer.json() if answer.status >= 400 else {}
    return (answer.status, problem.get("detail"), problem.get("limit"), problem.get("offset")), "date" not in answer.headers


def check_faults(program, wrong):
    with Penstock(TWO_FAULTS) as p, Haproxy(f"127.0.0.1:{p.port}", program=program, frontend=f"    filter penstock config \'{p.file}\'") as h:
        for first, a in FAULTS.items():
            for second, b in FAULTS.items():
                body = a + b + b"--" + B + b"--\r\n"
                straight, by_filter = told(p.port, body)[0], told(h.port, body)
                if straight[0] < 400 or by_filter != (straight, True):
                    wrong.append(f"{first}, then {second}: the filter {by_filter}, penstock {straight}")


def test_of_two_faults_of_a_body_filter_and_penstock_tell_the_same():
    wrong = []
    for program in with_filter().values():
        check_faults(program, wrong)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
