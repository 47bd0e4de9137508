# SPDX-License-Identifier: MIT
"""Digests that a rule asks for: in the summary, in explain and in the log, those of the bytes; and none that nobody asks for."""
import base64
import sys

from lib import *

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "s3"))
import checksums  # noqa: E402

KINDS = ("sha256", "sha512", "sha1", "md5", "crc32c", "crc64nvme")
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: all, match: { path: /all }, digest: [crc64nvme, md5, sha1, sha512, crc32c, sha256], fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - id: some
    match: { path: /some }
    digest: [sha256]
    default: drop
    fields:
      - { name: route, store: { to: files, key: "{uuid}" } }
      - { name: own, digest: [crc32c, md5], store: { to: files, key: "{uuid}" } }
      - { name: one, digest: sha1, drop: true }
      - { name: none, digest: none, store: { to: files, key: "{uuid}" } }
      - { name: empty, digest: [], store: { to: files, key: "{uuid}" } }
      - { name: joined, concat: { to: files, key: "joined-{uuid}" } }
      - { name: "input", kind: file, store: { to: files, key: "{uuid}" } }
  - { id: default, match: { path: /default }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: quiet, match: { path: /quiet }, digest: sha1, response: { json: none }, fields: [ { name: "*", max_size: 10, store: { to: files, key: "{uuid}" } } ] }
"""
SIZES = (0, 1, 32767, 32768, 32769, 5_000_000)


def digests_of(data):
    return {kind: checksums.digest(kind, data).hex() if kind.startswith("crc") else hashlib.new(kind, data).hexdigest() for kind in KINDS}


def found(told):
    return {key: told[key] for key in told if key in KINDS}


def test_every_digest_is_that_of_the_bytes_however_they_come():
    datas = [noise(n, n) for n in (SIZES[:-1] + (200_000,) if SMALL else SIZES)]
    wanted = [digests_of(data) for data in datas]
    body = form(*[part("f", data, f"{i}.bin") for i, data in enumerate(datas)])
    small = [i for i, data in enumerate(datas) if len(data) < 40_000]
    with Penstock(ROUTES) as p:
        for chunk in (None, 97, 1460, 4096, 65_537):
            answer = post(p.port, "/all", body, chunk=chunk)
            assert answer.status == 201, answer.body
            told = [found(one) for one in answer.json()["parts"]]
            assert told == wanted, (chunk, told)
            assert all(list(one) == list(KINDS) for one in told), "in one order"
        answer = post(p.port, "/all", form(*[part("f", datas[i], "f") for i in small]), chunk=1 if not SMALL else 3)
        assert [found(one) for one in answer.json()["parts"]] == [wanted[i] for i in small]


def test_a_rule_has_its_own_or_those_of_its_route():
    data = noise(20_000)
    names = ("route", "own", "one", "none", "empty", "joined", "joined", "other")
    with Penstock(ROUTES) as p:
        body = form(*[part(name, data, "f") for name in names], part("input", b"", ""))
        answer = post(p.port, "/some", body)
        assert answer.status == 201, answer.body
        told = [list(found(one)) for one in answer.json()["parts"]]
        assert told == [["sha256"], ["md5", "crc32c"], ["sha1"], [], [], ["sha256"], ["sha256"], [], []], told
        wanted = digests_of(data)
        assert all(found(one) == {kind: wanted[kind] for kind in found(one)} for one in answer.json()["parts"])
        assert found(post(p.port, "/default", form(part("f", data, "f"))).json()["parts"][0]) == {}


def test_the_log_has_them_too_and_says_of_which_part():
    with Penstock(ROUTES) as p:
        assert post(p.port, "/quiet", form(part("a", b"abc", "x.jpg"), part("b", b""))).status == 201
        assert post(p.port, "/quiet", form(part("good", b"12345"), part("long", b"x" * 11))).status == 413
        assert post(p.port, "/default", form(part("a", b"abc"))).status == 201
        wait_for(lambda: len(p.requests()) == 3, "all are over")
        lines = [{k: v for k, v in line.items() if k not in ("time", "id")} for line in p.lines('"msg":"part"')]
        base = {"level": "info", "room": "request", "msg": "part"}
        assert lines == [base | {"part": 1, "field": "a", "filename": "x.jpg", "bytes": 3, "sha1": hashlib.sha1(b"abc").hexdigest()},
                         base | {"part": 2, "field": "b", "bytes": 0, "sha1": hashlib.sha1(b"").hexdigest()},
                         base | {"part": 1, "field": "good", "bytes": 5, "sha1": hashlib.sha1(b"12345").hexdigest()}], lines
        assert [line["id"] for line in p.lines('"msg":"part"')][:2] == [p.requests()[0]["id"]] * 2


def test_explain_finds_the_same():
    data = noise(70_000)
    with Penstock(ROUTES) as p:
        request = os.path.join(p.dir, "request")
        with open(request, "wb") as f:
            f.write(head_of("/all") + chunked(form(part("f", data, "x.jpg")), 999))

        def explain(*options):
            return subprocess.run([BINARY, "explain", *options, p.file, request], stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout

        assert found(json.loads(explain())["parts"][0]) == digests_of(data)
        human = explain("--human").decode()
        assert all(f"{kind} {hex}\n" in human for kind, hex in digests_of(data).items()), human


# -- digests that a client says -------------------------------------------------------------------------------------

VERIFY = """destinations:
  files: { type: directory, path: "{dir}/out" }
  store: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE }
routes:
  - { id: form, match: { path: /form }, fields: [ { name: "*", verify: { part_header: [content-digest, content-md5] }, store: { to: files, key: "{part}" } } ] }
  - { id: store, match: { path: /store }, fields: [ { name: "*", verify: { part_header: repr-digest, missing: refuse }, store: { to: store, key: "/{part}" } } ] }
  - { id: raw, match: { path: /raw, method: PUT }, body: { raw: file }, fields: [ { name: file, verify: { part_header: [content-digest, repr-digest] }, store: { to: files, key: raw } } ] }
"""


def said(kind, data, header="Content-Digest"):
    digest = base64.b64encode(bytes.fromhex(digests_of(data)[{"sha-256": "sha256", "sha-512": "sha512", "sha": "sha1"}.get(kind, kind)])).decode()
    return f"{header}: {digest}" if header == "Content-MD5" else f"{header}: {kind}=:{digest}:"


def with_lines(name, data, *lines):
    head, _, rest = part(name, data, f"{name}.bin").partition(b"\r\n\r\n")
    return b"\r\n".join([head, *(line.encode() for line in lines)]) + b"\r\n\r\n" + rest


def refused(p, up, answer, detail):
    problem = answer.json()
    assert (answer.status, problem["detail"], problem["limit"]) == (422, detail, "verify"), answer.body
    wait_for(lambda: p.files() == {} and up.store == {}, "nothing is there")


def test_what_a_part_says_of_its_bytes_has_to_be_so():
    good, other = noise(200_000, 1), noise(200_000, 2)
    with Upstream() as up, Penstock(VERIFY, upstream=up) as p:
        for chunk in (None, 4096):
            parts = [with_lines("a", good, said("sha-256", good)), with_lines("b", b"", said("md5", b"", "Content-MD5")), part("c", good, "c")]
            for kind in ("sha-512", "sha", "md5", "crc32c"):
                parts.append(with_lines(kind, good, "X-Other: 1", said(kind, good)))
            assert post(p.port, "/form", form(*parts), chunk=chunk).status == 201
            assert len(p.files()) == 7 and p.files()["1"] == good
            for name in os.listdir(p.out):
                os.unlink(os.path.join(p.out, name))
            for kind, called in (("sha-256", "sha256"), ("crc32c", "crc32c")):
                body = form(part("first", good, "f"), with_lines("late", other, said(kind, good)))
                refused(p, up, post(p.port, "/form", body, chunk=chunk), f'field "late": its bytes have another {called} than its content-digest says')
        body = form(part("first", good, "f"), with_lines("late", other, said("md5", good, "Content-MD5")))
        refused(p, up, post(p.port, "/form", body), 'field "late": its bytes have another md5 than its content-md5 says')
        refused(p, up, post(p.port, "/form", form(with_lines("a", b"x", "Content-Digest: nonsense"))), 'field "a": its content-digest cannot be read')
        assert post(p.port, "/store", form(with_lines("a", good, said("sha-256", good, "Repr-Digest")))).status == 201
        up.store.clear()
        refused(p, up, post(p.port, "/store", form(with_lines("a", other, said("sha-256", good, "Repr-Digest")))),
                'field "a": its bytes have another sha256 than its repr-digest says')
        refused(p, up, post(p.port, "/store", form(part("a", b"x"))), 'field "a": it says no digest of its bytes, and its rule wants one')


def test_what_a_request_says_of_the_one_file_that_is_its_body_has_to_be_so():
    good, other = noise(200_000, 1), noise(200_000, 2)
    with Upstream() as up, Penstock(VERIFY, upstream=up) as p:
        for chunk in (None, 4096):
            for header in ("Content-Digest", "Repr-Digest"):
                refused(p, up, post(p.port, "/raw", other, chunk=chunk, method="PUT", type="a/b", extra=said("sha-256", good, header) + "\r\n"),
                        f'field "file": its bytes have another sha256 than its {header.lower()} says')
                assert post(p.port, "/raw", good, chunk=chunk, method="PUT", type="a/b", extra=said("sha-256", good, header) + "\r\n").status == 201
                assert p.files() == {"raw": good}
                os.unlink(os.path.join(p.out, "raw"))
        twice = said("sha-256", good) + "\r\n" + said("md5", good) + "\r\n"
        refused(p, up, post(p.port, "/raw", good, method="PUT", type="a/b", extra=twice), 'field "file": its content-digest stands twice')


# -- digests that go with an object ---------------------------------------------------------------------------------

SAYS = """destinations:
  store: { type: http, url: "http://127.0.0.1:{up}", digest: content-digest }
  plain: { type: http, url: "http://127.0.0.1:{up}/plain" }
routes:
  - id: form
    match: { path: /form }
    digest: [sha256, md5]
    limits: { body: 100MiB }
    fields:
      - { name: a, store: { to: store, path: "/{part}" } }
      - { name: both, digest: [sha512, sha256], store: { to: store, method: PUT, path: "/{part}" } }
      - { name: long, digest: sha512, buffer: true, max_size: 1MiB, store: { to: store, path: "/{part}" } }
      - { name: other, store: { to: plain, path: "/{part}" } }
  - { id: raw, match: { path: /raw, method: PUT }, body: { raw: a }, fields: [ { name: a, digest: sha256, store: { to: store, path: "/raw" } } ] }
"""


def dictionary(data, *kinds):
    return ", ".join(f"{kind}=:{base64.b64encode(hashlib.new(kind.replace('-', ''), data).digest()).decode()}:" for kind in kinds)


def told(request):
    """The digests of its head, of its trailers, and what it announces."""
    pick = lambda lines, name: [v for k, v in lines if k.lower() == name]  # noqa: E731
    return pick(request.lines, "content-digest"), pick(request.trailers, "content-digest"), pick(request.lines, "trailer")


def test_an_object_goes_with_its_digest():
    with Upstream() as up, Penstock(SAYS, upstream=up) as p:
        for n in (0, 1, 16384, 16385, 70_000, 400_000, 70_001):  # kept, then streamed, one after the other over what libcurl uses again
            data = noise(n, n)
            for chunk in (None, 4096):
                del up.seen[:]
                assert post(p.port, "/form", form(part("a", data, "f"), part("both", data, "f"), part("other", data, "f")), chunk=chunk).status == 201
                one, both, other = sorted(up.seen, key=lambda r: ("plain" in r.path, r.path))
                assert all(r.complete and bytes(r.body) == data for r in (one, both, other))
                for request, kinds in ((one, ["sha-256"]), (both, ["sha-256", "sha-512"])):
                    want = [dictionary(data, *kinds)]
                    assert told(request) == ((want, [], []) if n <= 16384 else ([], want, ["Content-Digest"])), (n, request.lines, request.trailers)
                assert told(other) == ([], [], []) and other.trailers == [], (n, other.lines)
        for n in (3, 300_000):
            data, up.seen[:] = noise(n, n), []
            assert post(p.port, "/form", form(part("long", data, "f"))).status == 201
            assert told(up.seen[0]) == ([dictionary(data, "sha-512")], [], []), "it waits in memory"
            up.seen[:] = []
            assert post(p.port, "/raw", data, method="PUT", type="a/b").status == 201
            want = [dictionary(data, "sha-256")]
            assert told(up.seen[0]) == ((want, [], []) if n == 3 else ([], want, ["Content-Digest"])), up.seen[0].lines


def compares(request):
    """A store that keeps only what is as its digest says, wherever that stands."""
    if request.method == "DELETE":
        return None
    if not request.read_all():
        return "done"
    said = sum(told(request)[:2], [])
    good = said == [dictionary(bytes(request.body), "sha-256")] and "/bad" not in request.path
    if good:
        request.upstream.store[request.path] = bytes(request.body)
    request.answer(201 if good else 400)
    return "next"


COMPARED = """destinations:
  store: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, digest: content-digest }
routes:
  - { id: form, match: { path: /form }, fields: [ { name: "*", digest: sha256, store: { to: store, path: "/{field}/{part}" } } ] }
"""


def test_a_store_that_compares_takes_what_came_and_may_refuse():
    with Upstream(compares) as up, Penstock(COMPARED, upstream=up) as p:
        for n in (10, 100_000):
            answer = post(p.port, "/form", form(part("a", noise(n, 1), "f"), part("b", noise(n, 2), "f")))
            assert answer.status == 201 and up.store == {"/a/1": noise(n, 1), "/b/2": noise(n, 2)}, answer.body
            up.store.clear()
            answer = post(p.port, "/form", form(part("a", noise(n), "f"), part("bad", noise(n), "f")))
            assert answer.status == 502 and "answered 400" in answer.json()["detail"], answer.body
            wait_for(lambda: up.store == {}, "what went before is taken back")


def test_no_trailer_leaves_without_a_commit():
    data = noise(100_000)
    with Upstream() as up, Penstock(SAYS, upstream=up) as p:
        body = form(part("a", data, "f"))
        with connect(p.port) as s:
            s.sendall(head_of("/form", len(body) + 100) + body[:-10])
            wait_for(lambda: up.seen and len(up.seen[0].body) > 0, "it is on its way")
        wait_for(lambda: up.seen[0].cut, "it was broken off")
        assert up.seen[0].trailers == [] and not up.seen[0].complete and up.store == {}, up.seen[0].trailers


def test_explain_says_where_a_digest_would_stand():
    with Upstream() as up, Penstock(SAYS, upstream=up) as p:
        for n in (10, 20_000):
            body, path = form(part("a", noise(n), "f")), os.path.join(p.dir, "request")
            with open(path, "wb") as f:
                f.write(head_of("/form", len(body)) + body)
            out = subprocess.run([BINARY, "explain", "--human", p.file, path], stdout=subprocess.PIPE, check=True).stdout.decode()
            assert f"Content-Digest: {dictionary(noise(n), 'sha-256')}" in out and ("Trailer: Content-Digest" in out) == (n > 16384), out


# -- digests in other fields ----------------------------------------------------------------------------------------

FIELD = """destinations:
  files: { type: directory, path: "{dir}/out" }
  store: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - id: form
    match: { path: /form }
    digest: [sha256, sha512, sha1, md5]
    fields:
      - { name: a, kind: file, verify: { field: "*-d" }, store: { to: files, key: "{uuid}" } }
      - { name: b, kind: file, digest: sha256, verify: { field: "*-d", missing: refuse }, store: { to: store, path: "/{part}" } }
      - { name: "*", kind: value, drop: true }
"""


def spellings(data):
    for kind in ("sha256", "sha512", "sha1", "md5"):
        digest = hashlib.new(kind, data).digest()
        yield from (digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode(), base64.b64encode(digest).decode().rstrip("="))


def test_what_another_field_says_of_a_file_has_to_be_so():
    data, other = noise(100_000, 1), noise(100_000, 2)
    good = hashlib.sha256(data).hexdigest().encode()
    bad, b64 = hashlib.sha256(other).hexdigest().encode(), base64.b64encode(hashlib.sha256(other).digest())
    a, wrong = part("a", data, "f"), 'field "a": its bytes have another sha256 than "a-d" says'
    with Upstream() as up, Penstock(FIELD, upstream=up) as p:
        for said in spellings(data):
            for parts in ((a, part("a-d", said.encode())), (part("a-d", said.encode()), a)):
                assert post(p.port, "/form", form(*parts), chunk=4096).status == 201, said
        assert post(p.port, "/form", form(a, part("x", b"1"))).status == 201, "it says none"
        assert post(p.port, "/form", form(part("a-d", bad), part("x", b"1"))).status == 201, "of no file"
        twice = [a, part("a", other, "g"), part("a-d", good), part("a-d", bad)]
        assert post(p.port, "/form", form(*twice)).status == 201, "the n-th of the n-th"
        for name in os.listdir(p.out):
            os.unlink(os.path.join(p.out, name))
        for said in (bad, b64, b64.rstrip(b"="), good[:-1] + b"g", good[:-1] + b"\0"):
            for parts in ((a, part("a-d", said)), (part("a-d", said), a)):
                refused(p, up, post(p.port, "/form", form(*parts)), wrong)
        refused(p, up, post(p.port, "/form", form(*twice[:2], *twice[:1:-1])), wrong)
        for said in (b"", good[:-1], good + b" ", b"x" * 100_000):
            refused(p, up, post(p.port, "/form", form(a, part("a-d", said))), 'field "a": there is no digest in "a-d"')
        for parts in (twice[:3], [a, part("a-d", good), part("a-d", good)]):
            refused(p, up, post(p.port, "/form", form(*parts)), 'field "a": there are more or fewer files of this name than values in "a-d"')
        b = part("b", data, "f")
        for parts in ([b], [b, part("a-d", good)], [b, part("b-D", good)]):
            refused(p, up, post(p.port, "/form", form(*parts)), 'field "b": its rule wants a digest of it in "b-d"')
        refused(p, up, post(p.port, "/form", form(b, part("b-d", hashlib.md5(data).hexdigest().encode()))),
                'field "b": its rule does not make the digest that stands in "b-d"')
        assert post(p.port, "/form", form(part("b-d", good), b, a)).status == 201


def test_many_files_and_what_is_said_of_them():
    datas = [b"%d" % i for i in range(400)]
    said = [part("a-d", hashlib.md5(data).hexdigest().encode()) for data in datas]
    files = [part("a", data, "f") for data in datas]
    with Upstream() as up, Penstock(FIELD, upstream=up) as p:
        assert post(p.port, "/form", form(*said, *files)).status == 201
        assert len(p.files()) == 400
        for name in os.listdir(p.out):
            os.unlink(os.path.join(p.out, name))
        said[300], said[301] = said[301], said[300]
        refused(p, up, post(p.port, "/form", form(*files, *said)), 'field "a": its bytes have another md5 than "a-d" says')
