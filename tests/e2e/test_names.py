# SPDX-License-Identifier: MIT
"""What clients bring into names: it stays in its segment in real stores and in folders, is refused where that is asked for,
and is not taken from one of two headers."""
import re
import urllib.parse

from agreement import *
from dav import *

# What any of a client's text may try. Each is a field, a file name, a query parameter, a header, and a piece of the path.
NASTY = ["../b/evil", "..%2Fb%2Fevil", "..%252Fb%252Fevil", "..%25252Fb%25252Fevil", "%2e%2e/b/evil", "%2e%2e%2fb%2fevil", "%252e%252e%252fb%252fevil",
         "..\\b\\evil", "..%5Cb%5Cevil", "/../../b/evil", "//b/evil", "..", ".", "...", "%2e%2e", "%2E", "..;/b/evil", "..;x", ";/../b/evil", "b/../../b/evil",
         "\u00e9/..", "\xc0\xae", "a?b", "a#b", "a b", "100%", "%", "%%32%66", "a%00b", "~", "a&b=c", "\u202e", "x" * 200]
TENANT = """destinations:
  dav: { type: http, url: "http://127.0.0.1:{up}/files/a", undo: DELETE }
routes:
  - id: field
    match: { path: "/field" }
    fields: [ { name: "*", kind: value, max_count: 1, store: { to: dav, key: "{field}" } } ]
  - id: file
    match: { path: "/file" }
    fields: [ { name: "*", kind: file, max_count: 1, store: { to: dav, key: "{file.name}" } } ]
  - id: path
    match: { path: "/path/*" }
    fields: [ { name: "*", max_count: 1, store: { to: dav, key: "{path.1}" } } ]
  - id: rest
    match: { path: "/rest/**" }
    fields: [ { name: "*", max_count: 1, store: { to: dav, key: "{path.1}" } } ]
  - id: query
    match: { path: "/query" }
    fields: [ { name: "*", max_count: 1, concat: { to: dav, key: "{query.q}" } } ]
  - id: header
    match: { path: "/header" }
    fields: [ { name: "*", max_count: 1, store: { to: dav, key: "{header.x-h}" } } ]
  - id: id
    match: { path: "/id" }
    fields: [ { name: "*", max_count: 1, store: { to: dav, key: "{request_id}" } } ]
  - id: joined
    match: { path: "/joined" }
    fields: [ { name: "*", max_count: 1, store: { to: dav, key: "{query.a}{header.x-h}{field}" } } ]
"""


def quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def attempts(nasty):
    """(path, form, extra head lines) that bring `nasty` into a name in each way there is."""
    plain, ascii = form(part("x", b"new")), nasty.encode("ascii", "ignore").decode().replace("\0", "")
    yield "/field", form(part(nasty, b"new")), ""
    yield "/file", form(part("f", b"new", nasty.replace("\\", "\\\\"))), ""
    yield f"/path/a{quoted(nasty)}", plain, ""
    yield f"/rest/{nasty.lstrip('/')}" if set(nasty) <= set("/%abcdef0123456789vil;") else f"/rest/a{quoted(nasty)}", plain, ""
    yield f"/query?q={quoted(nasty)}", plain, ""
    yield "/header", plain, f"X-H: {ascii}\r\n"
    yield "/id", plain, f"X-Request-Id: {ascii.replace(' ', '')}\r\n" if ascii.replace(" ", "") else ""
    yield f"/joined?a={quoted(nasty[:1])}", form(part(nasty[2:] or "/", b"new")), f"X-H: {ascii[1:2]}\r\n"


def stays_below_its_prefix(make_store):
    with make_store() as store:
        store.make("files/a", None)
        store.make("files/b", None)
        store.make("files/b/evil", b"mine")
        stored = 0
        with Penstock(TENANT, store) as p:
            for nasty in NASTY:
                for path, body, extra in attempts(nasty):
                    answer = post(p.port, path, body, extra=extra)
                    assert answer.status in (201, 400, 502), (path, nasty, answer.body)
                    files = store.files()
                    assert files.pop("files/b/evil", None) == b"mine", f"{path}: {nasty!r} reached what is not its own: {answer.body}"
                    assert all(name.split("/")[:2] == ["files", "a"] and name.count("/") == 2 for name in files), (path, nasty, files)
                    assert len(files) == (answer.status == 201), (path, nasty, answer.status, answer.body, files)
                    stored += len(files)
                    for name in files:
                        os.unlink(os.path.join(store.root, name))
        assert stored > 6 * len(NASTY), f"only {stored} were stored"


def test_no_name_leaves_its_segment_in_nginx():
    stays_below_its_prefix(nginx)


def test_no_name_leaves_its_segment_behind_a_server_that_decodes_before_another_does():
    stays_below_its_prefix(nginx_that_decodes_twice)


def test_no_name_leaves_its_segment_in_apache():
    stays_below_its_prefix(apache)


def test_no_name_leaves_its_segment_in_lighttpd():
    stays_below_its_prefix(lighttpd)


def test_what_is_shipped_lets_nobody_overwrite_or_take_back_an_object_of_another():
    with open(os.path.join(REPO, "docker", "routes.yaml"), encoding="utf-8") as f:
        routes = f.read()
    routes = routes[routes.index("\ndestinations:"):].replace("storage:9000", "127.0.0.1:{up}")
    evil = "/../../victim/1-note"
    env = {**os.environ, "GALLERY_KEY": 32 * "k"}
    with docker_nginx() as store, Penstock(routes, store, head='state: "{dir}/state"', env=env) as p:
        assert post(p.port, "/upload", form(part("note", b"mine")), extra="X-Request-Id: victim\r\n").status == 201
        mine = {"files/victim/1-note.txt": b"mine"}
        assert store.files() == mine
        for field in (evil, evil.replace("/", "%2F"), evil.replace("/", "%252F"), evil.replace("/", "\\")):
            answer = post(p.port, "/upload", form(part(field, b"evil")), extra="X-Request-Id: other\r\n")
            files = store.files()
            assert answer.status == 201 and files.pop("files/victim/1-note.txt", None) == b"mine", (field, files, answer.body)
            assert len(files) == 1 and list(files)[0].startswith("files/other/1-") and list(files)[0].count("/") == 2, files
            os.unlink(os.path.join(store.root, list(files)[0]))
            # nginx cannot store the second one, so the first is taken back
            answer = post(p.port, "/upload", form(part(field, b"evil"), part("file", b"x", "n" * 300)), extra="X-Request-Id: other\r\n")
            assert answer.status == 502 and store.files() == mine, (field, store.files(), answer.body)


BOTH = """destinations:
  files: { type: directory, path: "{dir}/out"%s }
  up: { type: http, url: "http://127.0.0.1:{up}/pre"%s }
routes:
  - id: d
    match: { path: "/d" }
    limits: { concurrent: 1 } # a refusal that keeps its place would show
    fields: [ { name: "*", store: { to: files, key: "{query.n}/{header.x-n}/{part}" } } ]
  - id: u
    match: { path: "/u" }
    fields: [ { name: "*", store: { to: up, path: "{query.n}/{header.x-n}/{part}" } } ]
"""


def test_an_empty_value_is_a_segment_of_its_own():
    with Upstream() as up, Penstock(BOTH % ("", ""), up) as p:
        for query in ("", "?", "?n", "?n=", "?m=1"):
            up.store.clear()
            answers = [post(p.port, path + query, form(part("a", b"x")), extra="X-N: \r\n") for path in ("/d", "/u")]
            assert [a.status for a in answers] == [201, 201], (query, answers[0].body, answers[1].body)
            assert p.files() == {"_/_/1": b"x"} and up.store == {"/pre/_/_/1": b"x"}, (p.files(), up.store)
            shutil.rmtree(os.path.join(p.out, "_"))


def test_unsafe_names_are_refused_where_that_is_asked_for():
    refuse = ", names: { unsafe: refuse }"
    with Upstream() as up, Penstock(BOTH % (refuse, refuse), up) as p:
        cases = [("?n=", "X-N: 1", "{query.n}", "empty"), ("?n=1", "", "{header.x-n}", "empty"), ("?n=1", "X-N: ..", "{header.x-n}", '"."'),
                 ("?n=%2F", "X-N: 1", "{query.n}", "'/'"), ("?n=1", "X-N: %2f", "{header.x-n}", "escape"), ("?n=%252F", "X-N: 1", "{query.n}", "escape")]
        for query, line, placeholder, why in cases:
            for path in ("/d", "/u"):
                answer = post(p.port, path + query, form(part("a", b"x")), extra=line and line + "\r\n")
                told = answer.json()
                assert answer.status == 422 and told["field"] == "a" and told["offset"] == 0 and told["route"] == path[1:], (query, line, told)
                assert placeholder in told["detail"] and why in told["detail"], told
        for path in ("/d", "/u"):
            assert post(p.port, path + "?n=100%25+a", form(part("a", b"x")), extra="X-N: .a\r\n").status == 201
        assert p.files() == {"100%25 a/.a/1": b"x"} and list(up.store) == ["/pre/100%25%20a/.a/1"], (p.files(), up.store)


def test_of_two_headers_or_parameters_no_name_takes_one():
    with Upstream() as up, Penstock(BOTH % ("", ""), up) as p:
        for path in ("/d", "/u"):
            for query, extra in (("?n=1&n=2", "X-N: 1\r\n"), ("?n=1&n=1", "X-N: 1\r\n"), ("?n=1&%6E=2", "X-N: 1\r\n"), ("?n&n=1", "X-N: 1\r\n"),
                                 ("?n=1", "X-N: client\r\nX-N: gateway\r\n"), ("?n=1", "X-N: 1\r\nx-n: 1\r\n"), ("?n=1", "X-N:\r\nX-N: 1\r\n"),
                                 ("?n=%zz", "X-N: 1\r\n"), ("?n=%", "X-N: 1\r\n"), ("?n=a%00", "X-N: 1\r\n")):
                answer = post(p.port, path + query, form(part("a", b"x")), extra=extra)
                assert answer.status == 400 and answer.json()["type"].endswith(":bad-request"), (query, extra, answer.body)
            answer = post(p.port, path + "?m=1&n=1&m=2", form(part("a", b"x")), extra="X-N: 1\r\nX-Other: 1\r\nX-Other: 2\r\n")
            assert answer.status == 201, answer.body  # of those no name is made
        assert p.files() == {"1/1/1": b"x"} and list(up.store) == ["/pre/1/1/1"]


def test_two_names_that_a_server_decodes_to_one_are_one():
    routes = """destinations: { up: { type: http, url: "http://127.0.0.1:{up}" } }
routes:
  - id: u
    match: { path: "/u" }
    fields:
      - { name: a, max_count: 1, store: { to: up, path: "/x;%41" } }
      - { name: "*", max_count: 1, store: { to: up, path: "/{field}" } }
"""
    with Upstream() as up, Penstock(routes, up) as p:
        answer = post(p.port, "/u", form(part("a", b"1"), part("x;A", b"2")))
        assert answer.status == 422 and answer.json()["field"] == "x;A" and up.store == {}, answer.body
        assert post(p.port, "/u", form(part("a", b"1"), part("x;B", b"2"))).status == 201
        assert up.store == {"/x;A": b"1", "/x%3BB": b"2"}, up.store


def test_a_name_is_as_long_as_its_place_bears_and_explain_knows_it():
    routes = """destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", store: { to: files, key: "x/{uuid}-{file.name}" } } ] }
  - { id: u, match: { path: /u }, fields: [ { name: "*", store: { to: up, key: "{uuid}-{file.name}" } } ] }
"""
    with Upstream() as up, Penstock(routes, up) as p:
        # 36 bytes of the UUID and one more; in a URL three for each byte that is not ASCII, and the '/' in front
        for path, name, status in (("/d", "n" * 218, 201), ("/d", "n" * 219, 422), ("/d", "\u5b57" * 72 + ".p", 201), ("/d", "\u5b57" * 80 + ".pdf", 422),
                                   ("/u", "\u5b57" * 80 + ".pdf", 201), ("/u", "n" * 2010, 201), ("/u", "n" * 2011, 422), ("/u", "\u5b57" * 224, 422)):
            told = check_body(p, name, path, None, form(part("file", b"x", name)))
            assert told["status"] == status and told["field"] == (None if status == 201 else "file"), told


LONG = """destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
""" + "".join("""  - id: HOW
    match: { path: /HOW }
    fields:
      - { name: file, max_count: 1, names: { long: HOW }, store: { to: files, key: "HOW/{file.name}" } }
      - { name: up, max_count: 1, names: { long: HOW }, store: { to: up, path: "/HOW/{file.name}" } }
""".replace("HOW", how) for how in ("refuse", "shorten"))
MARK = re.compile("_[0-9a-f]{16}")


def test_a_name_at_its_limit_is_taken_and_one_byte_over_it_refused_or_cut():
    with Upstream() as up, Penstock(LONG, upstream=up) as p:
        for field, most, unit in (("file", 255, "a"), ("file", 255, "\u20ac"), ("up", 2048, "b"), ("up", 2048, "\u00e9")):
            width = len(unit.encode()) * (1 if field == "file" or unit == "b" else 3)
            for how in ("refuse", "shorten"):
                fixed = 4 + (0 if field == "file" else len(f"/{how}/"))  # of the extension, and what stands in front of the name
                n, rest = divmod(most - fixed, width)
                name = "c" * rest + unit * n + ".txt"
                for extra in (0, 1):
                    sent = "c" * extra + name
                    answer = post(p.port, f"/{how}", form(part(field, sent.encode(), sent)))
                    if extra and how == "refuse":
                        assert answer.status == 422 and f"longer than {most} bytes" in answer.json()["detail"], answer.body
                        assert (answer.json()["field"], answer.json()["limit"]) == (field, "names.long"), answer.body
                        continue
                    assert answer.status == 201, answer.body
                    target = answer.json()["parts"][0]["target"]
                    whole = target.removeprefix("shorten/").removeprefix("refuse/") if field == "file" else target
                    assert most - (width if extra else 1) < len(whole.encode()) <= most and whole.endswith(".txt"), whole
                    assert bool(MARK.search(whole)) == bool(extra), whole
                    kept = urllib.parse.unquote(whole, errors="strict") if field == "up" else whole
                    assert not extra or set(MARK.sub("", kept).removeprefix(f"/{how}/")) <= set("c" + unit + ".txt"), kept
                    stored = p.files().get(target) if field == "file" else up.store.get(target)
                    assert stored == sent.encode(), target
        two = [post(p.port, "/shorten", form(part("file", b"x", "a" * 300 + end))).json()["parts"][0]["target"] for end in ("1.txt", "2.txt")]
        assert len(set(two)) == 2 and two[0][:200] == two[1][:200], two
        again = post(p.port, "/shorten", form(part("file", b"x", "a" * 300 + "1.txt")))
        assert again.status == 409, "the same name is cut to the same one"
