# SPDX-License-Identifier: MIT
"""SIGHUP: the route files are read again. What runs goes on as it began, what is wrong changes nothing."""
from lib import *
from test_cli import Folder
from test_ops import Admin, Manager, get, is_ready, read_metrics, wait_until_ready

ROUTES = """
destinations:
  files: {{ type: directory, path: "{{dir}}/out" }}
  up: {{ type: http, url: "http://127.0.0.1:{{up}}" }}
routes:
  - id: r
    match: {{ path: "/r/*" }}
    limits: {{ body: {body}, concurrent: {concurrent} }}
    fields:
      - {{ name: file, max_count: 1, store: {{ to: files, key: "{key}" }} }}
      - {{ name: put, max_count: 1, store: {{ to: up, path: "/{{path.1}}" }} }}
{more}"""


def routes(body="1GiB", concurrent="none", key="{path.1}", more=""):
    return ROUTES.format(body=body, concurrent=concurrent, key=key, more=more)


def rewrite(p, text=None, replace=None):
    """Another text in place of everything from `destinations:` on, or something replaced in all of it."""
    with open(p.file, encoding="utf-8") as f:
        old = f.read()
    if text is not None:
        old = old[:old.index("destinations:")] + text[text.index("destinations:"):]
    if replace is not None:
        assert replace[0] in old, replace
        old = old.replace(*replace)
    for name, value in (("{up}", p.up), ("{dir}", p.dir)):
        old = old.replace(name, str(value))
    new = p.file + ".new"
    with open(new, "w", encoding="utf-8") as f:
        f.write(old)
    os.rename(new, p.file)


def count(p, words):
    return p.log().count(words)


def hup(p, words="the new route table is in force"):
    """Sends SIGHUP and waits for the log to say so once more."""
    before = count(p, words)
    p.process.send_signal(signal.SIGHUP)
    wait_for(lambda: count(p, words) > before, f"{words}: {p.log()[-2000:]}")


def start(text, up, **how):
    p = Admin(text, up, **how)
    p.up = up.port
    return p


def put(p, path, field="file", data=b"x"):
    return post(p.port, path, form(part(field, data, "a")))


# -- what is in force ------------------------------------------------------------------------------------------------

def test_changed_rules_limits_and_destinations_hold_for_the_next_request():
    with Upstream() as up, Upstream() as other, start(routes(), up, workers=2) as p:
        assert put(p, "/r/a").status == 201 and put(p, "/new/a").status == 404
        assert get(p.admin, "/readyz").status == 200
        more = """  - id: new
    match: { path: "/new/*" }
    fields: [ { name: put, max_count: 1, store: { to: up, path: "/new/{path.1}" } } ]
"""
        rewrite(p, routes(body="1KiB", key="sub/{path.1}", more=more))
        hup(p)
        for i in range(8):  # both workers
            assert put(p, f"/r/b{i}").status == 201
            assert put(p, f"/r/c{i}", data=b"x" * 2000).status == 413
            assert put(p, f"/new/d{i}", "put").status == 201
        assert {f"sub/b{i}" for i in range(8)} < set(p.files()) and not any(n.startswith("c") for n in p.files())
        assert "/new/d7" in up.store
        rewrite(p, replace=(f"http://127.0.0.1:{up.port}", f"http://127.0.0.1:{other.port}"))
        hup(p)
        for i in range(8):
            assert put(p, f"/r/e{i}", "put").status == 201
        assert len(other.store) == 8 and not any(k.startswith("/e") for k in up.store)


def test_a_running_upload_goes_on_as_it_began():
    """Old limits, old rules, old folder, which the new table does not have; one whose first small part waits for its commit."""
    with Upstream() as up, start(routes(), up) as p, connect(p.port) as s, connect(p.port) as t:
        big, small = form(part("file", noise(300000), "a"), part("put", noise(200000), "b")), form(part("file", b"small", "a"))
        s.sendall(head_of("/r/long", len(big)) + big[:250000])
        t.sendall(head_of("/r/small", len(small)) + small[:-10])
        wait_for(lambda: read_metrics(p)['penstock_route_requests{route="r"}'] == 2, "both are admitted")
        wait_for(lambda: len(p.files()) > 0, "the temporary file is there")
        text = routes(body="1KiB").replace("{dir}/out", "{dir}/elsewhere").replace("id: r", "id: q").replace("/r/*", "/q/*")
        rewrite(p, text)
        hup(p)
        assert put(p, "/r/x").status == 404 and put(p, "/q/x").status == 201
        hup(p)  # and once more
        s.sendall(big[250000:])
        t.sendall(small[-10:])
        assert read_answer(s).status == 201 and read_answer(t).status == 201
        assert p.files() == {"long": noise(300000), "small": b"small"}
        assert up.store["/long"] == noise(200000)
        with open(p.dir + "/elsewhere/x", "rb") as f:
            assert f.read() == b"x"


def test_a_table_and_its_folder_are_let_go_with_the_last_request():
    with Upstream() as up, start(routes(), up) as p:
        def folders():
            return sorted(os.path.basename(link) for link in p.open_files() if os.path.dirname(link) == p.dir and os.path.isdir(link))
        assert folders() == ["out"]
        with connect(p.port) as s:
            body = form(part("file", noise(100000), "a"))
            s.sendall(head_of("/r/held", len(body)) + body[:80000])
            wait_for(lambda: len(p.files()) > 0, "the temporary file is there")
            for i in range(5):
                rewrite(p, routes().replace("{dir}/out", "{dir}/folder%d" % i))
                hup(p)
                wait_for(lambda: folders() == [f"folder{i}", "out"], f"only what is needed is open: {folders()}")
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
        wait_for(lambda: folders() == ["folder4"], f"the old one is closed: {folders()}")


def test_concurrent_counts_across_a_reload():
    up = Upstream(lambda request: None)
    with up, start(routes(concurrent=2), up) as p, contextlib.ExitStack() as open_ones:
        body = form(part("put", noise(100000), "a"))
        running = []
        for i in range(2):
            s = open_ones.enter_context(connect(p.port))
            s.sendall(head_of(f"/r/c{i}", len(body)) + body[:80000])
            running.append(s)
        wait_for(lambda: len(up.seen) == 2, "both are under way")
        assert put(p, "/r/x").status == 429
        more = '  - id: second\n    match: { path: "/s/*" }\n    fields: [ { name: file, drop: true } ]\n'
        text = routes(concurrent=2, more=more)
        at, other = text.index("  - id: r"), text.index("  - id: second")
        rewrite(p, text[:at] + text[other:] + text[at:other])  # r has another index now
        hup(p)
        assert put(p, "/s/x").status == 201
        assert put(p, "/r/x").status == 429, "the two of before count"
        rewrite(p, replace=("concurrent: 2", "concurrent: 3"))
        hup(p)
        assert put(p, "/r/y").status == 201
        for s in running:
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
        rewrite(p, replace=("concurrent: 3", "concurrent: 1"))
        hup(p)
        assert put(p, "/r/z").status == 201, "all were counted out"


def test_the_log_level_and_the_trusted_follow():
    with Upstream() as up, start(routes(), up, head="trust: { proxies: none }") as p:
        assert put(p, "/r/a").status == 201
        rewrite(p, replace=("level: info", "level: debug"))
        hup(p)
        rewrite(p, replace=("level: debug, format: json", "level: warn, format: text"))
        p.process.send_signal(signal.SIGHUP)
        body = form(part("file", b"x"))
        rewrite(p, replace=("level: warn, format: text", "level: info, format: text"))
        hup(p, "msg=\"the new route table is in force\"")
        rewrite(p, replace=("proxies: none", "proxies: local"))
        hup(p, "msg=\"the new route table is in force\"")
        answer = post(p.port, "/r/t", body, extra="X-Request-Id: mine-4711\r\n")
        assert answer.status == 201 and answer.headers["x-request-id"] == "mine-4711"


# -- what changes nothing ----------------------------------------------------------------------------------------------

KEPT = "the route table stays as it was"


def test_a_broken_file_keeps_the_old_table_and_says_every_problem():
    with Manager() as manager, Upstream() as up, start(routes(), up, env=manager.env()) as p:
        with open(p.file, encoding="utf-8") as f:
            good = f.read()
        for broken, said in (("max_count", ('unknown key \\"max_countt\\"',)), ("directory", ('type: \\"directoryt\\" is not known',))):
            with open(p.file, "w", encoding="utf-8") as f:
                f.write(good.replace(broken, broken + "t").replace("body: 1GiB", "body: 1GiBB"))
            hup(p, KEPT)
            for words in said + ("error: body: ",):
                assert words in p.log(), (words, p.log())
            assert put(p, f"/r/{broken}").status == 201 and is_ready(p)
        os.unlink(p.file)
        hup(p, KEPT)
        assert put(p, "/r/unlinked").status == 201
        last = [m for m in manager.look()][-2:]
        assert last[0].startswith("RELOADING=1\nMONOTONIC_USEC=") and last[1].startswith("READY=1\nSTATUS=taking uploads; the last reload was refused"), last
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(good)
        hup(p)
        wait_for(lambda: manager.look()[-1] == "READY=1\nSTATUS=taking uploads\n", manager.told[-2:])
        usec = int(manager.told[-2].split("MONOTONIC_USEC=")[1].split("\n")[0])
        assert 0 < usec <= time.monotonic_ns() // 1000
        assert put(p, "/r/again").status == 201


def test_what_needs_a_restart_is_refused_by_name():
    with Upstream() as up, start(routes(), up, head="client: { connections: 100 }") as p:
        with open(p.file, encoding="utf-8") as f:
            good = f.read()
        more = f'127.0.0.1:{free_port()}'
        cases = {"listen": (f'listen: ["127.0.0.1:{p.port}", ', f'listen: ["{more}", '), "admin.listen": (f'admin: {{ listen: ["127.0.0.1:{p.admin}", ', "admin: { listen: ["),
                 "spoa.listen": ("client:", f"spoa: {{ listen: ['{more}'] }}\nclient:"), "memory": ("memory: 32MiB", "memory: 33MiB"),
                 "threads.workers": ("workers: 1", "workers: 2"), "threads.placement": ("workers: 1", "workers: 1, placement: spread"),
                 "client.connections": ("connections: 100", "connections: 101")}
        for key, (old, new) in cases.items():
            assert old in good, key
            with open(p.file, "w", encoding="utf-8") as f:
                f.write(good.replace(old, new).replace('key: "{path.1}"', 'key: "never/{path.1}"'))
            hup(p, KEPT)
            assert f'"why":"{key}: cannot be changed without a restart"' in p.log(), (key, p.log())
            assert put(p, f"/r/{key}").status == 201
        assert set(p.files()) == set(cases)
        assert p.log().count("without a restart") == len(cases), "and nothing else is named"


def test_a_folder_that_cannot_be_opened_keeps_the_old_table():
    with Upstream() as up, start(routes(), up) as p:
        rewrite(p, routes(key="other/{path.1}").replace("{dir}/out", "{dir}/log/out"))  # log is a file
        hup(p, KEPT)
        assert put(p, "/r/a").status == 201 and set(p.files()) == {"a"}


def test_a_reload_while_draining_is_ignored():
    with Upstream() as up, start(routes(), up) as p:
        with connect(p.port) as s:
            body = form(part("put", noise(100000), "a"))
            s.sendall(head_of("/r/slow", len(body)) + body[:80000])
            wait_for(lambda: up.seen, "it is under way")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "draining" in p.log(), "it drains")
            hup(p, "ignored: shutting down")
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
        p.process.wait(DEADLINE)
        assert "in force" not in p.log()


@contextlib.contextmanager
def half_replaced(others):
    """A form has replaced a file, whose old content lies under a temporary name, and waits for the destination of its other part.
    When that has failed the old content must be back, beside the `others` that have come meanwhile."""
    def refuse_late(request):
        request.read_all()
        up.release.wait(DEADLINE)
        request.answer(500)
        return "done"
    up = Upstream(refuse_late)
    text = routes().replace('{dir}/out"', '{dir}/out", exists: replace')
    with up, start(text, up) as p:
        assert put(p, "/r/a", data=b"old").status == 201
        with connect(p.port) as s:
            body = form(part("file", b"new", "a"), part("put", b"x", "b"))
            s.sendall(head_of("/r/a", len(body)) + body)
            wait_for(lambda: p.files().get("a") == b"new" and up.seen, "the file is visible, the other part waits for its answer")
            yield p, up, text
            up.release.set()
            assert read_answer(s).status == 502
        wait_for(lambda: p.files() == {"a": b"old", **others}, f"the old content is back: {p.files()}")


def test_what_a_running_form_has_replaced_is_not_swept_by_a_reload():
    """Its folder leaves the table and comes back."""
    with half_replaced({}) as (p, _, _):
        assert len(p.files()) == 2, "the old content is kept"
        for there, back in (("{dir}/out", "{dir}/away"), ("{dir}/away", "{dir}/out")):
            rewrite(p, replace=(there.replace("{dir}", p.dir), back.replace("{dir}", p.dir)))
            hup(p)


def test_another_penstock_that_starts_does_not_sweep_what_a_running_form_has_replaced():
    """As when one sidecar is replaced by the next, both with one folder."""
    with half_replaced({"b": b"x"}) as (p, up, text):
        with start(text.replace("{dir}", p.dir), up) as second:
            assert put(second, "/r/b").status == 201
        assert len(p.files()) == 3, f"the old content is kept: {p.files()}"


def test_leftovers_in_a_folder_that_a_reload_brings_are_swept():
    with Upstream() as up, start(routes(), up) as p:
        os.mkdir(p.dir + "/late")
        for name in (".penstock-00000000-0000-0000-0000-000000000000", "kept"):
            with open(f"{p.dir}/late/{name}", "wb") as f:
                f.write(b"left by a dead writer")
        rewrite(p, routes().replace("{dir}/out", "{dir}/late"))
        hup(p)
        assert os.listdir(p.dir + "/late") == ["kept"]
        assert put(p, "/r/a").status == 201


def test_a_first_folder_may_come_by_a_reload():
    text = """
destinations:
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: r, match: { path: "/r/*" }, fields: [ { name: put, max_count: 1, store: { to: up, path: "/{path.1}" } } ] }
"""
    with Upstream() as up, start(text, up) as p:
        assert put(p, "/r/a", "put").status == 201
        rewrite(p, routes())
        hup(p)
        assert put(p, "/r/b").status == 201 and p.files() == {"b": b"x"}


def test_the_end_in_the_middle_of_a_reload():
    for _ in range(rounds(20)):
        with Upstream() as up, start(routes(), up, workers=2, head=f'spoa: {{ listen: ["127.0.0.1:{free_port()}"] }}') as p:
            assert put(p, "/r/a").status == 201
            p.process.send_signal(signal.SIGHUP)
            p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(DEADLINE) == 0
            assert "draining" in p.log()


# -- under load ------------------------------------------------------------------------------------------------------

def test_no_upload_fails_while_reloads_follow_each_other():
    """Folder and upstream, small and large, kept alive and not, while the rules change and change back."""
    with Upstream() as up, start(routes(), up, workers=2) as p:
        stop, failures, done = threading.Event(), [], []
        large, small = noise(300000), b"small"

        def upload(k):
            n = 0
            while not stop.is_set():
                n += 1
                name = f"{k}-{n}"
                body = form(part("file", large if n % 2 else small, "a"), part("put", small if n % 3 else large, "b"))
                try:
                    answer = post(p.port, f"/r/{name}", body, chunk=9000 if n % 5 == 0 else None)
                    if answer.status != 201:
                        failures.append((name, answer.status, answer.body))
                    done.append((name, n))
                except (AssertionError, OSError) as error:
                    failures.append((name, repr(error)))
        clients = [threading.Thread(target=upload, args=(k,)) for k in range(4)]
        for client in clients:
            client.start()
        for i in range(rounds(60)):
            before = len(done)
            rewrite(p, routes(key=f"v{i % 3}/{{path.1}}", body="2GiB" if i % 2 else "1GiB"))
            if i % 4 == 3:  # two in a row: the second waits for the first
                p.process.send_signal(signal.SIGHUP)
            hup(p)
            if i < 3:  # one more than were under way when this table came: it has begun under it
                before = len(done) + len(clients)
            wait_for(lambda: len(done) > before or failures, "uploads go on")
        stop.set()
        for client in clients:
            client.join(DEADLINE)
        assert not failures, failures[:3]
        files = {os.path.basename(name): data for name, data in p.files().items()}
        assert len(files) == len(done)
        for name, n in done:
            assert files[name] == (large if n % 2 else small), name
            assert up.store["/" + name] == (small if n % 3 else large), name
        assert {name.split("/")[0] for name in p.files()} >= {"v0", "v1", "v2"}


def test_many_reloads_cost_no_memory():
    if os.environ.get("E2E_TREE") in ("asan", "tsan"):
        raise Skip("a sanitizer keeps what is freed; the release tree measures it")
    more = "".join(f'  - {{ id: more{i}, match: {{ path: "/more{i}" }}, fields: [ {{ name: file, drop: true }} ] }}\n' for i in range(200))
    with Upstream() as up, start(routes(more=more), up, workers=2) as p:
        def reload(n):
            for i in range(n):
                hup(p)
                if i % 10 == 0:
                    assert put(p, f"/r/m{time.monotonic_ns()}").status == 201
            return p.memory("VmRSS")
        first = reload(30)
        grown = reload(120) - first
        assert grown < 2 << 20, f"{grown} bytes more after 120 reloads"


def test_a_ready_process_stays_ready_through_reloads():
    with Upstream() as up, start(routes().replace('{up}" }', '{up}", ready: connect }'), up) as p:
        wait_until_ready(p)
        for i in range(5):
            rewrite(p, routes(key=f"v{i}/{{path.1}}").replace('{up}" }', '{up}", ready: connect }'))
            before = count(p, "is in force")
            p.process.send_signal(signal.SIGHUP)
            while count(p, "is in force") == before:
                answer = get(p.admin, "/readyz")
                assert answer.status == 200, answer.body
        rewrite(p, replace=(f"127.0.0.1:{up.port}", f"127.0.0.1:{free_port()}"))
        hup(p)
        wait_for(lambda: not is_ready(p), "the destination of the new table counts")
        rewrite(p, replace=(", ready: connect", ""))
        hup(p)
        assert is_ready(p)


def test_the_agent_goes_by_the_new_table():
    """Asked by hand, as HAProxy asks: one NOTIFY before and one after."""
    port = free_port()
    with Upstream() as up, start(routes(), up, head=f'spoa: {{ listen: ["127.0.0.1:{port}"] }}') as p:
        with connect(port) as s:
            talk(s, hello())
            assert allow_of(ask(s, "/r/1")) is True and allow_of(ask(s, "/n/1")) is False
            rewrite(p, routes().replace("/r/*", "/n/*"))
            hup(p)
            assert allow_of(ask(s, "/n/1")) is True and allow_of(ask(s, "/r/1")) is False


def test_while_it_drains_the_agent_refuses_but_not_after_a_delay():
    """Behind a delay it is another penstock that takes what this one is still asked about."""
    for delay, allows in (("0s", False), ("1ms", True)):
        port = free_port()
        with Upstream() as up, start(routes(), up, head=f'spoa: {{ listen: ["127.0.0.1:{port}"] }}\nshutdown: {{ delay: {delay} }}') as p:
            body = form(part("put", noise(100000), "a"))
            with connect(port) as agent, connect(p.port) as s:
                talk(agent, hello())
                s.sendall(head_of("/r/slow", len(body)) + body[:80000])
                wait_for(lambda: up.seen, "it is under way")
                p.process.send_signal(signal.SIGTERM)
                wait_for(lambda: '"draining"' in p.log(), "it drains")
                assert allow_of(ask(agent, "/r/1")) is allows
                s.sendall(body[80000:])
                assert read_answer(s).status == 201


def test_signals_that_come_at_the_end_do_no_harm():
    """The second one and those that follow give up what still runs, also where the workers have just ended."""
    for _ in range(rounds(20)):
        with Upstream() as up, start(routes(), up) as p:
            assert post(p.port, "/r/1", form(part("put", b"x"))).status == 201
            while p.process.poll() is None:
                p.process.send_signal(signal.SIGTERM)
            assert p.process.returncode == 0, p.log()[-2000:]


# SPOP, as much as that takes: frames are a length, a type, flags, two varints, then pairs of a name and a typed value.

def varint(n):
    if n < 240:
        return bytes([n])
    out, n = bytes([n & 255 | 240]), (n - 240) >> 4
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), (n - 128) >> 7
    return out + bytes([n])


def text(s):
    return varint(len(s)) + s.encode()


def typed(value):
    if value is None:
        return b"\0"
    if isinstance(value, int):
        return b"\x03" + varint(value)
    return b"\x08" + text(value)


def frame(kind, stream, payload):
    body = bytes([kind]) + b"\0\0\0\1" + varint(stream) + varint(stream) + payload
    return struct.pack(">I", len(body)) + body


def hello():
    pairs = {"supported-versions": "2.0", "max-frame-size": 16380, "capabilities": "pipelining"}
    return frame(1, 0, b"".join(text(k) + typed(v) for k, v in pairs.items()))


def ask(s, path):
    args = {"id": "an-id", "method": "POST", "target": path, "version": "1.1", "host": "x", "type": "multipart/form-data; boundary=b", "length": "100",
            "coding": None, "encoding": None, "expect": None, "hosts": 1, "types": 1, "lengths": 1, "codings": 0, "encodings": 0, "expects": 0}
    payload = text("penstock-admit") + bytes([len(args)]) + b"".join(text(k) + typed(v) for k, v in args.items())
    return talk(s, frame(3, 1, payload))


def talk(s, data):
    s.sendall(data)
    got = b""
    while len(got) < 4 or len(got) < 4 + struct.unpack(">I", got[:4])[0]:
        piece = s.recv(65536)
        assert piece, "the agent has closed"
        got += piece
    return got


def allow_of(ack):
    """The boolean of set-var allow: type 1, its truth in the flag 0x10."""
    return ack[ack.index(b"\x05allow") + 6] == 0x11
