# SPDX-License-Identifier: MIT
"""What a rule takes: by the part's Content-Type and by its file name. What it does not take is 415, and nothing is stored."""
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
  - id: raw
    match: { path: "/raw/*", method: PUT }
    body: { raw: file }
    fields: [ { name: file, types: { declared: image/png }, extensions: png, store: { to: files, key: "{path.1}" } } ]
"""
PNG = b"\x89PNG\r\n\x1a\n" + noise(40_000)


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
