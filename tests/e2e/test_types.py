# SPDX-License-Identifier: MIT
"""What a rule takes: by the part's Content-Type, by its file name and by its first bytes. What it does not take is 415, and nothing is stored."""
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  store: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - id: pictures
    match: { path: /pictures }
    fields:
      - { name: photo, types: { declared: ["image/*"] }, extensions: [jpg, png], store: { to: files, key: "{uuid}.{file.ext}" } }
      - { name: note, kind: value, types: { declared: text/plain }, store: { to: files, key: "{uuid}" } }
      - { name: sent, types: { declared: ["image/*"] }, store: { to: store, path: "{uuid}" } }
  - id: detected
    match: { path: /detected }
    fields:
      - { name: file, types: { detected: [image/png, image/jpeg] }, store: { to: files, key: "{uuid}" } }
      - { name: sent, types: { detected: [image/png, image/jpeg] }, store: { to: store, path: "{uuid}" } }
      - { name: sent-whole, types: { detected: image/png }, max_size: 1MiB, buffer: true, store: { to: store, path: "whole-{uuid}" } }
      - { name: joined, types: { detected: [image/png, image/jpeg] }, max_size: 100KiB, concat: { to: store, path: "joined-{uuid}" } }
      - { name: dropped, types: { declared: "image/*", detected: image/png }, drop: true }
      - { name: empty, types: { detected: application/x-empty }, store: { to: files, key: "{uuid}" } }
      - { name: any, store: { to: files, key: "any-{uuid}" } }
  - id: named
    match: { path: /named }
    fields:
      - { name: file, store: { to: files, key: "{part}.{detected.ext}" } }
      - { name: sent, store: { to: store, path: "sent-{part}.{detected.ext}", content_type: detected } }
      - { name: joined, concat: { to: files, key: "joined.{detected.ext}" } }
  - id: each
    match: { path: /each }
    commit: each
    fields:
      - { name: any, store: { to: store, path: "any-{uuid}" } }
      - { name: file, types: { detected: image/png }, store: { to: store, path: "file-{uuid}" } }
      - { name: dropped, drop: true }
  - id: raw-detected
    match: { path: "/raw-detected/*", method: PUT }
    body: { raw: file }
    fields: [ { name: file, types: { detected: image/png }, store: { to: files, key: "{path.1}" } } ]
  - id: raw
    match: { path: "/raw/*", method: PUT }
    body: { raw: file }
    fields: [ { name: file, types: { declared: image/png }, extensions: png, store: { to: files, key: "{path.1}" } } ]
"""
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0" + noise(40_000)

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + noise(300_000, 2)
EXE = b"MZ" + bytes(58) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0\x4c\1" + noise(100_000, 3)
PE = "application/vnd.microsoft.portable-executable"
HELD = 8 * 1024 - 1  # bytes of a part that are held until they have been looked at
SIZES = (24, 1000, HELD - 1, HELD, HELD + 1, 65_536 + HELD, 200_000)


def refused(answer, limit, field, *words):
    problem = answer.json()
    assert answer.status == 415 and answer.headers["content-type"] == "application/problem+json", answer.body
    assert problem["limit"] == limit and problem["field"] == field, problem
    assert all(word in problem["detail"] for word in words), problem


def test_what_a_rule_does_not_take_is_refused_and_nothing_is_stored():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        good = part("photo", PNG, "a.png", "image/png")
        for field, data, name, type, limit, *words in (
            ("photo", PNG, "evil.exe", "image/png", "extensions", ".exe", '"photo"', "jpg, png"),
            ("photo", PNG, "a.png.exe", "image/png", "extensions", ".exe"),
            ("photo", PNG, "a", "image/png", "extensions", "no extension"),
            ("photo", PNG, None, "image/png", "extensions", "no file name"),
            ("photo", PNG, "a.png", "text/html", "types.declared", "text/html", "image/*"),
            ("photo", PNG, "a.png", None, "types.declared", "application/octet-stream"),
            ("photo", PNG, "a.png", "image/png, text/html", "types.declared", "not one media type"),
            ("photo", b"", "a.png", "text/html", "types.declared", "text/html"),
            ("note", b"n", None, "text/html", "types.declared", "text/html"),
            ("sent", noise(300_000), "a.png", "text/html", "types.declared", "text/html"),
        ):
            for body, chunk in ((form(good, part(field, data, name, type)), None), (form(part(field, data, name, type), good), 1000)):
                refused(post(p.port, "/pictures", body, chunk=chunk), limit, field, *words)
        assert p.files() == {} and up.store == {}


def test_what_a_rule_takes_is_stored():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        body = form(part("photo", PNG, "a.PNG", "IMAGE/png; q=1"), part("photo", PNG, "b.exe.jpg", "image/x"), part("note", b"n"), part("sent", PNG, "c", "image/gif"))
        answer = post(p.port, "/pictures", body)
        assert answer.status == 201, answer.body
        assert sorted(name.split(".")[-1] for name in p.files() if "." in name) == ["PNG", "jpg"] and len(p.files()) == 3
        assert [one["type"] for one in answer.json()["parts"]] == ["IMAGE/png; q=1", "image/x", None, "image/gif"]
        assert list(up.store.values()) == [PNG]


def test_a_body_that_is_one_file_is_asked_the_same():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        with open(os.path.join(p.dir, "a.png"), "wb") as f:
            f.write(PNG)
        url = f"http://127.0.0.1:{p.port}/raw"

        def put(name, *options):
            command = ["curl", "-sS", "-o", os.path.join(p.dir, "answer"), "-w", "%{http_code}", "-T", os.path.join(p.dir, "a.png"), *options, f"{url}/{name}"]
            return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout.decode()

        assert put("a.png", "-H", "Content-Type: image/png") == "201"
        assert put("b.exe", "-H", "Content-Type: image/png") == "415"
        assert b".exe" in open(os.path.join(p.dir, "answer"), "rb").read()
        assert put("c.png") == "415"
        assert p.files() == {"a.png": PNG}


def test_explain_tells_the_same():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        body = form(part("photo", PNG, "evil.exe", "image/png"))
        with open(os.path.join(p.dir, "request"), "wb") as f:
            f.write(head_of("/pictures", len(body)) + body)
        told = json.loads(subprocess.run([BINARY, "explain", p.file, os.path.join(p.dir, "request")], stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout)
        assert (told["status"], told["limit"], told["field"], told["offset"]) == (415, "extensions", "photo", 0), told


def test_bytes_that_are_something_else_are_refused_and_nothing_goes_on():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for field in ("file", "sent", "sent-whole", "joined", "dropped"):
            for data in (EXE, EXE[:300], EXE[:HELD], EXE[:HELD + 1], EXE[:HELD - 1]):
                bad = part(field, data, "a.jpg", "image/png")
                for body in (form(bad), form(part("any", b"x"), part("joined", PNG, "a.png"), bad)):
                    for chunk in (None, 1000):
                        refused(post(p.port, "/detected", body, chunk=chunk), "types.detected", field, PE, "declared as image/png", "takes image/png")
        refused(post(p.port, "/detected", form(part("file", EXE, "evil.exe"))), "types.detected", "file", "declared as nothing")
        refused(post(p.port, "/detected", form(part("file", b"", "a.png", "image/png"))), "types.detected", "file", "application/x-empty")
        wait_for(lambda: p.files() == {}, "nothing is left of those that were refused")
        assert up.store == {}


def test_of_a_part_that_is_refused_beside_one_that_is_stored_is_told_that_it_is_not():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        answer = post(p.port, "/each", form(part("any", b"x"), part("dropped", b"y"), part("file", EXE[:300], "a.png")))
        refused(answer, "types.detected", "file", PE)
        stored, dropped, bad = answer.json()["parts"]
        assert stored["state"] == "committed" and "state" not in dropped, answer.body
        assert (bad["state"], bad["target"], bad["upstream_status"], bad["location"]) == ("aborted", None, None, None), answer.body
        assert list(up.store.values()) == [b"x"]


def test_bytes_that_are_what_the_rule_takes_arrive_whole():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for size in SIZES:
            jpeg, png = JPEG[:size], (PNG + JPEG)[:size]
            body = form(part("any", b"x"), part("joined", png, "1"), part("file", jpeg, "evil.exe", "text/html"), part("joined", jpeg, "2"),
                        part("sent", png, "x"), part("sent-whole", png, "y"), part("dropped", png, "z", "image/x"), part("empty", b"", "e"))
            for chunk in (None, 1 if size == 1000 else 997, 16_384):
                if size > 66_000:
                    continue
                check_whole(p, up, body, png, jpeg, chunk)
        # and one that streams to the store before it has ended
        assert post(p.port, "/detected", form(part("sent", JPEG, "a"))).status == 201
        assert list(up.store.values()) == [JPEG]


def check_whole(p, up, body, png, jpeg, chunk):
    answer = post(p.port, "/detected", body, chunk=chunk)
    assert answer.status == 201, answer.body
    found = [one.get("detected_type") for one in answer.json()["parts"]]
    assert found == [None, "image/png", "image/jpeg", "image/jpeg", "image/png", "image/png", "image/png", "application/x-empty"], found
    assert sorted(p.files().values()) == sorted([b"x", jpeg, b""])
    assert sorted(up.store.values()) == sorted([png + jpeg, png, png])
    assert [path[1:7] for path in sorted(up.store)].count("joined") == 1
    for name in p.files():
        os.unlink(os.path.join(p.out, name))
    up.store.clear()


def test_what_was_found_is_in_the_log_and_in_explain():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for data in (PNG, EXE):
            post(p.port, "/detected", form(part("file", data, "a.jpg", "image/png")))
        wait_for(lambda: len(p.lines('"msg":"part"')) == 2, "both parts are in the log")
        assert [line["detected_type"] for line in p.lines('"msg":"part"')] == ["image/png", PE]
        request = os.path.join(p.dir, "request")
        for data, status in ((PNG, 201), (EXE, 415)):
            body = form(part("file", data, "a.jpg", "image/png"))
            with open(request, "wb") as f:
                f.write(head_of("/detected", len(body)) + body)
            told = json.loads(subprocess.run([BINARY, "explain", p.file, request], stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout)
            assert told["status"] == status, told
            assert status == 415 or told["parts"][0]["detected_type"] == "image/png", told


def test_names_and_types_of_objects_are_of_what_was_found():
    text = b"a few words\n" * 4000
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for size in SIZES:
            png, jpeg, plain = (PNG + JPEG)[:size], JPEG[:size], text[:size]
            body = form(part("file", png, "evil.exe", "text/html"), part("sent", jpeg, "evil.exe", "text/html"), part("file", EXE[:size + 300], "a.jpg"),
                        part("joined", jpeg, "a"), part("sent", plain, "b"), part("joined", png, "c"), part("file", b"\1\2\3\4", "x.jpg"), part("file", b"", "y.jpg"))
            for chunk in (None, 997):
                answer = post(p.port, "/named", body, chunk=chunk)
                assert answer.status == 201, answer.body
                wanted = {"1.png": png, "3.exe": EXE[:size + 300], "joined.jpg": jpeg + png, "7": b"\1\2\3\4", "8": b""}
                assert p.files() == wanted, sorted(p.files())
                assert {k: bytes(v) for k, v in up.store.items()} == {"/sent-2.jpg": jpeg, "/sent-5.txt": plain}, sorted(up.store)
                types = {r.path: r.headers["content-type"] for r in up.seen}
                assert types == {"/sent-2.jpg": "image/jpeg", "/sent-5.txt": "text/plain"}, types
                for name in wanted:
                    os.unlink(os.path.join(p.out, name))
                up.store.clear(), up.seen.clear()


def test_a_real_upload_by_curl():
    with Upstream() as up, Penstock(ROUTES, up) as p:
        for name, data in (("a.png", PNG), ("evil.png", EXE)):
            with open(os.path.join(p.dir, name), "wb") as f:
                f.write(data)

        def curl(*arguments):
            command = ["curl", "-sS", "-o", os.path.join(p.dir, "answer"), "-w", "%{http_code}", *arguments]
            return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DEADLINE, cwd=p.dir).stdout.decode()

        url = f"http://127.0.0.1:{p.port}"
        assert curl("-F", "file=@a.png", "-F", "sent=@a.png", f"{url}/detected") == "201"
        assert curl("-F", "file=@a.png", "-F", "sent=@evil.png", f"{url}/detected") == "415"
        assert curl("-T", "a.png", f"{url}/raw-detected/x") == "201"
        assert curl("-T", "evil.png", f"{url}/raw-detected/y") == "415"
        assert PE in open(os.path.join(p.dir, "answer"), encoding="utf-8").read()
        assert sorted(p.files().values()) == [PNG, PNG] and list(up.store.values()) == [PNG]
        assert "x" in p.files() and "y" not in p.files()


def test_a_database_that_cannot_be_read_is_an_error_of_whoever_needs_it():
    env = {**os.environ, "MAGIC": "/nowhere/to/be/found"}
    quiet = ROUTES[:ROUTES.index("  - id: detected")]
    with Upstream() as up, Penstock(quiet, up, env=env) as p:  # no rule asks, so nobody looks for it
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace('declared: ["image/*"]', "detected: image/png"))
        second = os.path.join(p.dir, "second.yaml")
        with open(second, "w", encoding="utf-8") as f:
            f.write(text.replace('declared: ["image/*"]', "detected: image/png").replace(f":{p.port}", f":{free_port()}").replace("in.sock", "second.sock"))
        for command in ("check", "run"):
            done = subprocess.run([BINARY, command, second], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=DEADLINE)
            assert done.returncode not in (0, -11) and b"/nowhere/to/be/found" in done.stdout, done
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the route table stays as it was" in p.log(), "the reload is refused")
        assert "/nowhere/to/be/found" in p.log()


def test_a_reload_may_begin_to_ask():
    quiet = ROUTES[:ROUTES.index("  - id: detected")]
    with Upstream() as up, Penstock(quiet, up) as p:
        assert post(p.port, "/pictures", form(part("sent", EXE, "a.jpg", "image/png"))).status == 201
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace('declared: ["image/*"]', "detected: image/png"))
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the new route table is in force" in p.log(), "the reload")
        refused(post(p.port, "/pictures", form(part("sent", EXE, "a.jpg", "image/png"))), "types.detected", "sent", PE)
        assert post(p.port, "/pictures", form(part("sent", PNG, "a.jpg", "image/png"))).status == 201
