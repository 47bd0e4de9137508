# SPDX-License-Identifier: MIT
"""`explain` and `run` side by side: forms that are odd in every way, to routes of every kind, and heads that are refused."""
from agreement import *

# Each route has names of its own: what one has stored does not stand in another's way.
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
  strict: { type: directory, path: "{dir}/strict", exists: replace, names: { unsafe: refuse } }
  up: { type: http, url: "http://127.0.0.1:{up}/pre" }
  picky: { type: http, url: "http://127.0.0.1:{up}/picky", names: { unsafe: refuse } }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", store: { to: files, key: "d/{uuid}-{file.name}" } } ] }
  - { id: u, match: { path: /u }, fields: [ { name: "*", store: { to: up, key: "{request_id}/{date:%Y/%m}/{part}-{field}.{file.ext}" } } ] }
  - { id: q, match: { path: "/q/*" }, fields: [ { name: "*", store: { to: files, key: "{query.n}/{header.x-n}/{path.1}/{part}" } } ] }
  - { id: s, match: { path: "/s/**" }, fields: [ { name: "*", store: { to: strict, key: "{query.n}-{path.1}/{field}/{part}" } } ] }
  - { id: p, match: { path: "/p/**" }, fields: [ { name: "*", store: { to: picky, key: "{query.n}{path.1}/{field}/{part}" } } ] }
  - { id: each, match: { path: /each }, commit: each, fields: [ { name: "*", store: { to: files, key: "each/{part}" } } ] }
  - id: one
    match: { path: /one }
    default: drop
    fields:
      - { name: file, max_count: 1, store: { to: files, key: "one/file/{file.name}" } }
      - { name: f*, nth: 2, store: { to: up, key: "{field}{file.name}" } }
      - { name: v, kind: value, max_size: 10, max_count: 2, store: { to: files, key: "one/v/{uuid}" } }
  - id: c
    match: { path: /c }
    fields:
      - { name: file, kind: file, concat: { to: files, key: "c/{file.name}" } }
      - { name: "*", concat: { to: up, key: "{field}" } }
  - id: lim
    match: { path: /lim }
    limits: { body: 3000, parts: 3, part_head: 300, values: 20 }
    fields: [ { name: "*", required: true, max_size: 1000, drop: true } ]
"""
NOBODY = "trust: { proxies: none }"  # explain knows of nobody who would be believed


class Both(Penstock):
    """What both are asked about."""

    def __init__(self, upstream):
        super().__init__(ROUTES, upstream, head=NOBODY)

    def command(self):
        os.mkdir(os.path.join(self.dir, "strict"))
        return super().command()


PATHS = ["/d", "/u", "/q/x", "/q/%2E%2e%2f?n=1&m=2", "/s/a/b?n=x", "/p", "/p/..?n=%2f", "/each", "/one", "/c", "/lim"]
KINDS = f"multipart/form-data; boundary={BOUNDARY}"


def disposition(text, data=b"x", *lines):
    return form(part("", data, disposition=text.replace("\0", ""))).replace(b"\r\n\r\n" + data, b"".join(b"\r\n" + line for line in lines) + b"\r\n\r\n" + data)


def dispositions():
    for name in ("a", "", "../x", "%2e%2e", "a/b", "\u5b57" * 84 + ".pdf", "n" * 219, "n" * 218, "n" * 215, "n" * 255, "n" * 256, "n" * 700, "{uuid}", "{request_id}",
                 "..", ".", ".penstock-x", "\u00e9", "a b;c", "a'b", "_charset_", "a[]", "100%", "C:\\\\x\\\\y", "x.tar.gz", ".gitignore", "a.", "%22", "=?utf-8?B?w6k=?="):
        yield f'form-data; name="{name}"'
        yield f'form-data; name="file"; filename="{name}"'
        yield f'form-data; name="file"; filename*=UTF-8\'\'{"".join(f"%{b:02x}" for b in name.encode())}'
    yield from ('form-data', 'form-data; name=a', "form-data; name='a'", 'form-data; name="a"; name="a"', 'form-data; name="a"; filename=x; filename="x"',
                'form-data; name="a"; filename="x"; filename*=UTF-8\'\'x', 'form-data; name="a"; filename="x"; filename*=UTF-8\'\'y', 'form-data; name="a\\"b"',
                'form-data; name="a\\b"', 'form-data; name="a', 'form-data; name=a(b', 'form-data; name=a,b', 'attachment; name="a"', 'form-data; name="a";',
                'form-data; name="a" ; x=y', 'form-data; name="a"; filename=', 'form-data; name="a"; filename=""', 'FORM-DATA; NAME="a"', 'form-data;name="a"',
                'form-data; name="a\\"; x="b"', "form-data; filename=\"only\"", "form-data; name*=UTF-8''a", 'form-data; name = "a"')


def bodies():
    """(what, Content-Type, body)"""
    plain, b = part("file", b"x", "a.txt"), BOUNDARY.encode()
    for text in dispositions():
        yield text[:80], KINDS, disposition(text)
    for line in (b"Content-Type: multipart/form-data", b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: text/plain; charset=utf-16", b"Content-Type:",
                 b"Content-Transfer-Encoding: base64", b"Content-Disposition: form-data; name=b", b"X : y", b" folded", b"X", b": x", b"X: \0", b"Content-Length: 3",
                 b"Content-Type: a/b\r\nContent-Type: a/b", b"X: " + b"y" * 9000):
        yield f"a part with {line[:40]}", KINDS, disposition('form-data; name="file"; filename="f"', b"x", line)
        yield f"a value with {line[:40]}", KINDS, disposition('form-data; name="v"', b"x", line)
    whole = form(plain)
    yield "preamble", KINDS, b"This is a preamble.\r\n" + whole
    yield "a head as preamble", KINDS, b"MIME-Version: 1.0\r\n\r\n" + whole
    yield "an empty line before", KINDS, b"\r\n" + whole
    yield "epilogue", KINDS, whole + b"epilogue"
    yield "a form as epilogue", KINDS, whole + whole
    yield "a part without its delimiter before", KINDS, plain.partition(b"\r\n")[2] + whole
    yield "a part without its delimiter behind", KINDS, whole + plain.partition(b"\r\n")[2]
    yield "no end", KINDS, plain
    yield "no line end behind", KINDS, whole[:-2]
    yield "cut", KINDS, whole[:-8]
    yield "nothing", KINDS, b""
    yield "no parts", KINDS, b"--" + b + b"--\r\n"
    yield "LF", KINDS, whole.replace(b"\r\n", b"\n")
    yield "LF before a delimiter", KINDS, form(part("a", b"x\n--" + b + b"\r\ny"))
    yield "a delimiter with more behind", KINDS, form(part("a", b"x\r\n--" + b + b"x\r\ny"))
    yield "blanks behind a delimiter", KINDS, whole.replace(b + b"\r\n", b + b" \t\r\n", 1)
    for n in (0, 1, 16384, 16385, 200_000):
        yield f"a file of {n} bytes", KINDS, form(part("file", noise(n), "f.bin"), part("v", noise(min(n, 11))))
    yield "many parts", KINDS, form(*[part("v", b"") for _ in range(40)])
    yield "the same twice", KINDS, form(plain, plain)
    yield "an input left empty", KINDS, form(part("file", b"", ""), part("v", b"x"))
    yield "values over their limit", KINDS, form(part("v", b"x" * 11), part("v", b"y" * 11))
    for boundary in ('"B"', "B", '"B C"', "a,b", "a=b", '"a\\b"', "", '""', "B; boundary=B", "B; x=y", "'B'", "b" * 70, "b" * 71, '"a b "'):
        name = boundary.strip('"').partition(";")[0]
        yield f"boundary {boundary}", f"multipart/form-data; boundary={boundary}", whole.replace(b, name.encode())
    for kind in ("multipart/form-data", "multipart/mixed; boundary=" + BOUNDARY, "text/plain", "multipart/form-data; charset=utf-8; boundary=" + BOUNDARY,
                 'multipart/form-data; x="boundary=B"; boundary=' + BOUNDARY, "multipart/form-data;boundary=" + BOUNDARY, "MULTIPART/Form-Data; Boundary=" + BOUNDARY):
        yield kind, kind, whole


def test_explain_agrees_with_run_on_forms_of_all_kinds():
    with Upstream() as up, Both(up) as p:
        seen, chance = [], random.Random(13)
        for i, (what, content_type, body) in enumerate(bodies()):
            for k, path in enumerate(PATHS):
                if (i + k) % (31 if SMALL else 3):
                    continue
                cuts = ((chance.choice((1, 3, 61)),), (chance.choice((1, 7, 1000)),)) if len(body) < 3000 and not i % 4 else ()
                told = check_body(p, what, path, content_type, body, *cuts)
                seen.append(told["status"])
        assert seen.count(201) > len(seen) / 4 and seen.count(400) > 5 and seen.count(422) > 5, seen
        assert SMALL or {413, 415} <= set(seen), set(seen)


def heads():
    """(what, request) with a good body."""
    body = form(part("a", b"x"))
    def say(path="/q/x", *extra, line=None, host="Host: test", length=len(body), kind=KINDS):
        lines = [line or f"POST {path} HTTP/1.1", *([host] if host else []), f"Content-Type: {kind}", *([f"Content-Length: {length}"] if length is not None else []), *extra]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
    for path in ("/", "/nowhere", "/q", "/q/", "/q//x", "/q/x/", "/q/..", "/q/%2e", "/q/%00", "/q/%zz", "/q/a%2Fb", "/q/x?n=1&n=2", "/q/x?n=%zz", "/q/x?n=&m=%zz", "/q/x?%6e=1",
                 "/q/x?n=1;n=2", "/q/x?n=a+b", "/q/x?&&n=1", "/q/" + "x" * 300, "/q/" + "%C3%BC" * 90, "/u?" + "y" * 3000, "/s/x?n=1", "/s/%2e%2e?n=1", "/s?n=", "/p/a/b?n=1",
                 "*", "http://test/q/x", "http://other/q/x", "q/x", "/q/x#f"):
        yield path[:60], say(path)
    for line in ("X-N: client\r\nX-N: gateway", "X-N: ", "X-N: ..", "X-N: a/b", "X-N: \xe9", "X-N: " + "z" * 300, "X-N: %2f", "Expect: 100-continue", "Expect: x", "Expect:",
                 "Content-Encoding: gzip", "Content-Encoding: identity", "Content-Encoding:", "Content-Type: text/plain", "Host: test", "Content-Length: 1", "Transfer-Encoding: chunked",
                 "X-Penstock-Refuse: 1", "X-Request-Id: a\r\nX-Request-Id: b", "X-Forwarded-For: 1.2.3.4", "Cookie: a=b"):
        yield line[:40], say("/q/x?n=1", line)
        yield line[:40], say("/p/x?n=1", line)
    for host in ("Host: ", "Host: a,b", "Host: [::1", "Host: a:b:c", "Host: *", "Host: a:0x50", "Host: [::1]:8", "Host: a.", "Host: A:80", "Host: a b", None):
        yield f"{host}", say(host=host)
    for line in ("POST /q/x HTTP/1.0", "PUT /q/x HTTP/1.1", "GET /q/x HTTP/1.1", "post /q/x HTTP/1.1", "OPTIONS * HTTP/1.1"):
        yield line, say(line=line)
    yield "no length", say(length=None)
    yield "too long", say("/lim", length=3001)


def test_explain_agrees_with_run_on_heads():
    seen = []
    with Upstream() as up, Both(up) as p:
        for what, request in heads():
            told = explain(p, request)
            with connect(p.port) as s:
                with contextlib.suppress(ConnectionError):
                    s.sendall(request)
                answer = read_answer(s)
            assert answer is not None, f"{what}: no answer, and explain said {told}"
            is_ours = "json" in answer.headers.get("content-type", "")  # some heads are refused by libmicrohttpd itself, with a page
            why = disagreement(told, answer) if is_ours else "" if answer.status == told["status"] else f"run {answer.status} {answer.body}, explain {told}"
            assert not why or told["error"] in BUSY, f"{what}: {why}"
            seen.append((told["status"], is_ours))
    assert len([1 for _, ours in seen if ours]) > len(seen) * 0.9 and {201, 400, 404, 405, 411, 413, 415, 417, 422} <= {status for status, _ in seen}, seen
