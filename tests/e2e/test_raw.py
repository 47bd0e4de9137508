# SPDX-License-Identifier: MIT
"""Bodies that are one file (`body: { raw: NAME }`): what is stored under which name, and every way in which one is refused."""
import itertools

from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  more: { type: directory, path: "{dir}/more" }
  store: { type: http, url: "http://127.0.0.1:{up}/s", undo: DELETE }
  app: { type: http, url: "http://127.0.0.1:{up}/s" }
routes:
  - { id: put, match: { path: "/files/*", method: [PUT, POST] }, body: { raw: file }, limits: { body: 3000000 },
      fields: [ { name: "f*", kind: file, max_size: 2000000, digest: [sha256], store: { to: files, key: "{path.1}={file.name}" } } ] }
  - { id: deep, match: { path: "/deep/**", method: PUT }, body: { raw: file }, fields: [ { name: file, store: { to: files, key: "{field}-{part}={file.name}.{file.ext}" } } ] }
  - { id: some, match: { path: /some, method: PUT }, body: { raw: file }, fields: [ { name: file, min_size: 5, store: { to: files, key: "some" } } ] }
  - { id: sized, match: { path: /sized, method: PUT }, body: { raw: file }, limits: { length: required }, fields: [ { name: file, required: true, store: { to: files, key: "sized" } } ] }
  - { id: headed, match: { path: /headed, method: PUT }, body: { raw: file }, fields: [ { name: file, store: { to: files, key: "{header.x-name}" } } ] }
  - { id: http, match: { path: "/http/*", method: PUT }, body: { raw: file }, fields: [ { name: file, store: { to: store, path: "/{path.1}" } } ] }
  - { id: post, match: { path: "/post", method: PUT }, body: { raw: file }, fields: [ { name: file, store: { to: app, method: POST, path: "/made" } } ], response: { from: upstream } }
  - { id: joined, match: { path: /joined, method: PUT }, body: { raw: file }, fields: [ { name: file, concat: { to: store, path: "/joined" } } ] }
  - { id: each, match: { path: /each, method: PUT }, body: { raw: file }, commit: each, fields: [ { name: file, store: { to: more, key: "{uuid}" } } ], response: { redirect: "/done/{request_id}" } }
  - { id: forms, match: { path: /forms, method: [PUT, POST] }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""


def head(path, length=None, type=None, extra="", method="PUT"):
    framing = f"Content-Length: {length}\r\n" if length is not None else "Transfer-Encoding: chunked\r\n"
    type = f"Content-Type: {type}\r\n" if type is not None else ""
    return f"{method} {path} HTTP/1.1\r\nHost: test\r\n{type}{framing}{extra}\r\n".encode("latin-1")


def put(p, path, body=b"", chunk=None, **how):
    with connect(p.port) as s:
        with contextlib.suppress(ConnectionError):  # refused early: the answer is there all the same
            s.sendall(head(path, None if chunk else len(body), **how) + (chunked(body, chunk) if chunk else body))
        answer = read_answer(s)
        assert answer is not None, "no answer"
        return answer


def told(answer):
    """The one part of a summary."""
    assert answer.status == 201, (answer.status, answer.body)
    (part,) = answer.json()["parts"]
    return part


def named(answer, name):
    return told(answer)["target"] == name or told(answer)


@contextlib.contextmanager
def penstock(**how):
    with Upstream() as up, Penstock(ROUTES, upstream=up, **how) as p:
        yield p, up


def is_refused(p, answer, status, **told):
    problem = answer.json()
    assert answer.status == problem["status"] == status, (answer.status, answer.body)
    for key, value in told.items():
        assert problem.get(key) == value, (key, value, problem)
    assert p.files() == {}, p.files()
    return problem["detail"]


def test_a_body_is_stored_as_it_is():
    with penstock() as (p, _):
        stored = {}
        for n, chunk in itertools.product((0, 1, 16_384, 16_385, 70_000, 2_000_000), (None, 1, 4096, 65_537)):
            if chunk == 1 and n > 20_000:
                continue
            body = noise(n, seed=n + 1)
            name = f"{n}-{chunk}"
            part = told(put(p, f"/files/{name}", body, chunk, type="image/png"))
            assert (part["part"], part["field"], part["filename"], part["type"], part["size"]) == (1, "file", name, "image/png", n), part
            assert part["action"] == "store" and part["target"] == f"{name}={name}" and part["sha256"] == sha256(body), part
            stored[f"{name}={name}"] = body
        assert p.files() == stored
        assert {line["route"] for line in p.requests()} == {"put"} and all(line["status"] == 201 for line in p.requests())


def test_no_bytes_are_a_file_without_bytes():
    with penstock() as (p, up):
        for path, chunk in (("/files/a", None), ("/files/b", 100), ("/deep/x.txt", None), ("/sized", None)):
            assert told(put(p, path, b"", chunk))["size"] == 0
        assert told(put(p, "/http/e"))["size"] == 0 and up.store["/s/e"] == b""
        assert told(put(p, "/joined"))["size"] == 0 and up.store["/s/joined"] == b""
        assert p.files() == dict.fromkeys(("a=a", "b=b", "file-1=x.txt.txt", "sized"), b"")


def test_a_form_in_a_body_that_is_one_file_is_bytes():
    with penstock() as (p, _):
        body = form(part("other", b"1", "a"))
        assert told(put(p, "/files/a", body, type="application/octet-stream"))["size"] == len(body)
        assert p.files() == {"a=a": body}


NAMES = (
    ("attachment; filename=b.txt", "b.txt"), ('attachment; filename="b c.txt"', "b c.txt"), ("inline;filename=b", "b"),
    ("attachment; filename*=UTF-8''%C3%BC.txt", "ü.txt"), ("attachment; filename*=iso-8859-1''%FC.txt", "ü.txt"),
    ('attachment; filename="ü.txt"; filename*=UTF-8\'\'%C3%BC.txt'.encode().decode("latin-1"), "ü.txt"),
    ('form-data; name="field"; filename="b"', "b"), ("attachment", "p"), ("", "p"), ('attachment; filename=""', "p"),
    (r'attachment; filename="C:\dir\b.txt"', "b.txt"), ('attachment; filename="../../b"', "b"), ('attachment; filename="dir/b"', "b"),
)
AMBIGUOUS = ("attachment; filename=a; filename=b", "attachment; filename=a; filename*=UTF-8''b", "attachment; filename*0=a", 'attachment; filename="a',
             "attachment; filename=a b", "attachment; filename=a(.b", "filename=a", "; filename=a", "attachment, filename=a", "attachment; filename='a",
             "attachment; filename*=a", "attachment; filename*=koi8-r''a", 'attachment; filename="a; filename=b"', "attachment; filename=a\r\nContent-Disposition: attachment; filename=a")


def test_content_disposition_names_the_file():
    with penstock() as (p, _):
        for value, name in NAMES:
            assert named(put(p, "/files/p", value.encode(), extra=f"Content-Disposition: {value}\r\n"), f"p={name}") is True, value
            assert p.files() == {f"p={name}": value.encode()}, (value, p.files())
            os.unlink(f"{p.out}/p={name}")


def test_a_content_disposition_that_two_would_read_differently_is_refused():
    with penstock() as (p, _):
        for value in AMBIGUOUS:
            for length in (5, 50_000):
                answer = put(p, "/files/p", b"x" * length, extra=f"Content-Disposition: {value}\r\n")
                is_refused(p, answer, 400, type="urn:penstock:problem:bad-request", route="put")
        with connect(p.port) as s:  # before the client is told to send
            s.sendall(head("/files/p", 5, extra="Expect: 100-continue\r\nContent-Disposition: filename=a\r\n"))
            assert s.recv(65536).startswith(b"HTTP/1.1 400")


def test_the_path_names_the_file_where_nothing_else_does():
    with penstock() as (p, _):
        rows = (("/deep/a/b.txt", "file-1=b.txt.txt"), ("/deep/a/b%20c", "file-1=b c"), ("/deep/%C3%BC.x", "file-1=ü.x.x"), ("/deep/a%2Fb", "file-1=b"),
                ("/deep/a/", "file-1="), ("/deep", "file-1=deep"), ("/deep/a?b=/c", "file-1=a"), ("/deep/a+b", "file-1=a+b"), ("/deep/%2e%2e%2e", "file-1=..."))
        for path, name in rows:
            answer = put(p, path, path.encode())
            assert named(answer, name) is True, (path, told(answer))
        assert p.files() == {name: path.encode() for path, name in rows}


def test_a_path_that_is_no_path_is_refused():
    with penstock() as (p, _):
        for path in ("/deep/../x", "/deep/%2e%2e", "/deep//x", "/deep/%zz", "/deep/%00", "/deep/a%"):
            is_refused(p, put(p, path, b"x"), 400)


def test_templates_may_not_be_made_of_what_is_said_twice():
    with penstock() as (p, _):
        is_refused(p, put(p, "/headed", b"x", extra="X-Name: a\r\nX-Name: a\r\n"), 400)
        assert named(put(p, "/headed", b"x", extra="X-Name: a\r\n"), "a") is True


def test_at_a_limit_and_one_byte_over_it():
    with penstock() as (p, _):
        for chunk in (None, 50_000):
            assert told(put(p, "/files/max", noise(2_000_000), chunk))["size"] == 2_000_000
            os.unlink(p.out + "/max=max")
            is_refused(p, put(p, "/files/max", noise(2_000_001), chunk), 413, field="file", limit="max_size", offset=2_000_000, route="put")
            assert told(put(p, "/some", b"12345", chunk))["size"] == 5
            os.unlink(p.out + "/some")
            is_refused(p, put(p, "/some", b"1234", chunk), 422, field="file", limit="min_size")
        is_refused(p, put(p, "/files/max", noise(3_000_001)), 413, limit="body")
        assert "field" not in put(p, "/files/max", noise(3_000_001)).json()
        answer = put(p, "/files/max", noise(3_000_000), 50_000)
        is_refused(p, answer, 413, limit="max_size")


def test_what_a_head_tells_is_refused_before_the_body():
    with penstock() as (p, _):
        for status, path, length, how in ((413, "/files/a", 3_000_001, {}), (415, "/files/a", 5, {"type": "multipart/form-data; boundary=B"}),
                                          (415, "/files/a", 5, {"extra": "Content-Encoding: gzip\r\n"}), (405, "/files/a", 5, {"method": "PATCH"}),
                                          (400, "/files/a", 5, {"extra": "Content-Disposition: filename\r\nContent-Disposition: filename\r\n"}),
                                          (400, "/files/a", 5, {"extra": "Content-Range: bytes 5-9/10\r\n"}), (400, "/files/a", 5, {"method": "POST", "extra": "Content-Range:\r\n"}),
                                          (411, "/sized", None, {}), (404, "/nope", 5, {})):
            how["extra"] = how.get("extra", "") + "Expect: 100-continue\r\n"
            with connect(p.port) as s:
                s.sendall(head(path, length, **how))
                first = s.recv(65536)
                assert first.startswith(b"HTTP/1.1 %d " % status), (status, first)
                is_refused(p, read_answer(s, first), status)
        with connect(p.port) as s:
            s.sendall(head("/files/a", 5, extra="Expect: 100-continue\r\n"))
            assert s.recv(65536).startswith(b"HTTP/1.1 100")
            s.sendall(b"12345")
            assert told(read_answer(s))["size"] == 5


def test_types():
    with penstock() as (p, _):
        detail = is_refused(p, put(p, "/files/a", form(part("file", b"1", "a")), type=f"multipart/form-data; boundary={BOUNDARY}"), 415, route="put")
        assert "curl -T" in detail, detail
        detail = is_refused(p, put(p, "/forms", b"a=b", type="application/x-www-form-urlencoded"), 415, route="forms")
        assert "multipart/form-data" in detail and "curl -F" in detail, detail
        is_refused(p, put(p, "/forms", b"x", type="image/png"), 415)
        is_refused(p, put(p, "/forms", b"x"), 415)
        is_refused(p, put(p, "/files/a", b"x", extra="Content-Type: a/b\r\nContent-Type: a/b\r\n"), 415)
        for type in ("application/x-www-form-urlencoded", "multipart/mixed; boundary=B", "image/png", "what is this", None):
            assert told(put(p, "/files/a", b"x", type=type))["type"] == type
            os.unlink(p.out + "/a=a")


def test_folder_store_and_each_commit_alike():
    with penstock() as (p, up):
        body = noise(300_000)
        assert told(put(p, "/http/a", body, 10_000, type="image/png"))["upstream_status"] == 201 and up.store["/s/a"] == body
        assert told(put(p, "/joined", body))["size"] == len(body) and up.store["/s/joined"] == body
        answer = put(p, "/each", body)
        assert answer.status == 303 and answer.headers["location"].startswith("/done/")
        (name,) = os.listdir(p.dir + "/more")
        with open(f"{p.dir}/more/{name}", "rb") as f:
            assert f.read() == body
        assert put(p, "/post", b"x" * 100).status == 201 and up.store["/s/made"] == b"x" * 100


def test_a_client_that_leaves_in_the_middle_leaves_nothing():
    with penstock() as (p, up):
        for path in ("/files/a", "/http/a", "/each", "/joined"):
            for sent, length in ((b"", 100), (b"x" * 99, 100), (b"x" * 900_000, 1_000_000)):
                with connect(p.port) as s:
                    s.sendall(head(path, length) + sent)
            with connect(p.port) as s:
                s.sendall(head(path) + b"5\r\n12345\r\n")
        wait_for(lambda: len(p.requests()) == 16, "all have ended")
        assert all(line["status"] == 499 for line in p.requests()), p.requests()
        wait_for(lambda: p.files() == {} and os.listdir(p.dir + "/more") == [] and not up.store, "nothing is left")


def test_a_store_that_fails_refuses_it():
    def fail(request):
        request.read_all()
        request.answer(500)
        return "next"

    with Upstream(script=fail) as up, Penstock(ROUTES, upstream=up) as p:
        is_refused(p, put(p, "/http/a", b"x"), 502, route="http")
        assert not up.store


def test_explain_says_the_same():
    with penstock() as (p, _):
        rows = [(path, body, chunk, how) for path, body, chunk, how in (
            ("/files/a", b"12345", None, {}), ("/files/a", b"12345", 2, {"type": "image/png"}), ("/files/a", b"", None, {}), ("/deep/a/b.txt", b"1", None, {}),
            ("/files/a", b"1", None, {"extra": 'Content-Disposition: attachment; filename="b c"\r\n'}), ("/some", b"1234", None, {}),
            ("/files/a", b"x" * 2_000_001, None, {}), ("/files/a", b"1", None, {"type": "multipart/form-data; boundary=B"}),
            ("/files/a", b"1", None, {"extra": "Content-Disposition: filename\r\n" * 2}), ("/forms", b"a=b", None, {"type": "application/x-www-form-urlencoded"}))]
        for path, body, chunk, how in rows:
            request = head(path, None if chunk else len(body), **how) + (chunked(body, chunk) if chunk else body)
            run = subprocess.run([BINARY, "explain", p.file, "-"], input=request, capture_output=True, check=False)
            said, answer = json.loads(run.stdout), put(p, path, body, chunk, **how)
            assert said["status"] == answer.status, (path, said, answer.body)
            if answer.status == 201:
                known = ("part", "field", "filename", "type", "size", "sha256", "action", "destination", "target")
                assert [{k: one.get(k) for k in known} for one in said["parts"]] == [{k: one.get(k) for k in known} for one in answer.json()["parts"]]
                os.unlink(f"{p.out}/{told(answer)['target']}")
            else:
                problem = answer.json()
                assert (said["reason"], said["limit"], said["offset"]) == (problem["detail"], problem.get("limit"), problem.get("offset")), (said, problem)


def test_curl_sends_files_as_its_manual_says():
    if shutil.which("curl") is None:
        raise Skip("curl is not here")
    with penstock() as (p, _):
        file = p.dir + "/it's a file.txt"
        with open(file, "wb") as f:
            f.write(noise(1_500_000))
        url = f"http://127.0.0.1:{p.port}/files/"
        for command in (["-T", file, url], ["-T", file, url + "b"], ["-T", "-", url + "c"], ["-X", "PUT", "--data-binary", "@" + file, url + "d"],
                        ["--data-binary", "@" + file, url + "e"]):
            with open(file, "rb") as f:
                run = subprocess.run(["curl", "-sS", "-o", "-", "-w", "%{http_code}", *command], stdin=f, capture_output=True, text=True, check=False)
            assert run.stdout.endswith("201"), (command, run.stdout, run.stderr)
        assert {name: len(data) for name, data in p.files().items()} == dict.fromkeys(
            ("it's a file.txt=it's a file.txt", "b=b", "c=c", "d=d", "e=e"), 1_500_000)
