# SPDX-License-Identifier: MIT
"""Nothing wrong or half-done becomes visible: clients that leave, upstreams that fail at every phase, full disks."""
import random

from lib import *

DIR = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
UP = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}", timeout: { connect: 20s, idle: 50s }, retry: { connect: 1 } }
  undo: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, timeout: { idle: 50s } }
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: all, match: { path: /all }, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }
  - { id: each, match: { path: /each }, commit: each, fields: [ { name: "*", store: { to: up, path: "/{part}" } } ] }
  - { id: undo, match: { path: /undo }, fields: [ { name: "*", store: { to: undo, path: "/{part}" } } ] }
  - { id: buffered, match: { path: /buffered }, fields: [ { name: "*", buffer: true, max_size: 64KiB, store: { to: up, path: "/{part}" } } ] }
  - id: two
    match: { path: /two }
    fields:
      - { name: f, store: { to: files, key: "{part}" } }
      - { name: u, store: { to: up, path: "/{part}" } }
"""
HANGS = UP.replace("idle: 50s", "idle: 1s")  # only for upstreams that read no more: a busy machine may stand still for a second, too
LARGE = noise(600_000)


def connections_of(p):
    """TCP connections of clients that penstock has open (state 01 ESTABLISHED, 08 CLOSE_WAIT)."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [r for r in rows if int(r[1].split(":")[1], 16) == p.port and r[3] in ("01", "08")]


def test_a_client_cut_anywhere_leaves_nothing():
    body = form(part("v", b"value"), part("small", noise(3000), "s"), part("large", noise(200_000), "l"), part("end", b"last", "e"))
    where = random.Random(7)
    cuts = [where.randrange(1, len(body)) for _ in range(rounds(200))] + list(range(len(body) - 40, len(body)))
    with Upstream() as up, Penstock(UP, up) as p:
        for path in ("/two", "/all"):
            shaped = body if path == "/all" else body.replace(b'name="v"', b'name="f"').replace(b'name="small"', b'name="f"').replace(b'name="large"', b'name="f"').replace(b'name="end"', b'name="u"')
            for i, cut in enumerate(cuts):
                with connect(p.port) as s:
                    end = len(shaped) - (len(body) - cut)
                    framed = i % 2 == 0
                    data = shaped[:end] if framed else b"%x\r\n" % len(shaped) + shaped[:end]
                    s.sendall(head_of(path, len(shaped) if framed else None) + data)
                    if i % 3 == 0:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # a reset can overtake the head, so not every request is known; all that are have ended when no
        # connection of theirs is left
        wait_for(lambda: not connections_of(p), "every connection is closed")
        wait_for(lambda: os.listdir(p.out) == [], "no file and no temporary file is left")
        assert up.store == {}, up.store.keys()
        assert {r["status"] for r in p.requests()} <= {499, 400}, {r["status"] for r in p.requests()}


def test_a_client_that_leaves_while_it_is_held_back_is_noticed():
    def script(request):
        request.upstream.release.wait(DEADLINE)
        return "done"

    with Upstream(script) as up, Penstock(UP, up) as p:
        s = connect(p.port)
        s.settimeout(2)
        body_length = 1 << 30
        s.sendall(head_of("/all", body_length) + part("a", b"", "a")[:-2])
        sent = 0
        try:
            while sent < 1 << 28:
                sent += s.send(LARGE)
        except TimeoutError:
            pass
        assert 1 << 19 < sent < 1 << 26, f"backpressure let {sent} bytes in"
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)) # a plain close would wait for the window
        s.close()
        wait_for(lambda: p.requests(), "the request has ended", 20)
        assert p.requests()[0]["status"] == 499 and up.store == {}


def test_backpressure_holds_the_client_and_goes_on_exactly():
    def script(request):
        request.read_bytes(100_000)
        request.upstream.release.wait(DEADLINE)

    with Upstream(script) as up, Penstock(UP, up) as p:
        data = noise(40_000_000)
        body = form(part("a", data, "a"))
        with connect(p.port) as s:
            s.settimeout(1)
            whole, sent = head_of("/all", len(body)) + body, 0
            try:
                while sent < len(whole):
                    sent += s.send(whole[sent:sent + 1_000_000])
            except TimeoutError:
                pass
            assert sent < len(whole), "the client was never held back"
            up.release.set()
            s.settimeout(DEADLINE)
            s.sendall(whole[sent:])
            assert read_answer(s).status == 201
        assert up.store["/1"] == data


def test_a_connection_that_is_lost_without_a_word_ends_its_request():
    with tempfile.TemporaryDirectory() as folder, Upstream(lambda request: request.upstream.release.wait(DEADLINE) and None, receive=16384) as up:
        lose = os.path.join(folder, "lose")
        with Penstock(UP, up, env=with_shim(folder, "lost_connection.c", LOSE=lose)) as p:
            body = form(part("a", noise(40_000_000), "a"))
            with connect(p.port) as s:
                s.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    s.sendall(head_of("/all", len(body)) + body)  # until it is held back
                with open(lose, "w", encoding="ascii"):
                    up.release.set()
                wait_for(p.requests, "its request has ended")
            os.unlink(lose)
            assert [r["status"] for r in p.requests()] == [499] and up.store == {}, p.requests()
            assert post(p.port, "/all", form(part("a", LARGE))).status == 201


def fail_at(phase, how):
    """A script that fails on the part whose body holds FAIL (or any, before a body is read)."""
    def script(request):
        if request.method == "DELETE" or (phase != "start" and request.path != "/2"):
            return None
        if phase == "mid":
            request.read_bytes(150_000)
        elif phase == "end":
            request.read_all()
        if how == "reset":
            return request.reset()
        if how == "cut":
            return "done"
        if how == "hang":
            request.upstream.release.wait(DEADLINE)
            return "done"
        request.answer(int(how))
        request.read_all()
        return "done"
    return script


def check_failure(path, phase, how):
    body = form(part("a", LARGE, "a"), part("b", LARGE, "b"), part("c", b"small", "c"))
    with Upstream(fail_at(phase, how)) as up, Penstock(HANGS if how in ("hang", "cut") else UP, up) as p:
        answer = post(p.port, path, body)
        label = f"{path} {phase} {how}: {answer.status} {answer.body[:300]}"
        assert answer.status in (502, 504, 507), label
        if how == "hang":
            assert answer.status == 504, label
        if how == "507":
            assert answer.status == 507, label
        told = {f"/{t['part']}": t.get("state", "committed") for t in answer.json().get("parts", [])}
        wait_for(lambda: p.requests(), "the request has ended")
        visible = set(up.store)
        if path == "/undo":
            assert visible == set(), f"{label} {visible}"
        said = {k for k, v in told.items() if v == "committed"}
        assert visible == said, f"{label}: visible {visible}, said {told}"
        if phase == "start" and path == "/all":
            assert visible == set(), label


def test_upstreams_that_fail_at_each_phase():
    for path in ("/all", "/each", "/undo"):
        for phase in ("start", "mid", "end"):
            for how in ("reset", "cut", "413", "500", "507", "hang"):
                if SMALL and how in ("cut", "500"):
                    continue
                check_failure(path, phase, how)


def test_what_an_upstream_has_not_got_in_time_does_not_reach_it_later():
    """It was cut off while the form was committed. Whoever was told 504 must not find the object there when it is back."""
    def script(request):
        request.upstream.release.wait(DEADLINE)
        return None  # reads on as if nothing was

    body = form(part("a", noise(1_500_000), "a"))
    with Upstream(script, receive=4096) as up, Penstock(HANGS, up) as p:
        answer = post(p.port, "/all", body)
        assert answer.status == 504, answer.body
        up.release.set()
        wait_for(lambda: up.seen and up.seen[0].cut or not up.open, "the upstream is done with the connection")
        assert up.store == {}, "it was told 504, and is there"


def test_an_early_201_is_no_success():
    answered = threading.Event()

    def script(request):
        request.read_bytes(1000)
        request.answer(201)
        answered.set()
        request.read_all()
        return "done"

    with Upstream(script) as up, Penstock(UP, up) as p:
        body = form(part("a", LARGE, "a"))
        with connect(p.port) as s:
            s.sendall(head_of("/all", len(body)) + body[:-1000])
            assert answered.wait(DEADLINE)
            answer = read_answer(s) # at once: nothing more is needed from the client
            assert answer.status == 502 and "before the upload was complete" in answer.json()["detail"], answer.body


def test_a_201_while_bytes_are_still_under_way_is_no_success():
    """Nothing is left to be sent, but the store has not got it: to close the connection would take it away."""
    told = threading.Event()

    def script(request):
        request.answer(201, extra=request.upstream.extra)
        told.wait(DEADLINE)
        request.read_all()  # and keeps it, if it is whole
        return "done"

    with Upstream(script, receive=4096) as up, Penstock(UP, up) as p:
        for path, size, up.extra in (("/all", 20_000, ""), ("/all", 20_000, "Connection: close\r\n"), ("/buffered", 60_000, "Connection: close\r\n")):
            told.clear()
            answer = post(p.port, path, form(part("a", noise(size), "a")))
            told.set()
            assert answer.status == 502 and "before the upload was complete" in answer.json()["detail"], (path, answer.status, answer.body)
            assert answer.json()["parts"][0]["state"] == "unknown", answer.body


def test_a_refused_connection_is_502_and_nothing_is_visible():
    with Penstock(UP) as p:
        for body in (form(part("f", b"small"), part("u", b"small")), form(part("f", LARGE, "f"), part("u", LARGE, "u"))):
            answer = post(p.port, "/two", body)
            assert answer.status == 502 and "refused the connection" in answer.json()["detail"], answer.body
            assert os.listdir(p.out) == []


class BehindSilentNames(Penstock):
    """A penstock whose only name server takes every question and never answers; none of its waits ends within the test."""

    def __init__(self, *args, **how):
        self.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.names.bind(("127.0.53.53", 53))
        except OSError as e:
            raise Skip(f"no name server can be had: {e}") from None
        if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("no mounts of one's own here")
        super().__init__(*args, **how)

    def command(self):
        names = os.path.join(self.dir, "resolv.conf")
        with open(names, "w", encoding="ascii") as f:
            f.write("nameserver 127.0.53.53\noptions timeout:30 attempts:2\n")
        return ["unshare", "-m", "sh", "-c", f"mount --bind {names} /etc/resolv.conf && exec {' '.join(super().command())}"]

    def questions(self):
        """Those of so far. glibc asks the same one again after 30 s."""
        asked = []
        self.names.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                asked.append(self.names.recv(512))
        return asked


def test_a_name_server_that_does_not_answer_stops_one_upload_and_not_the_worker():
    far = """  - { id: far, match: { path: /far }, fields: [ { name: "*", store: { to: far, path: "/{part}" } } ] }
"""
    routes = DIR.replace("routes:", '  far: { type: http, url: "http://far.example", timeout: { connect: 300ms } }\nroutes:') + far
    with BehindSilentNames(routes) as p:
        with p.names:
            answer = post(p.port, "/far", form(part("a", LARGE)))
            assert answer.status == 504 and "far" in answer.json()["detail"], (answer.status, answer.body)
            assert post(p.port, "/d", form(part("a", LARGE))).status == 201
            asked = p.questions()
            assert asked and len(asked) == len(set(asked)), "the worker waited for the resolver"


def test_a_post_is_never_sent_twice():
    def script(request):  # the second one is taken, and never answered
        request.read_all()
        if len(request.upstream.seen) > 1:
            return "done"

    routes = UP.replace("routes:", """routes:
  - { id: post, match: { path: /post }, fields: [ { name: "*", store: { to: up, method: POST, path: "/c" } } ] }""", 1)
    for data in (b"hello", b"", LARGE):
        with Upstream(script) as up, Penstock(routes, up) as p:
            assert post(p.port, "/post", form(part("a", data, "f"))).status == 201
            answer = post(p.port, "/post", form(part("a", data, "f")))
            assert answer.status == 502 and answer.json()["parts"][0]["state"] == "unknown", answer.body
            assert len(up.seen) == 2, [r.method for r in up.seen]


def test_answers_that_are_no_whole_http_are_no_success():
    def script(request):
        request.read_all()
        if request.method == "DELETE":
            request.answer(204)
        else:
            request.socket.sendall(ANSWERS[request.headers["x-request-id"]])
        return "done"

    # Where the next one must be good, "close": an upload over a connection that is just being closed is lost.
    ok = b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    ANSWERS = {"informed": b"HTTP/1.1 103 Early Hints\r\nLocation: /no\r\n\r\n" + ok, "plain": ok, "old": b"HTTP/1.0 200 OK\r\n\r\n",
               "half-head": b"HTTP/1.1 201 Created\r\nX: ", "two": b"HTTP/2 201\r\n\r\n", "garbage": b"\0\1\r\n\r\n", "zero-nine": b"hello\n",
               "short": b"HTTP/1.1 201 X\r\nContent-Length: 9\r\n\r\nabc", "chunk": b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
               "none": b"", "moved": b"HTTP/1.1 301 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "not-modified": b"HTTP/1.1 304 X\r\nConnection: close\r\n\r\n"}
    good = ("informed", "plain", "old")
    with Upstream(script) as up, Penstock(UP, up) as p:
        for data in (b"small", LARGE):
            for name in ANSWERS:
                answer = post(p.port, "/all", form(part("a", data, "f")), extra=f"X-Request-Id: {name}\r\n")
                assert answer.status == (201 if name in good else 502), f"{name}: {answer.status} {answer.body}"
                assert b"/no" not in answer.body, answer.body


def test_of_two_destinations_one_that_fails_takes_the_other_back():
    for phase in ("mid", "end"):
        with Upstream(fail_at(phase, "500")) as up, Penstock(UP, up) as p:
            answer = post(p.port, "/two", form(part("f", LARGE, "f"), part("u", LARGE, "u"), part("f", b"x")))
            assert answer.status == 502 and up.store == {}, answer.body
            wait_for(lambda: os.listdir(p.out) == [], "the files are gone")


def test_what_cannot_be_taken_back_is_told():
    def script(request):
        request.read_all()
        if request.method == "DELETE" or request.path == "/2":
            request.answer(500, extra="Connection: close\r\n")
            return "done"

    with Upstream(script) as up, Penstock(UP, up) as p:
        answer = post(p.port, "/undo", form(part("a", LARGE), part("b", b"1"), part("c", b"2")))
        assert answer.status == 502, answer.body
        told = {t["part"]: t for t in answer.json()["parts"]}
        assert told[1]["state"] == "committed" and "taken back" in told[1]["problem"] and told[2]["state"] == "aborted", told
        assert sorted(up.store) == [f"/{n}" for n, t in told.items() if t["state"] == "committed"]


def test_racing_forms_for_one_name_have_one_winner():
    routes = DIR.replace("{uuid}", "same").replace('name: "*"', 'name: "*", max_count: 1')
    with Penstock(routes, workers=2) as p:
        for n in (10, 200_000):
            answers = []
            threads = [threading.Thread(target=lambda i=i: answers.append((i, post(p.port, "/d", form(part("a", noise(n, i))))))) for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            winners = [i for i, a in answers if a.status == 201]
            assert len(winners) == 1 and sorted(a.status for _, a in answers) == [201] + [409] * 7
            assert p.files() == {"same": noise(n, winners[0])}
            os.unlink(os.path.join(p.out, "same"))


def test_replace_shows_old_or_new_and_nothing_else():
    routes = DIR.replace("{uuid}", "sub/same").replace('name: "*"', 'name: "*", max_count: 1').replace('/out"', '/out", exists: replace')
    with Penstock(routes) as p:
        old, new = noise(300_000, 1), noise(200_000, 2)
        assert post(p.port, "/d", form(part("a", old))).status == 201
        for i in range(20):
            expected = {old, new}
            t = threading.Thread(target=post, args=(p.port, "/d", form(part("a", new if i % 2 == 0 else old))))
            t.start()
            while t.is_alive():
                with open(os.path.join(p.out, "sub/same"), "rb") as f:
                    assert f.read() in expected
            t.join()
        wait_for(lambda: os.listdir(p.out) == ["sub"], "what was replaced is gone")
        assert os.listdir(os.path.join(p.out, "sub")) == ["same"]


def test_leftovers_are_swept_at_start_but_not_those_of_the_living():
    with Penstock(DIR) as p:
        with open(os.path.join(p.out, ".penstock-dead"), "wb") as f:
            f.write(b"x")
        with connect(p.port) as s:
            body = form(part("a", noise(300_000)))
            s.sendall(head_of("/d", len(body)) + body[:200_000])
            wait_for(lambda: len(os.listdir(p.out)) == 2, "the upload has begun")
            other = Penstock(DIR.replace("{dir}/out", p.out))
            assert len(os.listdir(p.out)) == 1, os.listdir(p.out)
            other.stop()
            s.sendall(body[200_000:])
            assert read_answer(s).status == 201
        assert list(p.files().values()) == [noise(300_000)]


def test_sigkill_leaves_nothing_visible():
    with Penstock(DIR) as p:
        with connect(p.port) as s:
            s.sendall(head_of("/d", 900_000) + form(part("a", noise(800_000)))[:500_000])
            wait_for(lambda: os.listdir(p.out), "the upload has begun")
            p.process.kill()
            p.process.wait()
        assert all(name.startswith(".penstock-") for name in os.listdir(p.out))
        with Penstock(DIR.replace("{dir}/out", p.out)):
            assert os.listdir(p.out) == []
        p.process.returncode = 0


@contextlib.contextmanager
def small_disk(options):
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small tmpfs")
    folder = tempfile.mkdtemp(prefix="penstock-full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], stderr=subprocess.DEVNULL).returncode != 0:
        os.rmdir(folder)
        raise Skip("cannot mount a tmpfs here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=False)
        os.rmdir(folder)


def test_a_full_disk_is_507_and_nothing_visible():
    with small_disk("size=1m") as folder, Penstock(DIR.replace("{dir}/out", folder)) as p:
        answer = post(p.port, "/d", form(part("b", b"small"), part("a", noise(3_000_000), "a")))
        assert answer.status == 507, answer.body
        wait_for(lambda: os.listdir(folder) == [], "nothing is left")
        assert post(p.port, "/d", form(part("a", noise(500_000)))).status == 201


def test_a_disk_without_room_for_a_folder_is_507_too():
    with small_disk("size=1m,nr_inodes=2") as folder:  # itself and one file
        with Penstock(DIR.replace("{dir}/out", folder).replace("{uuid}", "sub/{uuid}")) as p:
            answer = post(p.port, "/d", form(part("a", b"small")))
            assert answer.status == 507 and "No space" in answer.json()["detail"], answer.body
            wait_for(lambda: os.listdir(folder) == [], "nothing is left")


def test_a_destination_whose_folder_was_removed_says_so_until_a_reload():
    if RELOAD:
        raise Skip("here it reloads all the time")
    with Penstock(DIR) as p:
        os.rmdir(p.out)
        os.mkdir(p.out)
        answer = post(p.port, "/d", form(part("a", b"1")))
        assert answer.status == 502 and "removed" in answer.json()["detail"], answer.body
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: post(p.port, "/d", form(part("a", b"1"))).status == 201, "the new folder is in use")


def test_a_small_budget_refuses_and_recovers():
    def script(request):
        request.upstream.release.wait(DEADLINE)

    with Upstream(script, receive=16384) as up, Penstock(UP, up, memory="4MiB") as p:
        body = form(part("a", noise(3_000_000), "a"))
        stalled = [connect(p.port) for _ in range(100)] # each holds a chunk or two of the 128
        for s in stalled:
            s.setblocking(False)
        data = {s: memoryview(head_of("/all", len(body)) + body) for s in stalled}

        def push():
            for s in stalled:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    data[s] = data[s][s.send(data[s]):]
            with connect(p.port) as newcomer: # sends its head only: admitted, it would be told 100
                newcomer.sendall(head_of("/all", 1000, extra="Expect: 100-continue\r\n"))
                return newcomer.recv(100).startswith(b"HTTP/1.1 503")

        wait_for(push, "a newcomer is told 503")
        up.release.set()
        for s in stalled:
            s.settimeout(DEADLINE)
            with contextlib.suppress(ConnectionError):
                s.sendall(data[s])
            answer = read_answer(s)
            assert answer is not None and answer.status in (201, 503), answer and answer.body
            s.close()
        assert post(p.port, "/all", form(part("b", b"1"))).status == 201
        if E2E_TREE == "release":
            assert p.memory("VmHWM") < 64 << 20, p.memory("VmHWM")


E2E_TREE = os.environ.get("E2E_TREE", "release")


def test_two_workers_and_spread_placement():
    head = ""
    for placement in ("local", "spread"):
        with Upstream() as up, Penstock(UP, up, head=head, workers=f"2, placement: {placement}") as p:
            results = []

            def upload(i):
                body = form(part("a", noise(400_000, i), "a"), part("b", noise(100, i)))
                results.append(post(p.port, "/two" if False else "/all", body, chunk=None if i % 2 else 30_000).status)

            for _ in range(rounds(10)):
                threads = [threading.Thread(target=upload, args=(i,)) for i in range(8)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
            assert set(results) == {201}, results
            cut = [connect(p.port) for _ in range(8)]
            for s in cut:
                s.sendall(head_of("/all", 900_000) + part("a", LARGE, "a")[:500_000])
                s.close()
            wait_for(lambda: len(p.requests()) == len(results) + 8, "the cut ones have ended")


def test_ten_gigabytes_stay_within_memory():
    if E2E_TREE != "release":
        raise Skip("only against the release build")
    size = int(os.environ.get("E2E_BIG", 10 << 30))

    sink = subprocess.Popen([BINARY, "sink", "--port", "0", "--discard"], stdout=subprocess.PIPE, text=True)
    port = int(sink.stdout.readline().rsplit(":", 1)[1])

    class Target:
        pass

    target = Target()
    target.port = port
    routes = UP + "    limits: { body: none }\n    response: { json: none }\n"
    try:
        with Penstock(routes.replace('{ name: u,', '{ name: "*",'), target, memory="64MiB") as p:
            block = noise(1 << 20)
            head, tail = part("u", b"", "u")[:-2], b"\r\n--" + BOUNDARY.encode() + b"--\r\n"
            with connect(p.port) as s:
                s.sendall(head_of("/two", len(head) + size + len(tail)) + head)
                for _ in range(size >> 20):
                    s.sendall(block)
                s.sendall(tail)
                assert read_answer(s).status == 201
            assert p.memory("VmHWM") <= (64 + 16) << 20, p.memory("VmHWM")
    finally:
        sink.terminate()
        sink.wait()
