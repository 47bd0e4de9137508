# SPDX-License-Identifier: MIT
"""penstock in front of each application: what it lets in, what it refuses, what it forgets; and its rows agree with what is stored."""
import os
import random
import signal
import subprocess

from apps import *

os.environ["APP_KEY"] = KEY
ROUTES = """state: "{dir}/state"
destinations:
  files: { type: directory, path: "{dir}/out" }
  backend: { type: http, url: "http://127.0.0.1:{app}" }
routes:
  - id: album
    match: { path: "/albums/*" }
    limits: { parts: 2000 }
    authorize: { to: backend, path: /uploads/authorize, pass: [cookie] }
    fields:
      - { name: title, kind: value, required: true, max_size: 1KiB, forward: true }
      - { name: "photo[]", kind: file, max_count: 1500, max_size: 1MiB, store: { to: files, key: "{grant.user}/{uuid}" } }
    app: { to: backend, form: urlencoded, sign: { key: { env: APP_KEY } }, pass: [cookie], failed: { path: /uploads/failed }, resolve: { path: /uploads/resolve } }
    response: { from: app }
"""
ALICE = "Cookie: session=alice-cookie\r\n"


@contextlib.contextmanager
def both(name):
    with App(name) as app, Penstock(ROUTES.replace("{app}", str(app.port)), head=f"admin: {{ listen: ['127.0.0.1:{free_port()}'] }}") as p:
        yield app, p


def album(title, *photos):
    return form(part("title", title.encode()), *(part("photo[]", data, f"{i}.jpg", "image/jpeg") for i, data in enumerate(photos)))


def agree(app, p):
    """Each photo of a row is stored, and each file belongs to a row."""
    return app.photos() == {name: len(data) for name, data in p.files().items()}


def settled(app, p):
    try:
        wait_for(lambda: agree(app, p), "rows and files agree")
    except AssertionError as e:
        raise AssertionError(f"{e}: {sorted(app.photos())} {sorted(p.files())} {p.log()[-4000:]} {app.said()}") from e


def lets_in(name):
    with both(name) as (app, p):
        photos = [noise(n, n) for n in (0, 1, 20_000, 1_000_000)]
        answer = post(p.port, "/albums/7?a=%C3%BC&b=+", album("Süd & Nord=100%+", *photos), extra=ALICE)
        assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/albums/7"), (answer.status, answer.headers, answer.body, p.log(), app.said())
        settled(app, p)  # a folder's own notes of a commit may outlive the answer
        assert app.albums() == [("alice", "Süd & Nord=100%+")] and sorted(p.files().values()) == sorted(photos)
        assert all(file.startswith("alice/") for file in p.files())
        many = album("many", *[b"%d" % i for i in range(1400)])
        assert post(p.port, "/albums/8", many, extra=ALICE, chunk=30_000).status == 303
        settled(app, p)
        assert len(p.files()) == 4 + 1400


def refuses(name):
    with both(name) as (app, p):
        answer = post(p.port, "/albums/7", album("x", b"y"), extra="Cookie: session=mallory\r\n")
        assert (answer.status, answer.body, answer.headers["www-authenticate"]) == (401, b"log in first", "Cookie"), (answer.status, answer.body)
        answer = post(p.port, "/albums/7", album("no", noise(100_000), b"z"), extra=ALICE)
        assert (answer.status, answer.body) == (422, b"that title is taken"), (answer.status, answer.body)
        assert post(p.port, "/albums/7", album("x", noise(1_048_577)), extra=ALICE).status == 413
        for name in ("photo", "photo[]", "photo[0]", "photo[x][y]"):  # nobody may pass off a value as a file of ours
            assert post(p.port, "/albums/7", form(part("title", b"x"), part(name, b'{"target":"alice/other"}')), extra=ALICE).status == 400, name
        for query in ("photo=x", "photo[]=x", "photo%5B%5D=x", "a=b&photo%5b1%5d"):
            assert post(p.port, "/albums/7?" + query, album("x", b"y"), extra=ALICE).status == 400, query
        assert app.albums() == [] and p.files() == {} and agree(app, p)


def trusts_nobody_else(name):
    with both(name) as (app, p):
        body = b"title=x&photo%5B%5D=%7B%22target%22%3A%22alice%2Fother%22%2C%22name%22%3A%22%22%2C%22size%22%3A1%7D"
        for path in ("/albums/7", "/uploads/failed", "/uploads/resolve"):
            answer = post(app.port, path, body, extra=ALICE + "X-Request-Id: r\r\n", type="application/x-www-form-urlencoded")
            assert answer.status == 403, (path, answer.status)
        forged = ALICE + "Penstock-Signature: t=1,p=form,v1=00\r\nPenstock-Grant-User: root\r\n"
        assert post(p.port, "/albums/7", album("x", b"y"), extra=forged).status == 303
        settled(app, p)
        assert app.albums() == [("alice", "x")]


def dies_without_an_answer(name):
    with both(name) as (app, p):
        answer = post(p.port, "/albums/7", album("die", noise(50_000), b"z"), extra=ALICE)
        assert answer.status == 502, (answer.status, answer.body, app.said())
        assert p.files() == {}
        wait_for(lambda: app.albums() == [], "the application hears that the form failed, once it runs again: " + p.log() + app.said())
        settled(app, p)


def is_cut_with_penstock(name):
    """penstock is killed while forms come in; what it has left is settled by the next one."""
    luck = random.Random(name)
    with both(name) as (app, p):
        for _ in range(rounds(3) + 1):
            clients = [threading.Thread(target=quietly, args=(p.port, album(f"a{i}", noise(300_000, i), b"z")), daemon=True) for i in range(12)]
            for client in clients:
                client.start()
            seen, wanted = len(app.albums()), luck.randrange(4)
            wait_for(lambda: len(app.albums()) >= seen + wanted or not any(c.is_alive() for c in clients), "some forms are in")
            p.process.kill()
            p.process.wait()
            for client in clients:
                client.join()
            with open(p.log_path, "wb") as log:
                p.process = subprocess.Popen([BINARY, "run", p.file], stdout=log, stderr=log)
            wait_for(p.is_up, "penstock listens again")
            settled(app, p)


def quietly(port, body):
    with contextlib.suppress(OSError, AssertionError):
        post(port, "/albums/7", body, extra=ALICE)


def make_tests():
    for name in APPS:
        for what in (lets_in, refuses, trusts_nobody_else, dies_without_an_answer, is_cut_with_penstock):
            globals()[f"test_{name}_{what.__name__}"] = lambda name=name, what=what: what(name)


make_tests()
