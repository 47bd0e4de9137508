# SPDX-License-Identifier: MIT
"""What the header lines of an object say of it: content_type, content_disposition, metadata. They are on PutObject and on
CreateMultipartUpload, signed, and no client's text makes a line of its own."""
import urllib.parse

from s3 import *

BOTH = [noise(KEPT), noise(SHORT)]  # PutObject, and an upload of parts
SAID = 'content_type: text/plain, content_disposition: attachment, metadata: { user: "{header.X-User}", Name: "{file.name}", n: "{part}" }'
# how a browser sends it, the name that it means, the line
NAMES = [("a.pdf", "a.pdf", 'attachment; filename="a.pdf"'),
         ("a b;c=d,e.pdf", "a b;c=d,e.pdf", 'attachment; filename="a b;c=d,e.pdf"'),
         ("a%22b.txt", 'a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
         ("f\u00fcr \U0001f389's.txt", "f\u00fcr \U0001f389's.txt", "attachment; filename=\"f_r _'s.txt\"; filename*=UTF-8''f%C3%BCr%20%F0%9F%8E%89%27s.txt"),
         ("50%41.txt", "50%41.txt", "attachment; filename=\"50_41.txt\"; filename*=UTF-8''50%2541.txt"),
         ("x%0D%0AX-Amz-Acl: public-read", "x\r\nX-Amz-Acl: public-read", 'attachment; filename="x__X-Amz-Acl: public-read"'),
         ("n" * 3000 + ".jpeg", "n" * 3000 + ".jpeg", f'attachment; filename="{"n" * 250}.jpeg"')]


def says(fake, key, *names):
    return [fake.store.object(key).headers.get(name) for name in names]


def told(call, name):
    values = [value for other, value in call.headers if other == name]
    assert len(values) <= 1, call.headers
    return values[0] if values else None


def test_both_kinds_of_request_say_the_same_and_sign_it():
    rule = f'{{ name: "*", store: {{ to: s, key: "{{part}}", {SAID} }} }}'
    with FakeS3() as fake, Penstock(routes().replace('{ name: "*",  store: { to: s, key: "{part}" } }', rule), fake) as p:
        answer = post(p.port, "/s", form(*files(*BOTH, type="image/png")), extra="X-User: J\u00f6rg  B%\r\n")
        assert answer.status == 201, answer.body
        made = fake.of("put") + fake.of("create")
        assert len(made) == 2 and fake.refused() == []
        for call, n in zip(made, "12"):
            assert told(call, "content-type") == "text/plain"
            assert told(call, "content-disposition") == f'attachment; filename="{int(n) - 1}.bin"'
            assert told(call, "x-amz-meta-user") == "J%C3%B6rg %20B%25" and told(call, "x-amz-meta-name") == f"{int(n) - 1}.bin" and told(call, "x-amz-meta-n") == n
            signed = re.search("SignedHeaders=([^,]+)", told(call, "authorization"))[1].split(";")
            assert {"content-type", "content-disposition", "x-amz-meta-user", "x-amz-meta-name", "x-amz-meta-n", "x-amz-meta-penstock-id"} <= set(signed), signed
        for call in fake.of("part") + fake.of("complete"):
            assert told(call, "content-disposition") is None and not [name for name, _ in call.headers if name.startswith("x-amz-meta-")], call.headers


def test_a_name_makes_neither_a_line_nor_an_end_of_its_text():
    for data in BOTH:
        with FakeS3() as fake, Penstock(routes('content_disposition: attachment, metadata: { name: "{file.name}" }'), fake, memory="64MiB") as p:
            for sent, name, line in NAMES:
                fake.store.versions.clear()
                answer = post(p.port, "/s", form(part("f", data, sent)))
                if len(name) > 1000:  # the metadata is too long
                    assert answer.status == 422 and answer.json()["limit"] == "metadata" and answer.json()["field"] == "f" and fake.store.objects() == {}, answer.body
                    continue
                assert answer.status == 201, answer.body
                assert says(fake, "1", "content-disposition", "x-amz-acl") == [line, None], (name, says(fake, "1", "content-disposition"))
                value = fake.store.object("1").meta("name")
                assert value.isascii() and value.isprintable() and urllib.parse.unquote(value) == name, value
            assert fake.refused() == []
        with FakeS3() as fake, Penstock(routes("content_disposition: attachment"), fake) as p:
            sent, _, line = NAMES[-1]
            assert post(p.port, "/s", form(part("f", data, sent))).status == 201 and says(fake, "1", "content-disposition") == [line]


def test_no_place_that_a_client_writes_to_ends_a_line():
    """What comes decoded is escaped; a path with control bytes is refused, and a header line cannot have one at all."""
    said = 'metadata: { path: "{path.1}", query: "{query.q}", field: "{field}", ext: "x{file.ext}", id: "{request_id}" }'
    lines = "\r\nx-amz-acl: public-read\r\n\r\n"
    for data in BOTH:
        with FakeS3() as fake, Penstock(routes(said).replace('path: "/s"', 'path: "/s/*"'), fake, memory="64MiB") as p:
            sent = urllib.parse.quote(lines, safe="")
            assert post(p.port, f"/s/{sent}?q=", form(part("f", data))).status == 400 and fake.calls == []
            answer = post(p.port, f"/s/p%252F%C3%BC?q={sent}", form(part(sent.replace("%3A", ":").replace("%20", " "), data, f"a.{sent}")), extra="X-Request-Id: a%0D%0Ab\r\n")
            assert answer.status == 201 and fake.refused() == [], answer.body
            found = fake.store.object("1")
            assert [urllib.parse.unquote(found.meta(name)) for name in ("query", "field")] == [lines] * 2 and found.meta("ext") == "x", found.headers
            assert found.meta("path") == "p%252F%C3%BC" and found.meta("id") == "a%250D%250Ab", found.headers
            assert {name for name in found.headers if name.startswith("x-amz-")} == {"x-amz-meta-" + n for n in ("path", "query", "field", "ext", "id", "penstock-id")}, found.headers
        with FakeS3() as fake, Penstock(routes(), fake, memory="64MiB") as p:  # nor does the type
            for type in ("text/html\tx", "text/\u00e4", "text/plain\x01"):
                answer = post(p.port, "/s", form(part("f", data, "x", type)))
                assert answer.status in (201, 400) and fake.refused() == [], answer.body
                assert answer.status == 400 or says(fake, "1", "content-type") == ["application/octet-stream"], (type, says(fake, "1", "content-type"))


def test_a_rule_says_otherwise_than_its_destination():
    rules = """fields:
      - { name: a, store: { to: s, key: a } , max_count: 1 }
      - { name: b, store: { to: s, key: b, content_type: declared, content_disposition: none, metadata: {} }, max_count: 1 }
      - { name: c, store: { to: s, key: c, metadata: { other: "{field}", empty: "{header.X-None}" } }, max_count: 1 }
      - { name: d, concat: { to: s, key: d } }
"""
    said = 'content_type: "text/x; charset=utf-8", content_disposition: attachment, metadata: { by: "{path.1}", all: x }'
    text = f"destinations:\n{destination(said)}routes:\n  - id: s\n    match: {{ path: /s/* }}\n    {rules}"
    with FakeS3() as fake, Penstock(text, fake) as p:
        parts = [part(name, b"x", f"{name}.txt", "image/gif") for name in "abc"] + [part("d", b"x", "first"), part("d", b"y", "second")]
        answer = post(p.port, "/s/t%C3%BC", form(*parts))
        assert answer.status == 201 and fake.refused() == [], answer.body
        names = ("content-type", "content-disposition", "x-amz-meta-by", "x-amz-meta-all", "x-amz-meta-other", "x-amz-meta-empty")
        assert says(fake, "a", *names) == ["text/x; charset=utf-8", 'attachment; filename="a.txt"', "t%C3%BC", "x", None, None]
        assert says(fake, "b", *names) == ["image/gif", None, None, None, None, None]
        assert says(fake, "c", *names) == ["text/x; charset=utf-8", 'attachment; filename="c.txt"', None, None, "c", None]
        assert says(fake, "d", *names) == ["text/x; charset=utf-8", 'attachment; filename="first"', "t%C3%BC", "x", None, None]


def test_a_header_that_stands_twice_makes_no_metadata():
    with FakeS3() as fake, Penstock(routes('metadata: { user: "{header.X-User}", q: "{query.q}" }'), fake) as p:
        answer = post(p.port, "/s", form(*files(b"x")), extra="X-User: a\r\nx-user: b\r\n")
        assert answer.status == 400 and "X-User" in answer.json()["detail"] and fake.calls == [], answer.body
        assert post(p.port, "/s?q=1&q=2", form(*files(b"x"))).status == 400 and fake.calls == []


def test_metadata_at_its_limit():
    room = 2048 - len("x-amz-meta-penstock-id") - 36 - len("x-amz-meta-f")
    for data in BOTH:
        with FakeS3() as fake, Penstock(routes('metadata: { f: "{query.f}" }'), fake) as p:
            answer = post(p.port, "/s?f=" + "v" * room, form(*files(data)))
            assert answer.status == 201 and len(fake.store.object("1").meta("f")) == room and fake.refused() == [], answer.body
            n = len(fake.calls)
            answer = post(p.port, "/s?f=" + "v" * (room + 1), form(*files(data)))
            told = answer.json()
            assert answer.status == 422 and len(fake.calls) == n, answer.body
            assert (told["limit"], told["field"], told["route"]) == ("metadata", "f", "s") and "1990 are taken" in told["detail"], told


def test_an_http_destination_hears_the_type_of_its_rule():
    with Upstream() as up, Penstock("""
destinations: { u: { type: http, url: "http://127.0.0.1:{up}" } }
routes: [ { id: s, match: { path: /s }, fields: [ { name: a, store: { to: u, path: "a/{uuid}", content_type: image/webp } }, { name: b, store: { to: u, path: "b/{uuid}" } } ] } ]
""", up) as p:
        assert post(p.port, "/s", form(part("a", b"x", "x", "text/html"), part("b", noise(100_000), "x", "text/html"), part("a", noise(100_000), "x"))).status == 201
        types = sorted((r.path[1], r.headers["content-type"]) for r in up.seen)
        assert types == [("a", "image/webp"), ("a", "image/webp"), ("b", "text/html")], types


def test_the_type_may_be_what_the_first_bytes_are():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"
    rule = '{ name: "*", store: { to: s, key: "{part}.{detected.ext}", content_type: detected, metadata: { ext: "{detected.ext}" } } }'
    with FakeS3() as fake, Penstock(routes().replace('{ name: "*",  store: { to: s, key: "{part}" } }', rule), fake, memory="64MiB") as p:
        body = form(*[part("f", png + data, "evil.exe", "text/html") for data in BOTH])
        for chunk in (None, 1000):
            fake.store.versions.clear()
            answer = post(p.port, "/s", body, chunk=chunk)
            assert answer.status == 201, answer.body
            assert sorted(fake.store.objects()) == ["1.png", "2.png"] and fake.refused() == []
            for key in ("1.png", "2.png"):
                assert says(fake, key, "content-type", "x-amz-meta-ext") == ["image/png", "png"], says(fake, key, "content-type", "x-amz-meta-ext")
