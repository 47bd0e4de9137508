# SPDX-License-Identifier: MIT
"""The admin listener and `penstock health`: who is alive, who is ready, and why not."""
import ctypes
import re

from lib import *
from test_cli import Folder, run

ROUTES = """
destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}", headers: { authorization: "hush-hush" } }
routes:
  - id: r
    match: { path: "/r/*" }
    fields:
      - { name: file, max_count: 1, store: { to: files, key: "{path.1}" } }
      - { name: put, max_count: 1, store: { to: up, path: "/{path.1}" } }
"""


class Admin:
    """A penstock with an admin listener on a port and on a unix socket."""

    def __new__(cls, routes=ROUTES, upstream=None, head="", **how):
        port = free_port()
        p = Penstock(routes, upstream, f'admin: {{ listen: ["127.0.0.1:{port}", "unix:{{dir}}/admin.sock"] }}\n{head}', **how)
        p.admin = port
        wait_for(lambda: get(p.admin, "/version"), "the admin listener answers")
        return p


def get(to, path, method="GET", body=b""):
    """None: nobody listens, or it ended before it answered."""
    try:
        s = connect(to)
    except OSError:
        return None
    data = b""
    with s, contextlib.suppress(ConnectionError):
        s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        while piece := s.recv(65536):
            data += piece
    if not data:
        return None
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers, rest)


def is_ready(p):
    return get(p.admin, "/readyz").status == 200


def wait_until_ready(p):
    wait_for(lambda: is_ready(p), "ready: " + get(p.admin, "/readyz").body.decode())


def why_not(p, word, page="/readyz"):
    def look():
        answer = get(p.admin, page)
        return answer.body.decode() if answer.status == 503 and word in answer.body.decode() else None
    return wait_for(look, f"{page} says {word}")


def health(p, *options):
    result = run("health", *options, p.file)
    return result.returncode, (result.stdout + result.stderr).decode()


# -- pages ---------------------------------------------------------------------------------------------------------

def test_pages_methods_and_sockets():
    with Upstream() as up, Admin(upstream=up) as p:
        wait_until_ready(p)
        for to in (p.admin, p.dir + "/admin.sock"):
            for page, body in (("/livez", b"alive\n"), ("/readyz", b"ready\n"), ("/livez?x=1", b"alive\n")):
                answer = get(to, page)
                assert (answer.status, answer.body) == (200, body), (page, answer.body)
                assert answer.headers["cache-control"] == "no-store" and answer.headers["connection"] == "close"
                head = get(to, page, "HEAD")
                assert (head.status, head.body) == (200, b"") and head.headers["content-length"] == str(len(body))
        assert get(p.admin, "/version").json()["version"] == run("version").stdout.split()[1].decode()
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = get(p.admin, "/livez", method, b"x" * 100)
            assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD", (method, answer.status)
        for page in ("/", "/livez/", "/livezz", "/metrics/../livez", "/r/1"):
            assert get(p.admin, page).status == 404, page
        assert get(p.admin, "/nothing", "POST").status == 404
        assert post(p.port, "/livez", form(part("file", b"x"))).status == 404, "uploads' listener has no such page"


def test_a_head_that_is_no_http_or_too_long():
    with Upstream() as up, Admin(upstream=up) as p:
        for data in (b"\0\1\2\3\r\n\r\n", b"GET /livez HTTP/1.1\r\nx: " + b"y" * 40000 + b"\r\n\r\n", b"GET /livez HTTP/9\r\n\r\n"):
            with connect(p.admin) as s:
                with contextlib.suppress(ConnectionError):
                    s.sendall(data)
        assert get(p.admin, "/livez").status == 200


def test_idle_strangers_do_not_keep_the_health_check_out():
    if SMALL:
        raise Skip("it waits for ten seconds; the release tree does")
    with Upstream() as up, Admin(upstream=up) as p:
        strangers = [connect(p.admin) for _ in range(80)]
        for s in strangers:
            s.sendall(b"GET /livez HT")
        assert wait_for(lambda: get(p.admin, "/livez"), "an answer").status == 200
        for s in strangers:
            s.close()


# -- alive ---------------------------------------------------------------------------------------------------------

class Frozen:
    """One thread of a process stands still, as it would in a loop without end."""
    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, pid, name):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.tid = thread_named(pid, name)

    def ptrace(self, what):
        if self.libc.ptrace(what, self.tid, None, None) != 0:
            raise Skip(f"ptrace: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.ptrace(self.SEIZE)
        self.ptrace(self.INTERRUPT)
        os.waitpid(self.tid, 0x40000000)
        return self

    def __exit__(self, *_):
        self.ptrace(self.DETACH)


def test_a_stuck_loop_is_named_until_it_turns_again():
    spoa = f'spoa: {{ listen: ["127.0.0.1:{free_port()}"] }}'
    with Upstream() as up, Admin(upstream=up, workers=2, head=spoa) as p:
        wait_until_ready(p)
        for name in ("worker 1", "disk", "spoa"):
            with Frozen(p.process.pid, name):
                why = why_not(p, name, "/livez")
                assert why.startswith(f"{name}: its loop has not answered for ") and why.count("\n") == 1, why
                assert name in why_not(p, name), "who is not alive is not ready"
                code, text = health(p)
                assert code == 1 and name in text, text
            wait_until_ready(p)
            assert health(p) == (0, "alive\n")


def test_draining_is_alive_but_not_ready():
    with Upstream() as up, Admin(upstream=up) as p:
        wait_until_ready(p)
        with connect(p.port) as s:
            body = form(part("put", noise(100000), "a"))
            s.sendall(head_of("/r/slow", len(body)) + body[:80000])
            wait_for(lambda: up.seen, "it is under way")
            p.process.send_signal(signal.SIGTERM)
            assert "draining" in why_not(p, "draining")
            assert get(p.admin, "/livez").status == 200
            code, text = health(p, "--ready")
            assert code == 1 and "draining" in text and health(p)[0] == 0
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
        p.process.wait(DEADLINE)
        assert get(p.admin, "/livez") is None


def test_a_worker_that_has_ended_before_the_others_is_not_stuck():
    """While draining: one still waits for a head that is on its way."""
    with Manager() as manager, Upstream() as up, Admin(upstream=up, workers=2, env=manager.env(WATCHDOG_USEC="400000")) as p:
        wait_until_ready(p)
        body = form(part("put", noise(100000), "a"))
        with connect(p.port) as s, connect(p.port) as t:
            t.sendall(b"POST /r/x HTTP/1.1\r\nHost: x\r\n")
            s.sendall(head_of("/r/slow", len(body)) + body[:80000])
            wait_for(lambda: up.seen, "it is under way")
            p.process.send_signal(signal.SIGTERM)
            why_not(p, "draining")
            manager.look()  # while its queue is full, whoever tells it something stands still: ten messages are two seconds
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
            end = time.monotonic() + 4
            while time.monotonic() < end and (answer := get(p.admin, "/livez")) is not None:
                manager.look()
                assert answer.status == 200, answer.body
                time.sleep(0.1)
            assert "the watchdog is told nothing" not in p.log(), p.log()


def test_before_the_drain_it_takes_uploads_for_shutdown_delay_and_is_not_ready():
    with Upstream() as up, Admin(upstream=up, head="shutdown: { delay: 1h }") as p:
        wait_until_ready(p)
        p.process.send_signal(signal.SIGTERM)
        assert "draining" in why_not(p, "draining") and get(p.admin, "/livez").status == 200
        for name in "abc":
            assert post(p.port, f"/r/{name}", form(part("put", noise(100000), "a"))).status == 201
        p.process.send_signal(signal.SIGTERM)  # the second one waits for nothing
        assert p.process.wait(DEADLINE) == 0
        assert len(up.store) == 3 and "leaving" in p.log()


def test_after_shutdown_delay_it_drains_by_itself():
    with Upstream() as up, Admin(upstream=up, head="shutdown: { delay: 300ms }") as p:
        with connect(p.port) as s:
            body = form(part("put", noise(100000), "a"))
            s.sendall(head_of("/r/slow", len(body)) + body[:80000])
            wait_for(lambda: up.seen, "it is under way")
            p.process.send_signal(signal.SIGTERM)
            wait_for(lambda: '"draining"' in p.log(), "it drains")
            s.sendall(body[80000:])
            assert read_answer(s).status == 201
        assert p.process.wait(DEADLINE) == 0
        lines = p.log()
        assert lines.index('"leaving') < lines.index('"draining"')


def test_memory_used_up_is_not_ready():
    def stall(request):
        request.read_bytes(1)
        up.release.wait(DEADLINE)
        return request.reset()  # what is on its way would take long through so small a window
    up = Upstream(stall, receive=4096)
    with up, Admin(upstream=up, memory="4MiB") as p:
        wait_until_ready(p)
        clients = []
        body = form(part("put", noise(8 << 20), "a"))

        def fill():
            if len(clients) < 40:
                s = connect(p.port)
                s.setblocking(False)
                clients.append([s, head_of(f"/r/{len(clients)}", len(body)) + body])
            for client in clients:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    while client[1]:
                        client[1] = client[1][client[0].send(client[1][:65536]):]
            answer = get(p.admin, "/readyz")  # a reservation of a moment may be over at the next question
            return answer.status == 503 and b"memory: the budget is used up" in answer.body
        wait_for(fill, "the budget is used up")
        assert get(p.admin, "/livez").status == 200
        for s, _ in clients:
            s.close()
        up.release.set()
        wait_until_ready(p)


# -- destinations ----------------------------------------------------------------------------------------------------

WAITS = """
destinations:
  store: { type: http, url: "http://127.0.0.1:{up}", ready: connect, headers: { authorization: "hush-hush" } }
  other: { type: http, url: "http://127.0.0.1:1" }
routes:
  - id: r
    match: { path: "/r/*" }
    fields:
      - { name: put, max_count: 1, store: { to: store, path: "/{path.1}" } }
      - { name: other, max_count: 1, store: { to: other, path: "/{path.1}" } }
"""


def test_ready_follows_a_destination_that_comes_and_goes():
    accepted = []
    port = free_port()
    class Later:
        pass
    later = Later()
    later.port = port
    with Admin(WAITS, later) as p:
        why = why_not(p, "store")
        assert "other" not in why, "it does not say ready: connect"
        why = why_not(p, "refused")
        assert why == 'destination "store": it refused the connection\n', why
        assert "hush" not in why and "127.0.0.1" not in why and p.dir not in why
        with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
            def accept():
                with contextlib.suppress(OSError):
                    while True:
                        accepted.append(listener.accept()[0])
            threading.Thread(target=accept, daemon=True).start()
            wait_until_ready(p)
            began, before = time.monotonic(), len(accepted)
            for _ in range(200):
                assert is_ready(p)
            most = 2 + (time.monotonic() - began) / 3
            assert len(accepted) - before <= most, f"{len(accepted) - before} connections for 200 questions"
            assert health(p, "--ready") == (0, "ready\n")
            listener.shutdown(socket.SHUT_RDWR)
        why_not(p, "store")
        for s in accepted:
            s.close()


def test_ready_by_a_unix_socket():
    routes = WAITS.replace('"http://127.0.0.1:{up}"', '"unix:{dir}/up.sock", host: store')
    with Upstream() as up, Admin(routes, up) as p:
        assert p.dir not in why_not(p, "its socket is not there")
        up.listen_unix(p.dir + "/up.sock")
        wait_until_ready(p)


def test_tls_is_part_of_being_reachable():
    """Who accepts and says nothing is not ready after timeout.connect, nor who shows a certificate of another authority."""
    with Folder() as d, socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        cert, key = certificate(d.path)
        tls = f'tls: {{ ca: {{ file: "{cert}" }} }}, '
        routes = WAITS.replace('"http://127.0.0.1:{up}"', '"https://127.0.0.1:{up}"').replace("ready:", "CAtimeout: { connect: 2s }, ready:")
        class Silent:
            port = silent.getsockname()[1]
        with Admin(routes.replace("CA", tls), Silent) as p:
            why_not(p, "imeout")
            assert get(p.admin, "/livez").status == 200
        os.mkdir(d.path + "/other")
        other, _ = certificate(d.path + "/other")
        with Upstream(tls=(cert, key)) as up:
            with Admin(routes.replace("CA", tls.replace(cert, other)), up) as p:
                assert d.path not in why_not(p, "its certificate was not accepted")
            with Admin(routes.replace("CA", tls), up) as p:
                wait_until_ready(p)


# -- metrics -----------------------------------------------------------------------------------------------------------

def read_metrics(p):
    """{'name{label="value"}': number}, each line checked against the text format: HELP and TYPE once, before the samples."""
    answer = get(p.admin, "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found, current, helped = {}, None, set()
    for line in answer.body.decode().splitlines():
        if m := re.fullmatch(r"# HELP (penstock_[a-z0-9_]+) \S.*", line):
            current = m.group(1)
            assert current not in helped, f"HELP twice: {current}"
            helped.add(current)
        elif m := re.fullmatch(r"# TYPE (penstock_[a-z0-9_]+) (counter|gauge)", line):
            assert m.group(1) == current and (m.group(2) == "counter") == current.endswith("_total"), line
        else:
            m = re.fullmatch(r'((penstock_[a-z0-9_]+)(\{[a-z]+="[A-Za-z0-9._-]+"(?:,[a-z]+="[A-Za-z0-9._-]+")*\})?) (\d+)', line)
            assert m and m.group(2) == current and m.group(1) not in found, line
            found[m.group(1)] = int(m.group(4))
    return found


def test_metrics_count_what_was_done():
    with Upstream() as up, Admin(ROUTES.replace('headers:', 'ready: connect, headers:'), up, workers=2) as p:
        wait_until_ready(p)
        with open("sidecar/base/metrics.def", encoding="utf-8") as f:
            rows = re.findall(r'^METRIC\(\w+, "(\w+)", (?:NULL|"((?:\\.|[^"])*)")', f.read(), re.M)
        names = {name + ("{%s}" % labels.replace("\\", "") if labels else "") for name, labels in rows}
        before = read_metrics(p)
        assert len(rows) >= 9 and names <= set(before), names - set(before)
        assert all(v == 0 for k, v in before.items() if "_total" in k), before
        body, bytes_in = form(part("file", b"x" * 1000), part("put", b"y" * 500)), 0
        for i in range(10):
            assert post(p.port, f"/r/{i}", body).status == 201
            bytes_in += len(body)
        for path, status in (("/r/0", 409), ("/none", 404)):
            assert post(p.port, path, body).status == status
        def has(key, n):
            return wait_for(lambda: read_metrics(p).get(key) == n, f"{key} {n}: {read_metrics(p)}")
        has('penstock_requests_total{status="2xx"}', 10)
        has('penstock_requests_total{status="4xx"}', 2)
        has('penstock_request_errors_total{error="exists"}', 1)
        has('penstock_request_errors_total{error="no-route"}', 1)
        has("penstock_parts_total", 22)
        now = read_metrics(p)
        assert bytes_in + len(body) <= now["penstock_body_bytes_total"] <= bytes_in + 2 * len(body)
        assert now["penstock_requests"] == 0 and now["penstock_memory_bytes"] == 32 << 20 and now["penstock_draining"] == 0
        assert now['penstock_destination_reachable{destination="up"}'] == 1 and 'penstock_destination_reachable{destination="files"}' not in now
        p.process.send_signal(signal.SIGHUP)
        has('penstock_reloads_total{result="good"}', 1)
        with connect(p.port) as s:
            large = form(part("put", noise(100000), "a"))
            s.sendall(head_of("/r/slow", len(large)) + large[:80000])
            has('penstock_route_requests{route="r"}', 1)
            has("penstock_requests", 1)
            os.rename(p.file, p.file + ".away")
            p.process.send_signal(signal.SIGHUP)
            has('penstock_reloads_total{result="refused"}', 1)
            s.sendall(large[80000:])
            assert read_answer(s).status == 201
        has("penstock_requests", 0)
        has("penstock_memory_used_bytes", 0)


# -- penstock health -------------------------------------------------------------------------------------------------

def test_health_without_a_listener_or_a_configuration():
    with Folder() as d:
        text = ROUTES.replace("{up}", "1").replace("{dir}", d.path)
        port = free_port()
        plain = d.write("plain.yaml", "version: 1\n" + text)
        good = d.write("good.yaml", f"version: 1\nadmin: {{ listen: ':{port}' }}\n{text}")
        bad = d.write("bad.yaml", f"version: 1\nadmin: {{ listen: 'nowhere' }}\n{text}")
        cases = [(2, [plain], "admin"), (2, [bad], "nowhere"), (2, ["--fast", good], "unknown option"), (2, [d.path + "/x"], "No such"),
                 (1, [good], "refused"), (1, ["--ready", good], "refused")]
        for code, args, word in cases:
            result = run("health", *args)
            assert result.returncode == code and word in result.stderr.decode(), (args, result)
        if not os.path.exists("/etc/penstock"):
            result = run("health")
            assert result.returncode == 2 and b"/etc/penstock" in result.stderr, result
        with socket.create_server(("127.0.0.1", port), backlog=8) as silent:
            result = run("health", good)
            assert result.returncode == 1 and b"no answer within 2 s" in result.stderr, result
        with socket.create_server(("127.0.0.1", port), backlog=8) as odd:
            def serve():
                s, _ = odd.accept()
                s.recv(1000)
                s.sendall(b"220 mail\r\n\r\n")
                s.close()
            threading.Thread(target=serve, daemon=True).start()
            result = run("health", good)
            assert result.returncode == 1 and b"HTTP" in result.stderr, result


def test_an_admin_port_that_is_taken_is_said_at_the_start():
    with Folder() as d, socket.create_server(("127.0.0.1", 0)) as taken:
        text = ROUTES.replace("{up}", "1").replace("{dir}", d.path)
        port = taken.getsockname()[1]
        path = d.write("r.yaml", f"version: 1\nlisten: '127.0.0.1:{free_port()}'\nadmin: {{ listen: '127.0.0.1:{port}' }}\n{text}")
        result = run("run", path)
        assert result.returncode == 1 and f"admin: {path}:3: listen".encode() in result.stderr, result


# -- the service manager ---------------------------------------------------------------------------------------------

class Manager:
    """What systemd is to a service: a datagram socket. `abstract`: without a file."""

    def __init__(self, abstract=False):
        self.dir = tempfile.mkdtemp(prefix="penstock-notify-")
        self.name = f"@penstock-{os.getpid()}-{time.monotonic_ns()}" if abstract else self.dir + "/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name.replace("@", "\0", 1))
        self.socket.setblocking(False)
        self.told = []

    def env(self, **more):
        return dict(os.environ, NOTIFY_SOCKET=self.name, **more)

    def look(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told.append(self.socket.recv(4096).decode())
        return self.told

    def has(self, line):
        return any(line in message.split("\n") for message in self.look())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        shutil.rmtree(self.dir)


def test_the_service_manager_is_told_of_ready_and_stopping():
    for abstract in (False, True):
        with Manager(abstract) as manager, Upstream() as up:
            with Admin(upstream=up, env=manager.env()) as p:
                wait_for(lambda: manager.has("READY=1"), "READY=1")
                assert manager.told == ["READY=1\nSTATUS=taking uploads\n"], manager.told
                assert post(p.port, "/r/a", form(part("file", b"x"))).status == 201
            assert manager.look()[1:] == ["STOPPING=1\nSTATUS=draining: running uploads may finish\n"], manager.told


def test_ready_is_told_when_it_listens_and_not_before():
    with Manager() as manager, Folder() as d, socket.create_server(("127.0.0.1", 0)) as taken:
        text = ROUTES.replace("{up}", "1").replace("{dir}", d.path)
        path = d.write("r.yaml", f"version: 1\nlisten: '127.0.0.1:{taken.getsockname()[1]}'\n{text}")
        assert run("run", path, env=manager.env()).returncode == 1
        assert not manager.look(), manager.told


def test_the_watchdog_is_fed_while_every_loop_turns():
    with Manager() as manager, Upstream() as up, Admin(upstream=up, workers=2, env=manager.env(WATCHDOG_USEC="400000")) as p:
        wait_for(lambda: manager.look().count("WATCHDOG=1\n") >= 3, "the watchdog is fed")
        for name in ("worker 0", "disk", "admin"):
            said = p.log().count("the watchdog is told nothing")
            with Frozen(p.process.pid, name):
                wait_for(lambda: p.log().count("the watchdog is told nothing") > said, "it sees the stuck loop")
                before = len(manager.look())
                if name != "admin":
                    why_not(p, name, "/livez")
                assert f"{name}: its loop has not answered" in p.log()
                assert len(manager.look()) == before, manager.told[before:]
            wait_for(lambda: len(manager.look()) > before, "the watchdog is fed again")


def test_a_watchdog_for_another_process_or_no_manager():
    with Manager() as manager, Upstream() as up:
        with Admin(upstream=up, env=manager.env(WATCHDOG_USEC="100000", WATCHDOG_PID="1")) as p:
            wait_until_ready(p)
            assert not manager.has("WATCHDOG=1")
        for name in ("", "nonsense", "@", "/" + "x" * 200, "/nonexistent/socket"):
            with Admin(upstream=up, env=dict(os.environ, NOTIFY_SOCKET=name, WATCHDOG_USEC="nonsense")) as p:
                assert post(p.port, "/r/b" + str(len(name)), form(part("file", b"x"))).status == 201


# -- folders -------------------------------------------------------------------------------------------------------

def test_a_folder_that_cannot_be_written_makes_it_not_ready():
    with Upstream() as up, Admin(upstream=up) as p:
        wait_until_ready(p)
        os.rmdir(p.out)
        why_not(p, 'destination "files": its folder cannot be written: ')
        assert get(p.admin, "/livez").status == 200
        assert post(p.port, "/r/1", form(part("file", b"x"))).status == 502
        os.mkdir(p.out)
        p.process.send_signal(signal.SIGHUP)  # opens the folder that is there now
        wait_until_ready(p)
        assert post(p.port, "/r/1", form(part("file", b"x"))).status == 201
        assert [line["why"] for line in p.lines("cannot be written")] == ["No such file or directory"]


def test_a_folder_that_hangs_is_told_of_and_holds_nothing_up():
    if shutil.which("strace") is None:
        raise Skip("strace is not here")
    # Into a thread that strace holds when the process ends the leak check cannot look, and misses what only that one knows.
    with Upstream() as up, Admin(upstream=up, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")) as p:
        wait_until_ready(p)
        tid = thread_named(p.process.pid, "folders")
        with subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-e", "inject=openat:delay_enter=600000000",
                               "-p", str(tid)]) as strace:
            try:
                why_not(p, 'destination "files": its folder does not answer')
                assert get(p.admin, "/livez").status == 200
                assert post(p.port, "/r/1", form(part("file", b"x"))).status == 201, "uploads go on while only the look hangs"
                p.process.send_signal(signal.SIGHUP)
                wait_for(lambda: p.lines("the new route table is in force"), "a reload does not wait for it")
                p.process.send_signal(signal.SIGTERM)
                wait_for(lambda: p.lines("its thread ends with the process") and p.lines('"msg":"stopped"'), "it ends without that thread")
            finally:
                strace.kill()
        assert p.process.wait(DEADLINE) == 0
