# SPDX-License-Identifier: MIT
"""What is stored is what was sent, to the byte; limits; rules; names."""
from lib import *

DIR = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
"""
BOTH = """destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
"""
SIZES = [0, 1, 2, 1000, 16383, 16384, 16385, 32768, 32769, 65536, 65537, 300_001, 3_000_000]


def test_each_size_reaches_a_folder_exactly():
    with Penstock(DIR + '  - { id: d, match: { path: /d }, digest: sha256, fields: [ { name: "*", store: { to: files, key: "{field}-{part}" } } ] }') as p:
        body = form(*[part(f"f{i}", noise(n, n), f"{i}.bin") for i, n in enumerate(SIZES)])
        answer = post(p.port, "/d", body)
        assert answer.status == 201, answer.body
        files = p.files()
        for i, (n, told) in enumerate(zip(SIZES, answer.json()["parts"])):
            data = noise(n, n)
            assert files[told["target"]] == data and told["sha256"] == sha256(data) and told["size"] == n, told
        assert len(files) == len(SIZES)


def test_each_size_reaches_http_exactly():
    with Upstream() as up, Penstock(BOTH + '  - { id: u, match: { path: /u }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }', up) as p:
        body = form(*[part(f"f{i}", noise(n, n), f"{i}.bin", "image/png") for i, n in enumerate(SIZES)])
        for chunk in (None, 1, 77, 50_000) if not SMALL else (None, 50_000):
            if chunk == 1:
                body_small = form(part("a", noise(3000)))
                assert post(p.port, "/u", body_small, chunk=1).status == 201
                continue
            up.store.clear()
            answer = post(p.port, "/u", body, chunk=chunk)
            assert answer.status == 201, answer.body
            assert {k: sha256(v) for k, v in up.store.items()} == {f"/{i + 1}": sha256(noise(n, n)) for i, n in enumerate(SIZES)}
            assert all(t["upstream_status"] == 201 for t in answer.json()["parts"])
        large = [r for r in up.seen if len(r.body) > 16384]
        small = [r for r in up.seen if len(r.body) <= 16384]
        assert all(r.is_chunked for r in large) and all("content-length" in r.headers for r in small)
        assert all(r.headers["content-type"] == "image/png" for r in large)


def test_concat_joins_in_order_and_keeps_apart_rules_apart():
    routes = BOTH + """  - id: c
    match: { path: /c }
    fields:
      - { name: a, concat: { to: up, method: POST, path: "/a" } }
      - { name: b, concat: { to: files, key: "b" } }
      - { name: c, store: { to: files, key: "c-{part}" } }
"""
    with Upstream() as up, Penstock(routes, up) as p:
        pieces = [("abc"[i % 3], noise(n, i)) for i, n in enumerate([5, 7, 9, 100_000, 200_000, 40_000, 1, 0, 3, 70_000])]
        answer = post(p.port, "/c", form(*[part(k, d) for k, d in pieces]))
        assert answer.status == 201, answer.body
        assert up.store["/a"] == b"".join(d for k, d in pieces if k == "a")
        assert p.files()["b"] == b"".join(d for k, d in pieces if k == "b")
        assert up.seen[0].method == "POST" and len(p.files()) == 4


def test_a_hundred_fields_hold_no_hundred_connections():
    with Upstream() as up, Penstock(BOTH + '  - { id: u, match: { path: /u }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }', up) as p:
        answer = post(p.port, "/u", form(*[part(f"f{i}", noise(10 + i, i)) for i in range(100)]))
        assert answer.status == 201, answer.body
        assert up.store == {f"/{i + 1}": noise(10 + i, i) for i in range(100)}


def test_buffer_sends_a_length():
    routes = BOTH + '  - { id: u, match: { path: /u }, fields: [ { name: "*", buffer: true, max_size: 1MiB, max_count: 1, store: { to: up, path: "/{field}" } } ] }'
    with Upstream() as up, Penstock(routes, up) as p:
        data = noise(1_000_000)
        assert post(p.port, "/u", form(part("a", data))).status == 201
        assert up.store["/a"] == data and up.seen[0].headers["content-length"] == "1000000"
        assert post(p.port, "/u", form(part("a", noise(1048577)))).status == 413


def test_limits_exactly_at_and_one_over():
    routes = DIR + """  - id: l
    match: { path: /l }
    limits: { body: 5000, parts: 3, part_head: 256, values: 100 }
    fields:
      - { name: f, kind: file, max_size: 1000, max_count: 2, store: { to: files, key: "{uuid}" } }
      - { name: v, kind: value, drop: true }
"""
    with Penstock(routes) as p:
        def check(body, status, limit=None, offset=None, **how):
            before = p.files()
            answer = post(p.port, "/l", body, **how)
            assert answer.status == status, (answer.status, answer.body, status)
            if status != 201:
                told = answer.json()
                assert p.files() == before, "something is visible"
                assert limit is None or told["limit"] == limit, told
                assert offset is None or told["offset"] == offset, told
                assert told["status"] == status and told["route"] == "l" and told["request_id"], told

        for chunk in (None, 1000):
            check(form(part("f", noise(1000), "x")), 201, chunk=chunk)
            over = part("f", noise(1001), "x")
            check(form(over), 413, "max_size", len(over) - 2 - 1, chunk=chunk)
            check(form(part("v", b"x" * 100)), 201, chunk=chunk)
            check(form(part("v", b"x" * 101)), 413, "values", chunk=chunk)
            check(form(part("v", b"x" * 60), part("v", b"x" * 41)), 413, "values", chunk=chunk)
            check(form(*[part("v", b"")] * 3), 201, chunk=chunk)
            check(form(*[part("v", b"")] * 4), 413, "parts", chunk=chunk)
            check(form(*[part("f", b"1", "x")] * 2), 201, chunk=chunk)
            check(form(*[part("f", b"1", "x")] * 3), 413, "max_count", chunk=chunk)
            pad = 256 - len(part("v", b"", disposition='form-data; name="v"; x=')) + len(BOUNDARY) + 4 + 4
            check(form(part("v", b"", disposition='form-data; name="v"; x=' + "y" * pad)), 201, chunk=chunk)
            check(form(part("v", b"", disposition='form-data; name="v"; x=' + "y" * (pad + 1))), 413, "part_head", chunk=chunk)
            exact = form(part("f", noise(900), "x")) + b"e" * 5000
            check(exact[:5000], 201, chunk=chunk)
            check(exact[:5001], 413, "body", 5000 if chunk else None, chunk=chunk)


def test_rules_choose_by_name_kind_and_count():
    routes = DIR + """  - id: r
    match: { path: /r }
    fields:
      - { name: first, nth: 1, store: { to: files, key: "first" } }
      - { name: first, store: { to: files, key: "later-{part}" } }
      - { name: "doc*", kind: file, store: { to: files, key: "{field}-{part}" } }
      - { name: secret, reject: true }
      - { name: token, kind: value, required: true, drop: true }
"""
    with Penstock(routes) as p:
        t = part("token", b"t")
        assert post(p.port, "/r", form(t, part("first", b"1"), part("first", b"2"), part("docs", b"d", "d.txt"))).status == 201
        assert p.files() == {"first": b"1", "later-3": b"2", "docs-4": b"d"}
        for bad in (form(part("first", b"1")), form(t, part("other", b"")), form(t, part("secret", b"")), form(t, part("docs", b"value"))):
            answer = post(p.port, "/r", bad)
            assert answer.status == 422 and answer.json()["field"], answer.body
        assert len(p.files()) == 3


def test_two_parts_of_a_form_never_get_one_name():
    routes = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - id: d
    match: { path: /d }
    fields:
      - { name: a, max_count: 1, store: { to: files, path: "{file.name}" } }
      - { name: b, max_count: 1, store: { to: files, path: "{field}.{query.q}" } }
      - { name: c, store: { to: files, path: "{part}" } }
  - id: u
    match: { path: /u }
    fields:
      - { name: a, max_count: 1, store: { to: up, path: "/{file.name}" } }
      - { name: "*", store: { to: up, path: "/{uuid}" } }
"""
    with Upstream() as up, Penstock(routes, up) as p:
        answer = post(p.port, "/d?q=txt", form(part("a", b"one", "b.txt"), part("b", b"two")))
        assert answer.status == 422 and answer.json()["field"] == "b", answer.body
        answer = post(p.port, "/d?q=txt", form(part("c", b"one"), part("a", b"two", "1")))
        assert answer.status == 422 and answer.json()["field"] == "a", answer.body
        assert p.files() == {}
        inputs = [part("a", b"", ""), part("b", b"two"), part("a", b"one", "b.txx")]
        assert post(p.port, "/d?q=txt", form(*inputs)).status == 201
        assert p.files() == {"b.txt": b"two", "b.txx": b"one"}
        assert post(p.port, "/u", form(part("a", b"one", "x"), part("n", b"2"), part("n", b"3"))).status == 201
        assert len(up.store) == 3


def test_two_destinations_that_are_one_place_get_no_name_twice():
    routes = """destinations:
  a: { type: directory, path: "{dir}/out" , exists: replace }
  b: { type: directory, path: "{dir}/link/.", exists: replace }
  c: { type: directory, path: "{dir}/out/c" , exists: replace }
  up: { type: http, url: "http://127.0.0.1:{up}/x%41" }
  all: { type: http, url: "http://localhost:{up}" }
routes:
  - id: d
    match: { path: /d }
    fields:
      - { name: a, max_count: 1, store: { to: a, path: "{file.name}" } }
      - { name: b, max_count: 1, store: { to: b, path: "{query.q}" } }
  - id: in
    match: { path: /in }
    fields:
      - { name: a, max_count: 1, store: { to: a, path: "c/{file.name}" } }
      - { name: b, max_count: 1, store: { to: c, path: "{query.q}" } }
  - id: u
    match: { path: /u }
    fields:
      - { name: a, max_count: 1, store: { to: up, path: "/{file.name}" } }
      - { name: b, max_count: 1, store: { to: all, path: "/xA/{query.q}" } }
"""

    class Linked(Penstock):
        def command(self):
            os.symlink("out", os.path.join(self.dir, "link"))
            return super().command()

    with Upstream() as up, Linked(routes, up) as p:
        for path in ("/d", "/in", "/u"):
            answer = post(p.port, path + "?q=same", form(part("a", b"one", "same"), part("b", b"two")))
            assert answer.status == 422 and answer.json()["field"] == "b", (path, answer.body)
            assert not p.files() and not up.store, (path, p.files(), up.store)
            assert post(p.port, path + "?q=other", form(part("a", b"one", "same"), part("b", b"two"))).status == 201
            assert sorted([*p.files().values(), *up.store.values()]) == [b"one", b"two"]
            up.store.clear()
            for name in os.listdir(p.out):
                shutil.rmtree(os.path.join(p.out, name)) if name == "c" else os.unlink(os.path.join(p.out, name))
            os.makedirs(os.path.join(p.out, "c"), exist_ok=True)
            if path == "/d":
                read = len(p.lines("the new route table is in force")) + RELOAD  # one may be under way, which has opened it before
                p.process.send_signal(signal.SIGHUP)
                wait_for(lambda: len(p.lines("the new route table is in force")) > read, "the folder is opened again")


def test_a_name_that_leads_through_a_file_is_a_conflict():
    with Penstock(DIR + '  - { id: d, match: { path: "/**" }, fields: [ { name: "*", max_count: 1, store: { to: files, key: "{query.a}/{query.b}" } } ] }') as p:
        with open(os.path.join(p.out, "file"), "wb") as f:
            f.write(b"in the way")
        answer = post(p.port, "/?a=file&b=x", form(part("f", b"1")))
        assert answer.status == 409 and "exists already as something else" in answer.json()["detail"] and answer.json()["field"] == "f", answer.body
        assert p.files() == {"file": b"in the way"}


# -- two processes, one folder ------------------------------------------------------------------------------------------

REPLACE = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
routes:
  - id: d
    match: { path: /d }
    fields:
      - { name: a, max_count: 1, store: { to: files, key: "a" } }
      - { name: b, max_count: 1, store: { to: files, key: "sub/b" } }
      - { name: c, max_count: 1, store: { to: files, key: "c" } }
"""


class Second:
    """Another penstock with the destinations of one that runs."""

    def __init__(self, p):
        self.port = free_port()
        self.file = os.path.join(p.dir, "second.yaml")
        with open(p.file, encoding="utf-8") as f, open(self.file, "w", encoding="utf-8") as out:
            out.write(f.read().replace(f'"127.0.0.1:{p.port}", "unix:{p.dir}/in.sock"', f'"127.0.0.1:{self.port}"'))

    def __enter__(self):
        self.process = subprocess.Popen([BINARY, "run", self.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: can_connect(self.port), "the second one listens")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)


def test_two_processes_that_replace_the_same_names_mix_no_forms():
    with Penstock(REPLACE) as p, Second(p) as second:
        for i in range(rounds(150)):
            forms = [[str(i).encode() + who] * 3 for who in (b" one", b" two")]
            answers = [None, None]

            def send(k, port):
                answers[k] = post(port, "/d", form(*[part(name, data, "f") for name, data in zip("abc", forms[k])]))
            threads = [threading.Thread(target=send, args=(k, port)) for k, port in enumerate((p.port, second.port))]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert [a.status for a in answers] == [201, 201], [a.body for a in answers]
            wait_for(lambda: len(p.files()) == 3, "nothing is left beside")
            assert sorted(p.files().values()) in forms, p.files()


def test_a_folder_that_another_process_holds_is_told_and_not_waited_for_for_ever():
    import fcntl
    with Penstock(REPLACE) as p:
        body = form(part("a", b"1"), part("b", b"2"))
        fd = os.open(p.out, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        for _ in range(3):
            answer = post(p.port, "/d", body)
            assert answer.status == 503 and "another process has locked its folder" in answer.json()["detail"], answer.body
            assert p.files() == {}, p.files()
        os.close(fd)
        assert post(p.port, "/d", body).status == 201


def test_default_drop_reads_and_forgets():
    with Penstock(DIR + '  - { id: d, match: { path: /d }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ], default: drop }') as p:
        answer = post(p.port, "/d", form(part("x", noise(500_000), "x"), part("a", b"A"), part("y", b"")))
        assert answer.status == 201 and [t["action"] for t in answer.json()["parts"]] == ["drop", "store", "drop"]
        assert list(p.files().values()) == [b"A"]


def test_an_input_left_empty_by_a_browser_is_no_file():
    rules = """  - id: d
    match: { path: /d }
    fields:
      - { name: f, max_count: 1, store: { to: files, key: "f-{file.name}" } }
      - { name: c, concat: { to: files, key: "c" } }
      - { name: n, nth: 2, store: { to: files, key: "second" } }
      - { name: n, store: { to: files, key: "n-{part}" } }
      - { name: no, reject: true }
  - id: must
    match: { path: /must }
    fields: [ { name: f, required: true, store: { to: files, key: "{uuid}" } } ]
"""
    with Penstock(DIR + rules) as p:
        empty = {name: part(name, b"", "", "application/octet-stream") for name in ("f", "c", "n", "no", "unknown")}
        assert post(p.port, "/d", form(*empty.values())).status == 201
        assert p.files() == {}
        named = [empty["f"], part("f", b"1", "x"), empty["f"], empty["n"], part("n", b"2", "x"), empty["n"], part("n", b"3", "x"), empty["c"], part("c", b"4", "")]
        answer = post(p.port, "/d", form(*named))
        assert answer.status == 201 and [t["action"] for t in answer.json()["parts"]] == [
            "drop", "store", "drop", "drop", "store", "drop", "store", "drop", "concat"], answer.body
        assert p.files() == {"f-x": b"1", "n-5": b"2", "second": b"3", "c": b"4"}
        for field, status in (("no", 422), ("unknown", 422), ("f", 201)):
            answer = post(p.port, "/d", form(part(field, b"x", "")))
            assert answer.status == status and (status == 201 or answer.json()["offset"] == 0), answer.body
        answer = post(p.port, "/must", form(empty["f"]))
        assert answer.status == 422 and "required" in answer.json()["detail"], answer.body


def test_min_size_refuses_what_is_shorter():
    rules = """  - id: d
    match: { path: /d }
    fields:
      - { name: v, required: true, min_size: 1, max_count: 1, store: { to: files, key: "{uuid}" } }
      - { name: f, min_size: 40KiB, store: { to: files, key: "{uuid}" } }
      - { name: c, min_size: 3, concat: { to: files, key: "{uuid}" } }
      - { name: o, min_size: 1, drop: true }
      - { name: any, store: { to: files, key: "{uuid}" } }
  - { id: each, match: { path: /each }, commit: each, fields: [ { name: f, min_size: 40KiB, store: { to: files, key: "{uuid}" } } ] }
"""
    value = part("v", b"1")
    with Penstock(DIR + rules) as p:
        for path, parts, words in (("/d", [part("v", b"")], "required and empty"), ("/d", [part("v", b"", "x")], "required and empty"),
                                   ("/d", [part("v", b"", "")], "required and missing"), ("/d", [value, part("o", b"")], "it is empty"),
                                   ("/d", [value, part("c", b"123"), part("c", b"12")], "under min_size of 3 bytes"),
                                   ("/d", [value, part("any", b"1"), part("f", noise(40959), "x")], "under min_size of 40960 bytes"),
                                   ("/each", [part("f", noise(40959), "x")], "under min_size of 40960 bytes")):
            answer = post(p.port, path, form(*parts))
            assert answer.status == 422 and words in answer.json()["detail"], answer.body
            assert "missing" in words or answer.json()["limit"] == "min_size", answer.body
            assert p.files() == {}, p.files()
        answer = post(p.port, "/d", form(value, part("any", b""), part("f", noise(40960), "x"), part("f", b"", ""), part("c", b"123")))
        assert answer.status == 201 and len(p.files()) == 4, answer.body


def test_a_long_name_leaves_room_for_the_reason():
    name = "\u00e9" * 300
    with Penstock(DIR + '  - { id: d, match: { path: /d }, fields: [ { name: f, drop: true } ] }') as p:
        answer = post(p.port, "/d", form(part(name, b"x"))).json()
        assert answer["detail"] == 'field "' + "\u00e9" * 32 + '...": no rule of this route takes it', answer
        assert answer["field"] == "\u00e9" * 63


def test_no_name_leaves_its_segment():
    routes = BOTH + """  - id: d
    match: { path: "/d/*/x" }
    fields:
      - { name: "*", store: { to: files, key: "a/{path.1}/{query.q}/{header.x-h}/{file.name}/{field}-{part}" } }
  - id: u
    match: { path: "/u/*" }
    fields:
      - { name: "*", store: { to: up, path: "/p/{path.1}/{query.q}/{file.name}/{field}-{part}" } }
"""
    nasty = ["../../x", "..", ".", "", "a/b", "..\\..\\x", "%2e%2e", "a%2Fb", ".penstock-x", "\u00e9\u4e2d", "x" * 200, "a b;c?d#e", "..%00", "c:\\dir\\f.txt"]
    with Upstream() as up, Penstock(routes, up) as p:
        outside = set(os.listdir(p.dir))
        for name in nasty:
            for path in ("/d/%2E%2Ex/x?q=..%2F..%2Fetc", "/u/a%2F..%2Fb?q=../../.."):
                answer = post(p.port, path, form(part(name, b"data", name)), extra="X-H: ../../up\r\n")
                assert answer.status in (201, 422), (name, answer.body)
        assert set(os.listdir(p.dir)) == outside
        for path in p.files():
            parts = path.split("/")
            assert parts[0] == "a" and len(parts) == 6 and not any(s.startswith(".penstock") for s in parts), path
        for path in up.store:
            segments = path.split("/")
            assert len(segments) == 6 and segments[1] == "p" and not any(s in ("", ".", "..") for s in segments[1:]), path
        for path in ("/d/../x", "/d/%2e%2e/x", "/d//x", "/d/%00/x", "/d/%zz/x"):
            assert post(p.port, path, form(part("a", b""))).status == 400, path


def test_names_are_decoded_as_clients_mean_them():
    with Penstock(DIR + '  - { id: d, match: { path: /d }, fields: [ { name: "*", drop: true } ] }') as p:
        cases = {
            'form-data; name=plain': ("plain", None),
            'form-data;name="tight";filename="f"': ("tight", "f"),
            'Form-Data; NAME="x"; FileName="y"': ("x", "y"),
            'form-data; name="q\\"q"; filename="a\\\\b"': ('q"q', "a\\b"),
            'form-data; name="%22x%0D%0A"; filename="100%.txt"': ('"x\r\n', "100%.txt"),
            "form-data; name=\"s\"; filename*=UTF-8''na%C3%AFve%20file": ("s", "na\u00efve file"),
            "form-data; name=\"s\"; filename=\"same\"; filename*=UTF-8''same": ("s", "same"),
            "form-data; name=\"l\"; filename*=iso-8859-1'en'%A3": ("l", "\u00a3"),
            'form-data; name="\u65e5\u672c"; filename="C:\\dir\\a.txt"': ("\u65e5\u672c", "C:\\dir\\a.txt"),
            'form-data  ;  name="spaced" ; filename="f" ;': ("spaced", "f"),
        }
        for disposition, want in cases.items():
            answer = post(p.port, "/d", form(part("", b"1", disposition=disposition)))
            assert answer.status == 201, (disposition, answer.body)
            told = answer.json()["parts"][0]
            assert (told["field"], told["filename"]) == want, (disposition, told)
        for bad in ("form-data; name=\"s\"; filename=\"plain\"; filename*=UTF-8''star", 'form-data; name="a"; name="b"', 'form-data; name="a"; filename="x"; filename="y"', "attachment; name=a", "form-data",
                    'form-data; name="open', 'form-data; name="a\\"; name="evil"; name="real"', 'form-data; name="a" x', "form-data; filename=f", 'form-data; name = "a"',
                    'form-data; name="a"; filename= "f"', 'form-data; name="a"; filename ="f"', 'form-data;\tname="a"'):
            answer = post(p.port, "/d", form(part("", b"1", disposition=bad)))
            assert answer.status == 400 and "offset" in answer.json(), (bad, answer.status)


def test_a_date_stands_in_a_name_as_it_is_written_however_long():
    long = "x" * 300
    routes = BOTH + f"""  - id: u
    match: {{ path: /u }}
    fields:
      - {{ name: a, store: {{ to: up, path: "/{{date:{long}-%Y:%F}}/{{part}}" }} }}
      - {{ name: b, store: {{ to: files, key: "{{date:%F t%j}}/{{part}}" }} }}
"""
    with Upstream() as up, Penstock(routes, up) as p:
        before, answer, after = time.gmtime(), post(p.port, "/u", form(part("a", b"1"), part("b", b"2"))), time.gmtime()
        assert answer.status == 201, answer.body
        assert list(up.store)[0] in [time.strftime(f"/{long}-%Y:%Y-%m-%d/1", t) for t in (before, after)], list(up.store)
        assert list(p.files())[0] in [time.strftime("%Y-%m-%d t%j/2", t) for t in (before, after)], p.files()


FORGET = DIR.replace("routes:", "  gone: { type: discard }\nroutes:")


def test_a_discard_takes_part_in_a_form_and_keeps_nothing():
    with Penstock(FORGET + """  - id: d
    match: { path: /d }
    digest: sha256
    fields:
      - { name: keep, max_count: 1, store: { to: files, key: one } }
      - { name: all, concat: { to: gone, key: all } }
      - { name: "*", store: { to: gone, key: "{part}" } }
""") as p:
        body = form(part("keep", b"kept", "k"), *[part(f"f{i}", noise(n, n), f"{i}.bin") for i, n in enumerate(SIZES)],
                    part("all", noise(1, 70_000), "a"), part("all", b"x", "b"))
        answer = post(p.port, "/d", body)
        assert answer.status == 201, answer.body
        for n, told in zip(SIZES, answer.json()["parts"][1:]):
            assert told["size"] == n and told["sha256"] == sha256(noise(n, n)), told
        assert p.files() == {"one": b"kept"}
        assert post(p.port, "/d", body).status == 409, "the file is there, and the discards are taken back"
        assert post(p.port, "/d", body[:-20]).status == 400, "a form that is cut is cancelled"
        assert p.files() == {"one": b"kept"}
