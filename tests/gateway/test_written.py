# SPDX-License-Identifier: MIT
"""What `penstock haproxy` writes for several route files: each request gets through HAProxy the answer that penstock gives
straight, from the same route, whichever of the two gave it."""
import concurrent.futures
import contextlib
import itertools
import random
import time

from gw import *
from lib import *

STORE = 'fields: [ { name: "*", max_size: none, store: { to: files, key: "%s/{uuid}" } } ]'
FILES = 'destinations:\n  files: { type: directory, path: "{dir}/out" }\nroutes:\n'


def route(name, match, limits=""):
    return f"  - {{ id: {name}, match: {{ {match} }}, {limits}{STORE % name} }}\n"


# Routes with one path and other hosts, methods and limits; every kind of segment; what a regular expression trips over.
MANY = FILES + "".join((
    route("photos", 'host: photos.example.org, path: "/up/*"', "limits: { body: 1KiB }, "),
    route("wild", 'host: "*.example.org", path: "/up/*", method: [PUT]', "limits: { body: 2KiB }, "),
    route("any", 'path: "/up/*", method: [POST, PATCH]', "limits: { body: 4KiB, length: required }, "),
    route("deep", 'path: "/deep/**"'),
    route("middle", 'path: "/a/*/b/*/c", method: [POST, PUT]'),
    route("odd.1-x_y", """path: "/it's(odd)+/$&,;=@!~.x" """),
    route("blank", 'path: "/my%20own/f%C3%BCr"'),
    route("six", 'host: "[::1]", path: /six'),
    route("several", 'host: [one.example, "*.two.example"], path: ["/s/*", "/**"], method: [POST, PUT]', "limits: { body: 1KiB }, "),
    route("root", "path: [/, /s/x]"),
))
HOSTS = ("photos.example.org", "PHOTOS.Example.org:8080", "photos.example.org.", "x.example.org", "a.b.example.org.:1", "example.org",
         "other", "[::1]:80", "[::1]", "photosxexample.org", "one.example", "b.two.example.")
PATHS = ("/up/x", "/up/x?q=/up", "/up/", "/up", "/up/x/y", "/up/x/", "/up/%61", "/%75p/x", "/up//x", "/up/.", "/up/..", "/up/%2e%2e", "/up/%", "/UP/x",
         "/deep", "/deep/", "/deep/a/b", "/deep//x", "/deep/../up/x", "/deeper", "/a/1/b/2/c", "/a/1/b//c", "/a/1/b/2/c/", "/it's(odd)+/$&,;=@!~.x",
         "/it%27s(odd)+/$&,;=@!~.x", "/its(odd)+/$&,;=@!~.x", "/it's(odd)/$&,;=@!~.x", "/it's(odd)+/$&,;=@!~yx", "/my%20own/f%C3%BCr", "/my%20own/f%c3%bcr",
         "/my+own/f%C3%BCr", "/six", "/s/x", "/s/x/y", "/", "/?x", "//", "/nope", "/index.html")
METHODS = ("POST", "PUT", "PATCH", "GET")


def said(answer):
    """What matters of an answer: status, Allow, kind of refusal, the route that stored; or that HAProxy could read no request."""
    if answer is None:
        return None
    if answer.headers.get("content-type") == "text/html":
        return "HAProxy's own", answer.status
    told = answer.json() if answer.body else {}
    routes = [part["target"].split("/")[0] for part in told.get("parts", [])]
    return answer.status, ", ".join(sorted(answer.headers.get("allow", "").split(", "))), told.get("type", "").split(":")[-1], routes


def send(port, method, host, path, length, waits):
    if waits:
        return said(expect_continue(port, path, length, host=host, method=method))
    body = form(part("a", b"x" * (length - 200))) if length else b""
    with connect(port) as s:
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        framing = f"Content-Length: {len(body)}\r\n" if length else ""
        s.sendall((head + framing + "\r\n").encode() + body)
        return said(read_answer(s))


def requests():
    for method, host, path in itertools.product(METHODS, HOSTS, PATHS):
        yield method, host, path, 0 if method == "GET" else 500, False
        if method != "GET":
            yield method, host, path, 500, True
    for method, host, path in itertools.product(METHODS[:3], HOSTS[:6], ("/up/x", "/deep/x")):
        for length in (1000, 1500, 3000, 5000):
            yield method, host, path, length, False
            yield method, host, path, length, True
        yield method, host, path, None, True


def check_alike(penstock, g, sample):
    different = []
    for request in sample:
        straight, through = send(penstock.port, *request), send(g.port, *request)
        if straight != through and through != ("HAProxy's own", 400):
            different.append(f"{str(request)[:99]}: straight {straight}, through {through}")
    assert not different, f"{len(different)} of {len(sample)}:\n" + "\n".join(different[:12]) + "\n" + g.log()[-1000:]


def sample_of(n):
    every = list(requests())
    return random.Random(7).sample(every, n) if n < len(every) else every


def test_rules_alone_take_and_refuse_as_penstock_does():
    with Penstock(MANY) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                assert not g.with_agent
                check_alike(p, g, sample_of(rounds(500)))


def test_with_the_agent_as_penstock_does():
    with Penstock(MANY, head=AGENT) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                check_alike(p, g, sample_of(rounds(500)))
        assert any('"refused"' in line for line in p.log().splitlines())


def test_with_the_filter_as_penstock_does():
    with Penstock(MANY) as p:
        for program in with_filter().values():
            with Gateway(p, program, native=True) as g:
                check_alike(p, g, sample_of(rounds(500)))


# Ids, methods and paths that mean something in a configuration, and targets that are more than a path.
NAMES = """["#X", "IT'S", "A%B", "$HOME", "-F", "--", "`X|Y~", POST]"""
STRANGE = FILES + "".join((
    route("odd", f'path: "/odd", method: {NAMES}', "limits: { length: required }, "),
    route("-f", 'path: "/f"', "limits: { body: 1KiB }, "),
    route("--", 'host: h, path: "/up/*"', "limits: { body: 1KiB }, "),
    route("slash", 'path: "/up/a%2Fb"', "limits: { body: 1KiB }, "),
    route("two", 'path: "/up/a/b"'),
    route("root", 'path: "/"'),
))
TARGETS = ("/odd", "/f", "/up/a/b", "/up/a%2Fb", "/up/a%2fb", "http://h", "http://h/", "http://h?/f", "http://h/f", "HTTP://H:80/f?x", "https://h/up/1",
           "http://u@h/f", "http:///f", "http://", "http://other/f", "ftp://h/f", "ftp:/f", "*", "h", "//h/f", "/f?http://h/", "http://h:" + "0" * 3000 + "/f",
           "http://h/" + "x" * 2046, "http://h/" + "x" * 2047, "/f?" + "x" * 4000, "/" + "x" * 4000, "/x" * 64, "/x" * 65)


def strange_requests():
    for method, target in itertools.product(("POST", "#X", "A%B", "$HOME", "PUT"), TARGETS):
        yield method, "h", target, 500, False
        yield method, "h", target, 500, True
    for method, length in itertools.product(("#X", "IT'S", "A%B", "$HOME", "-F", "--", "`X|Y~", "-"), (500, None)):
        yield method, "h", "/odd", length, True
    for length in (1500, 500):
        for target in ("/f", "/up/x", "/up/a/b"):
            yield "POST", "h", target, length, True


def test_what_is_strange_is_taken_and_refused_as_penstock_does():
    for head in ("", AGENT):
        with Penstock(STRANGE, head=head) as p:
            for program in haproxies().values():
                with Gateway(p, program) as g:
                    check_alike(p, g, list(strange_requests()))
    with Penstock(STRANGE) as p, contextlib.suppress(Skip):
        for program in with_filter().values():
            with Gateway(p, program, native=True) as g:
                check_alike(p, g, list(strange_requests()))


def test_who_may_be_answered_by_haproxy_is():
    """The same refusals, but penstock must not have seen those who wait for 100."""
    with Penstock(MANY, head=AGENT) as p, Gateway(p) as g:
        for method, host, path, length in (("POST", "other", "/nope", 5), ("PUT", "other", "/up/x", 5), ("POST", "photos.example.org", "/up/x", 5000),
                                           ("GET", "other", "/deep/x", 5), ("POST", "other", "/up/x", None)):
            answer = expect_continue(g.port, path, length, host=host, method=method)
            assert 400 <= answer.status < 500 and answer.headers["x-request-id"] == answer.json()["request_id"], answer.status
        with connect(g.port) as s:
            s.sendall(b"GET /index.html HTTP/1.1\r\nHost: other\r\n\r\n")
            assert read_answer(s).status == 404
        assert p.requests() == [], p.requests()


EVERY_HOST = FILES + route("h", 'host: "*.example.org"') + route("all", "method: [POST, PUT]", "limits: { body: none }, ")


def test_a_route_without_a_path_takes_all():
    with Penstock(EVERY_HOST, head=AGENT) as p, Gateway(p) as g:
        for method, host, path in itertools.product(METHODS, ("a.example.org", "other"), ("/", "/x/y", "/%", "/a//b", "/..")):
            request = method, host, path, 0 if method == "GET" else 500, False
            assert send(p.port, *request) == send(g.port, *request), request
        assert not p.requests() or expect_continue(g.port, "/big", 1 << 40).status == 100


def clean(program, cfg):
    run = subprocess.run([program, "-c", "-f", cfg], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "WARNING" not in run.stdout + run.stderr and "ALERT" not in run.stdout + run.stderr, run.stdout + run.stderr


LISTENERS = (
    'listen: ["unix:{dir}/a b\'c.sock", "127.0.0.1:{port}"]', 'listen: ["127.0.0.1:{port}"]', 'listen: ["0.0.0.0:{port}"]', 'listen: ["[::]:{port}"]',
    'listen: [":{port}"]', 'listen: [ { addr: "127.0.0.1:{port}", proxy_protocol: true }, "unix:{dir}/x.sock" ]',
    'listen: [ { addr: "unix:{dir}/y.sock", proxy_protocol: true } ]', 'listen: ["[::1]:{port}"]',
)


class AnyListener:
    """A penstock with `listen` of its own; only what Gateway needs."""

    def __init__(self, listen, spoa):
        self.dir = tempfile.mkdtemp(prefix="penstock-gw-")
        os.mkdir(self.dir + "/out")
        self.file, self.log_path = self.dir + "/it's routes.yaml", self.dir + "/log"
        text = "version: 1\n" + listen + "\n" + spoa + "\n" + EVERY_HOST
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(text.replace("{dir}", self.dir).replace("{port}", str(free_port())))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([BINARY, "run", self.file], stderr=log, stdout=log)
        wait_for(lambda: '"listening"' in self.log(), "it listens")

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            assert self.process.poll() is None, f.read()
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0
        shutil.rmtree(self.dir)


def test_every_kind_of_listener_is_found():
    with socket.socket(socket.AF_INET6) as s:
        has_v6 = s.connect_ex(("::1", 9)) != 99
    agents = itertools.cycle(('spoa: { listen: ["unix:{dir}/a g.sock"] }', f'spoa: {{ listen: ["127.0.0.1:{free_port()}"] }}', ""))
    for listen, spoa in zip(LISTENERS, agents):
        if "[::" in listen and not has_v6:
            continue
        with AnyListener(listen, spoa) as p:
            for program in haproxies().values():
                with Gateway(p, program) as g:
                    assert g.with_agent == bool(spoa)
                    answer = post(g.port, "/x", form(part("a", b"hello")))
                    assert answer.status == 201, (listen, answer.status, answer.body, g.log()[-500:])
                    clean(program, g.cfg)


def test_what_is_written_is_clean_for_every_route_file():
    shipped = ["config/routes.example.yaml", "config/routes.minimal.yaml", "config/haproxy/routes.yaml", "docker/debian/routes.yaml",
               "docker/routes.yaml", "docker/routes-s3.yaml"]
    env = {**os.environ, "GALLERY_KEY": 32 * "k"}
    with Penstock(MANY, head=AGENT) as p:
        for file in [p.file] + shipped:
            out = tempfile.mkdtemp(prefix="penstock-gw-")
            run = subprocess.run([BINARY, "haproxy", "--out", out, file], capture_output=True, text=True, check=False, env=env)
            assert run.returncode == 0, run.stderr
            for program in haproxies().values():
                clean(program, out + "/haproxy.cfg")
            shutil.rmtree(out)


def write(*options, cwd=None):
    return subprocess.run([BINARY, "haproxy", *options], capture_output=True, text=True, check=False, cwd=cwd)


def test_names_of_files_cannot_end_a_line():
    """Quotes and line ends in a folder's name, and sockets that are named from where penstock is started."""
    with tempfile.TemporaryDirectory(prefix="penstock it's\n\"a #$HOME\tfolder ") as folder:
        with open(folder + "/routes.yaml", "w", encoding="utf-8") as f:
            f.write('version: 1\nlisten: "unix:in.sock"\nspoa: { listen: "unix:run/spoa.sock" }\n' + EVERY_HOST.replace("{dir}", "/srv"))
        run = write("--out", "gw", "routes.yaml", cwd=folder)
        assert run.returncode == 0, run.stderr
        for program in haproxies().values():
            clean(program, folder + "/gw/haproxy.cfg")
        with open(folder + "/gw/haproxy.cfg", encoding="utf-8") as f:
            text = f.read()
        assert "folder " in text and "/in.sock'" in text and "/run/spoa.sock'" in text and "unix@in" not in text and "unix@run" not in text


def content_of(folder):
    found = {}
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", encoding="utf-8") as f:
            found[name] = f.read()
    return found


def test_what_somebody_has_edited_is_not_written_over():
    """One's own files, edited or made without penstock, are kept, and the others with them; those that are as they were written
    are written again."""
    routes, bare = "config/haproxy/routes.yaml", "config/routes.minimal.yaml"
    for flavour, file in (((), "haproxy.cfg"), ((), "penstock.spoe.conf"), (("--backend",), "penstock.cfg"), (("--native",), "haproxy.cfg")):
        for edit in (lambda text: text + "# mine\n", lambda text: text.replace("timeout", "timeout ", 1), lambda _: "", lambda _: "global\n",
                     lambda text: re.sub("; not edited: .*", "", text)):
            with tempfile.TemporaryDirectory() as folder:
                assert write("--out", folder, *flavour, routes).returncode == 0
                first = content_of(folder)
                assert file in first
                assert write("--out", folder, "--listen" if not flavour else "--native", *((":9",) if not flavour else ()), *flavour, routes).returncode == 0
                assert write("--out", folder, *flavour, routes).returncode == 0 and content_of(folder)[file] == first[file]
                with open(f"{folder}/{file}", "w", encoding="utf-8") as f:
                    f.write(edit(first[file]))
                mine = content_of(folder)
                run = write("--out", folder, *flavour, routes)
                assert run.returncode == 1 and file in run.stderr and "--force" in run.stderr and content_of(folder) == mine, run
                run = write("--out", folder, "--force", *flavour, routes)
                assert run.returncode == 0 and content_of(folder)[file] == first[file], run
    with tempfile.TemporaryDirectory() as folder:  # penstock's part beside one's own
        with open(folder + "/haproxy.cfg", "w", encoding="utf-8") as f:
            f.write("global\n")
        assert write("--out", folder, "--backend", routes).returncode == 0 and content_of(folder)["haproxy.cfg"] == "global\n"
        assert write("--out", folder, bare).returncode == 1
        assert write("--out", folder, "--backend", "--listen", ":1", routes).returncode == 2


def test_the_longest_silence_is_that_of_the_destinations():
    def silence(destinations):
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/r.yaml", "w", encoding="utf-8") as f:
                f.write("version: 1\nspoa: { listen: '127.0.0.1:1', idle: 8760h }\ndestinations:\n" + "".join(f"  d{n}: {{ {d} }}\n" for n, d in enumerate(destinations))
                        + "routes:\n  - id: r\n    fields:\n" + "".join(
                            f"      - {{ name: f{n}, store: {{ to: d{n}, {'path: /' if 'http' in d else 'key: '}{{uuid}} }} }}\n".replace("{uuid}", '"{uuid}"' if "http" not in d else "{uuid}")
                            for n, d in enumerate(destinations)).replace("path: /{uuid}", 'path: "/{uuid}"'))
            run = write("--out", folder + "/gw", "--listen", "127.0.0.1:1", folder + "/r.yaml")
            assert run.returncode == 0, run.stderr
            clean(list(haproxies().values())[0], folder + "/gw/haproxy.cfg")
            return re.search(r"backend penstock\n.*\n    timeout server (\w+)", content_of(folder + "/gw")["haproxy.cfg"]).group(1)

    http = "type: http, url: 'http://127.0.0.1:1'"
    assert silence(["type: directory, path: /srv"]) == "130s"
    assert silence([http]) == "148s"
    assert silence([http, "type: directory, path: /srv"]) == "148s"
    assert silence([http + ", timeout: { idle: 1s, connect: 100ms }, retry: { connect: 0 }"]) == "14300ms"
    assert silence([http + ", timeout: { total: 500ms }, retry: { connect: 0 }"]) == "18s"
    assert silence([http, http + ", timeout: { idle: 8760h, total: 8760h }"]) == "2073600s"
    s3 = "type: s3, bucket: bkt"  # six calls of five tries, and a Complete
    assert silence([s3]) == f"{6 * (5 * (30 + 3 * 2) + 4 * 20) + 3600 + 10 + 10}s"
    assert silence([s3, http]) == silence([s3])
    assert silence([s3 + ", timeout: { idle: 2s, connect: 100ms, total: 20s }, retry: { connect: 0, parts: 0 }"]) == "52600ms"
    assert silence([s3 + ", timeout: { total: 500ms }, retry: { connect: 0, parts: 1 }"]) == f"{6 * (2 * 2500 + 20000) + 500 + 20000}ms"


def test_an_address_to_listen_at_is_one_line():
    with tempfile.TemporaryDirectory() as folder:
        for address in ("127.0.0.1:8080\n    http-request deny", ":8080\rx", ""):
            run = write("--out", folder + "/gw", "--listen", address, "config/haproxy/routes.yaml")
            assert run.returncode == 2 and "--listen cannot be" in run.stderr and not os.path.exists(folder + "/gw"), run
        assert write("--out", folder + "/gw", "--listen", ":8443 ssl crt /x.pem alpn h2,http/1.1", "config/haproxy/routes.yaml").returncode == 0


def test_what_clients_forge_does_not_arrive():
    """X-Forwarded-For, the request's id, the admitted route: HAProxy alone says them; and a refusal cannot be wished away."""
    forged = "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.8\r\nX-Request-Id: forged\r\nX-Penstock-Route: x\r\nX-Penstock-Refuse: 503\r\n"
    with Penstock(EVERY_HOST, head=AGENT) as p, Gateway(p) as g:
        answer = post(g.port, "/x", form(part("a", b"1")), extra=forged)
        assert answer.status == 201 and answer.headers["x-request-id"] != "forged"
        request = wait_for(lambda: p.requests(), "it is logged")[-1]
        assert request["client"] == "127.0.0.1" and request["id"] == answer.headers["x-request-id"], request


def window_of(port):
    """INITIAL_WINDOW_SIZE of HAProxy's SETTINGS (RFC 9113 section 6.5.2)."""
    with connect(port) as s, s.makefile("rb") as stream:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        head = stream.read(9)
        assert head[3] == 4, head
        payload = stream.read(int.from_bytes(head[:3], "big"))
    settings = {int.from_bytes(payload[i:i + 2], "big"): int.from_bytes(payload[i + 2:i + 6], "big") for i in range(0, len(payload), 6)}
    return settings.get(4, 65535)


def test_a_client_of_http_2_may_send_a_mebibyte_before_it_hears_of_it():
    with Penstock(EVERY_HOST, head=AGENT) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                assert window_of(g.port) == 1 << 20, (program, window_of(g.port))


def slowly(port):
    """An upload of eight seconds."""
    body = form(part("a", noise(200_000)))
    step = len(body) // 40 + 1
    with connect(port) as s:
        s.sendall(head_of("/x", len(body)))
        for at in range(0, len(body), step):
            s.sendall(body[at:at + step])
            time.sleep(0.2)
        return read_answer(s)


def and_stops(port):
    body = form(part("b", noise(200_000)))
    with connect(port) as s:
        s.sendall(head_of("/x", len(body)) + body[:100_000])
        return read_answer(s)


def test_time_outs_bound_a_pause_and_not_the_upload():
    """Those for client and server are three seconds here: an upload of eight arrives, and of one that stops nothing is kept."""
    def short(text):
        return re.sub(r"(backend penstock\n.*\n    timeout server) 130s", r"\1 3s", text.replace("timeout client 60s", "timeout client 3s"))

    programs = [(program, False) for program in haproxies().values()]
    with contextlib.suppress(Skip):
        programs += [(program, True) for program in with_filter().values()]
    with Penstock(EVERY_HOST, head=AGENT) as p, contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(16) as pool:
        ports = [stack.enter_context(Gateway(p, program, native=native, edit=short)).port for program, native in programs]
        slow, stopped = [pool.submit(slowly, port) for port in ports], [pool.submit(and_stops, port) for port in ports]
        assert [f.result().status for f in slow] == [201] * len(ports)
        told = [f.result() and f.result().status for f in stopped]
        assert all(status is None or status >= 400 for status in told), told
        wait_for(lambda: len(p.files()) == len(ports), "only those that arrived are there")
        assert all(len(data) == 200_000 for data in p.files().values())
