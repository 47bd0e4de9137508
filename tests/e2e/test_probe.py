# SPDX-License-Identifier: MIT
"""`penstock probe`: what it finds of stores and folders that keep their promises and of some that do not, its exit codes, and
that nothing of it is left. Scripted stores act on what they have read, never on how long it took."""
import ctypes
import shutil

from dav import *

HEAD = """version: 1
destinations:
  store: {{ type: http, url: "http://127.0.0.1:{port}/files", timeout: {{ connect: {connect} }}{more} }}
"""
RULE = 'store: { to: store, key: "{uuid}" }'
STOP_AT = 8192  # bytes after which the body of a silent request stops
ROUTES = """routes:
  - {{ id: r, match: {{ path: "/up" }}, fields: [ {{ name: f, {rule} }} ] }}
"""


def route_file(port, more="", rule=RULE, connect="60s"):
    return HEAD.format(port=port, more=more and ", " + more, connect=connect) + ROUTES.format(rule=rule)


class Probe:
    """`penstock probe` on a route file; what it has found: found[destination][ability]."""

    def __init__(self, routes, *options, during=None):
        with tempfile.TemporaryDirectory(prefix="penstock-probe-test-") as folder:
            path = os.path.join(folder, "routes.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(routes)
            process = subprocess.Popen([BINARY, "probe", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if during is not None:
                during(process)
            self.out, self.err = process.communicate(timeout=DEADLINE)
        self.code, self.found = process.returncode, {}
        for word in FINDINGS:
            assert word not in self.err, self.err
        if "--json" in options and self.code != 2:
            self.json = json.loads(self.out)
            for destination in self.json["destinations"]:
                self.found[destination["name"]] = {finding["ability"]: finding for finding in destination["findings"]}

    def answers(self, destination="store"):
        return {ability: finding["answer"] for ability, finding in self.found[destination].items()}

    def broken(self):
        return [(name, ability) for name, findings in self.found.items() for ability, finding in findings.items() if finding["broken"]]


def give(request):
    with request.upstream.lock:
        data = request.upstream.store.get(request.path)
    request.answer(404 if data is None else 200, data or b"")


def remove(request):
    with request.upstream.lock:
        was_there = request.upstream.store.pop(request.path, None) is not None
    request.answer(204 if was_there else 404)


def keep(request, data=None):
    with request.upstream.lock:
        request.upstream.store[request.path] = bytes(request.body) if data is None else data
    request.answer(201)


def say_continue(request):
    if request.headers.get("expect") == "100-continue":
        request.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def store(put=None, delete=None, wants_expect=say_continue):
    """A store; `put` and `delete` may do otherwise: they return whether they have answered."""
    def script(request):
        if request.method == "PUT":
            wants_expect(request)
            if put is not None and put(request):
                return "done" if not request.complete else "next"
            if not request.read_all():
                return "done"
            keep(request)
        elif request.read_all() and request.method == "GET":
            give(request)
        elif delete is None or not delete(request):
            remove(request)
        return "next"
    return Upstream(script)


def puts(upstream):
    with upstream.lock:
        return [request for request in upstream.seen if request.method == "PUT"]


def is_silent_one(request):
    """Whether the body stops: the requests before are a PUT with its length, a chunked one and one that asks for a 100."""
    return len(puts(request.upstream)) >= 4


# -- stores ----------------------------------------------------------------------------------------------------------

def test_probe_of_a_real_store():
    with nginx() as server:
        probe = Probe(route_file(server.port, "undo: DELETE"), "--json", "--hold", "100ms")
        assert probe.code == 0 and probe.json["good"] and not probe.json["interrupted"], probe.out
        assert probe.answers() == {"reachable": "yes", "PUT": "yes", "GET": "yes", "DELETE": "yes", "chunked": "yes", "early 100": "yes",
                                   "silence": "yes", "slow body": "yes", "removed again": "yes"}, probe.out
        assert server.files() == {}, server.files()
        with open(os.path.join(server.dir, "access.log"), encoding="ascii") as f:
            assert all(' /files/.penstock-probe-' in line for line in f)


def test_probe_in_json_and_as_a_table_say_the_same():
    with store() as upstream:
        routes = route_file(upstream.port, "undo: DELETE")
        probe, table = Probe(routes, "--json"), Probe(routes).out.splitlines()
        for finding in probe.json["destinations"][0]["findings"]:
            assert set(finding) == {"ability", "answer", "relied_on", "broken", "sentence"}, finding
            assert finding["answer"] in ("yes", "no", "not tried") and isinstance(finding["broken"], bool), finding
        shown = [line[2:34].strip() for line in table[1:-1]]
        assert shown == [f"{ability:20} {answer}" for ability, answer in probe.answers().items()], table
        assert table[0] == "store (http)" and table[-1].startswith("good: "), table
        assert set(probe.json) == {"good", "interrupted", "destinations"} and probe.json["destinations"][0]["type"] == "http"
        assert upstream.store == {}


def test_probe_of_a_store_that_takes_nothing_chunked():
    def refuse(request):
        if request.is_chunked and request.read_all():
            request.answer(411)
        return request.is_chunked
    with store(put=refuse) as upstream:
        probe = Probe(route_file(upstream.port), "--json", "--hold", "1s")
        assert probe.code == 1 and probe.broken() == [("store", "chunked")], probe.out
        assert "411" in probe.found["store"]["chunked"]["sentence"]
        assert probe.answers()["silence"] == "not tried" and probe.answers()["early 100"] == "yes", probe.out
        probe = Probe(route_file(upstream.port, rule="max_size: 1MiB, buffer: true, " + RULE), "--json")
        assert probe.code == 0 and probe.answers()["chunked"] == "no", probe.out
        assert upstream.store == {}


def test_probe_of_a_store_that_keeps_nothing_of_a_chunked_body():
    def empty(request):
        if request.is_chunked and request.read_all():
            keep(request, b"")
        return request.is_chunked
    with store(put=empty) as upstream:
        probe = Probe(route_file(upstream.port), "--json")
        assert probe.code == 1 and probe.broken() == [("store", "chunked")], probe.out
        assert upstream.store == {}


def test_probe_of_a_store_that_gives_no_early_100():
    with store(wants_expect=lambda request: None) as upstream:
        probe = Probe(route_file(upstream.port, connect="2s"), "--json")
        assert probe.code == 0 and probe.answers()["early 100"] == "no" and probe.answers()["chunked"] == "yes", probe.out
        assert upstream.store == {}


def test_probe_of_a_store_that_takes_no_put():
    def refuse(request):
        if request.read_all():
            request.answer(403)
        return True
    with store(put=refuse) as upstream:
        probe = Probe(route_file(upstream.port), "--json")
        assert probe.code == 1 and probe.broken() == [("store", "PUT")] and len(puts(upstream)) == 1, probe.out
        assert probe.answers()["chunked"] == "not tried", probe.out


def test_probe_puts_nothing_where_delete_is_not_allowed():
    def refuse(request):
        request.answer(405)
        return True
    with store(delete=refuse) as upstream:
        probe = Probe(route_file(upstream.port), "--json", "--hold", "1s")
        assert probe.code == 0 and probe.answers()["DELETE"] == "no", probe.out
        assert {probe.answers()[ability] for ability in ("PUT", "GET", "chunked", "early 100", "silence", "removed again")} == {"not tried"}
        assert "405" in probe.found["store"]["DELETE"]["sentence"] and "DELETE" in probe.found["store"]["PUT"]["sentence"]
        probe = Probe(route_file(upstream.port, "undo: DELETE"), "--json")
        assert probe.code == 1 and probe.broken() == [("store", "DELETE")], probe.out
        assert puts(upstream) == [] and upstream.store == {}


def test_probe_tells_what_a_store_does_not_remove():
    def pretend(request):
        request.answer(204)
        return True
    with store(delete=pretend) as upstream:
        probe = Probe(route_file(upstream.port, "undo: DELETE"), "--json")
        assert probe.code == 1 and probe.broken() == [("store", "DELETE"), ("store", "removed again")], probe.out
        left, = upstream.store  # and no second one
        assert left.removeprefix("/files") in probe.found["store"]["removed again"]["sentence"], (left, probe.out)


def test_probe_of_a_store_that_bears_no_silence():
    def cut(request):
        if is_silent_one(request):
            request.read_bytes(STOP_AT)
            request.answer(408)
        return is_silent_one(request)
    for hold, broken in (("none", "silence"), ("1ms", "slow body")):
        with store(put=cut) as upstream:
            probe = Probe(route_file(upstream.port, f"hold: {{ every: {hold} }}"), "--json", "--hold", "3600s")
            assert probe.code == 1 and probe.broken() == [("store", broken)], probe.out
            assert probe.answers()["silence"] == "no" and "408" in probe.found["store"]["silence"]["sentence"], probe.out
            assert upstream.store == {}


def test_probe_of_a_store_that_bears_a_byte_now_and_then():
    drops = []

    def cut(request):
        if not is_silent_one(request):
            return False
        request.read_bytes(STOP_AT)
        if len(puts(request.upstream)) == 4:
            request.answer(408)
            return True
        drops.append(len(request.read_some()))
        return False
    with store(put=cut) as upstream:
        # the first of the two never gets as far as its end, the second one does
        probe = Probe(route_file(upstream.port, "hold: { every: 10ms }"), "--json", "--hold", "3s")
        assert probe.code == 0 and probe.answers()["silence"] == "no" and probe.answers()["slow body"] == "yes", probe.out
        assert drops == [1] and upstream.store == {}, drops


def test_probe_of_a_store_that_is_not_there():
    probe = Probe(route_file(free_port()), "--json")
    assert probe.code == 1 and probe.broken() == [("store", "reachable")], probe.out
    assert set(probe.answers().values()) == {"no", "not tried"}, probe.out


def test_probe_of_a_store_that_does_not_answer():
    """Nothing of it is good, although nothing but the connection was tried."""
    with Upstream(lambda request: "done") as upstream:
        probe = Probe(route_file(upstream.port), "--json")
        assert probe.code == 1 and probe.broken() == [("store", "reachable")], probe.out
        assert probe.answers()["DELETE"] == "not tried" and puts(upstream) == [], probe.out


def test_probe_says_how_much_it_did_not_try():
    with store() as upstream:
        out = [Probe(route_file(upstream.port), *options).out.splitlines()[-1] for options in ([], ["--hold", "1ms"])]
        assert "1 thing was not tried" in out[0] and out[1] == "good: everything that the route files rely on is kept", out


def test_probe_posts_nothing():
    with store() as upstream:
        probe = Probe(route_file(upstream.port, rule='store: { to: store, method: POST, path: "/" }'), "--json", "--hold", "1s")
        assert probe.code == 0 and probe.answers() == {"reachable": "yes", "POST": "not tried"}, probe.out
        assert upstream.seen == []


# -- the end ---------------------------------------------------------------------------------------------------------

def interrupts(upstream, condition, signals=(signal.SIGINT,)):
    """As soon as the store has seen what `condition` wants; then the store goes on."""
    def during(process):
        wait_for(lambda: condition(upstream) or process.poll() is not None, "the request")
        for number in signals:
            process.send_signal(number)
        upstream.release.set()
    return during


def test_probe_that_is_interrupted_leaves_nothing():
    """In the middle of a body, and when all of one is away and the store takes its time."""
    def is_silent(upstream):
        return len(puts(upstream)) == 4 and len(puts(upstream)[3].body) == STOP_AT

    def wait(request):
        if len(puts(request.upstream)) == 2 and request.read_all():
            request.upstream.release.wait(DEADLINE)
        return False

    def is_away(upstream):
        return len(puts(upstream)) == 2 and puts(upstream)[1].complete
    for put, condition in ((None, is_silent), (wait, is_away)):
        for number in (signal.SIGINT, signal.SIGTERM):
            with store(put=put) as upstream:
                probe = Probe(route_file(upstream.port), "--json", "--hold", "3600s", during=interrupts(upstream, condition, (number,)))
                assert probe.code == 1 and probe.json["interrupted"] and not probe.json["good"], probe.out
                assert probe.answers()["removed again"] == "yes" and probe.broken() == [], probe.out
                assert upstream.store == {}, upstream.store
                assert upstream.seen[-1].method in ("DELETE", "GET")


def test_probe_tries_nothing_more_after_an_interruption():
    with store() as upstream, tempfile.TemporaryDirectory() as folder:
        more = f"  later: {{ type: directory, path: {folder} }}\n"
        routes = HEAD.format(port=upstream.port, more="", connect="60s") + more + ROUTES.format(
            rule=RULE + ' }, { name: g, store: { to: later, key: "{uuid}" }')
        probe = Probe(routes, "--json", "--hold", "3600s", during=interrupts(upstream, lambda up: len(puts(up)) == 4))
        assert probe.code == 1 and list(probe.found) == ["store"], probe.out


# -- folders ---------------------------------------------------------------------------------------------------------

def folders(**paths):
    rules = ", ".join(f'{{ name: {name}, store: {{ to: {name}, key: "{{uuid}}" }} }}' for name in paths)
    lines = "".join(f"  {name}: {{ type: directory, path: {path} }}\n" for name, path in paths.items())
    return f'version: 1\ndestinations:\n{lines}routes:\n  - {{ id: r, match: {{ path: "/up" }}, fields: [ {rules} ] }}\n'


def make(*path):
    path = os.path.join(*path)
    os.mkdir(path)
    return path


def test_probe_of_folders_of_one_file_system():
    with tempfile.TemporaryDirectory() as at:
        a, b = make(at, "a"), make(at, "b")
        probe = Probe(folders(a=a, b=b), "--json")
        assert probe.code == 0, probe.out
        for name, other in (("a", "b"), ("b", "a")):
            for ability in ("writable", "numbers kept", "names not replaced", "fsync", "one file system"):
                assert probe.answers(name)[ability] == "yes", (ability, probe.out)
            assert f'"{other}"' in probe.found[name]["one file system"]["sentence"]
            assert "free" in probe.found[name]["space"]["sentence"] and "quota" in probe.found[name]
        assert probe.found["a"]["names not replaced"]["relied_on"] == "exists: refuse"
        assert os.listdir(a) == os.listdir(b) == []


def test_probe_of_folders_of_two_file_systems():
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory(dir="/dev/shm") as b:
        if os.stat(a).st_dev == os.stat(b).st_dev:
            raise Skip("there is one file system alone")
        probe = Probe(folders(a=a, b=b), "--json")
        assert probe.code == 0 and probe.answers("a")["one file system"] == "no" and probe.answers("b")["one file system"] == "no", probe.out
        assert os.listdir(a) == os.listdir(b) == []


def read_only(at):
    """A folder that this user may not write; root may write any that is not mounted so."""
    folder = make(at, "read-only")
    os.chmod(folder, 0o555)
    if os.geteuid() != 0:
        return folder, lambda: None
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("nothing may be mounted here")
    return folder, lambda: subprocess.run(["umount", folder], check=True)


def test_probe_of_a_folder_that_may_not_be_written():
    with tempfile.TemporaryDirectory() as at:
        folder, done = read_only(at)
        try:
            probe = Probe(folders(a=folder, b=make(at, "b")), "--json")
        finally:
            done()
        assert probe.code == 1 and probe.broken() == [("a", "writable")], probe.out
        assert probe.answers("a")["fsync"] == "not tried" and probe.answers("b")["fsync"] == "yes", probe.out


def test_probe_of_a_small_file_system():
    """Where there is room for less than a part that the rules let in, that is said, and no fault of anybody's."""
    if os.geteuid() != 0:
        raise Skip("only root may mount one")
    with tempfile.TemporaryDirectory() as at:
        folder = make(at, "small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skip("nothing may be mounted here")
        try:
            routes = folders(a=folder)
            small, large = (Probe(routes.replace("name: a,", f"name: a, max_size: {size},"), "--json") for size in ("64KiB", "1GiB"))
        finally:
            subprocess.run(["umount", folder], check=True)
        assert small.code == large.code == 0, (small.out, large.out)
        assert small.answers("a")["space"] == "yes" and large.answers("a")["space"] == "no", (small.out, large.out)


QUOTACTL, GET, SET = 443, 0x800007, 0x800008  # quotactl_fd(2): every machine has the same number
USER, GROUP = 0, 1


def quotactl(at, command, type, quota):
    """Of root: eight numbers and what they mean. None: the kernel says no."""
    folder = os.open(at, os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return None if libc.syscall(QUOTACTL, folder, command << 8 | type, 0, quota) != 0 else quota
    finally:
        os.close(folder)


def set_quota(at, type, kib):
    quota = (ctypes.c_uint64 * 9)(kib)  # the hard limit of blocks comes first
    ctypes.cast(quota, ctypes.POINTER(ctypes.c_uint32))[16] = 1  # QIF_BLIMITS
    if quotactl(at, SET, type, quota) is None:
        raise Skip("no quota may be set here: " + os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def disk_with_quota():
    if os.geteuid() != 0:
        raise Skip("only root may mount one")
    if shutil.which("mkfs.ext4") is None:
        raise Skip("mkfs.ext4 is not here")
    with tempfile.TemporaryDirectory() as at:
        image, folder = os.path.join(at, "image"), make(at, "disk")
        with open(image, "wb") as f:
            f.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "quota", "-E", "quotatype=usrquota:grpquota", image], check=True)
        mounted = subprocess.run(["mount", "-o", "loop,usrquota,grpquota", image, folder], stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode != 0:
            raise Skip("this kernel mounts no disk with quotas: " + mounted.stderr.splitlines()[0])
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


def test_probe_of_a_quota():
    """Of a disk that counts them; tests/unit/test_folder_survey.c has all that a kernel may say."""
    with disk_with_quota() as folder:
        def told():
            probe = Probe(folders(a=folder), "--json")
            assert probe.code == 0, probe.out
            return probe.found["a"]["quota"]["answer"], probe.found["a"]["quota"]["sentence"]

        assert told() == ("yes", "no limit is set")
        set_quota(folder, GROUP, 4096)
        assert told()[0] == "yes" and told()[1].endswith("are left to this group, of 4.0 MiB"), told()
        set_quota(folder, USER, 1024)
        assert told()[0] == "yes" and told()[1].endswith("are left to this user, of 1.0 MiB"), told()
        with open(os.path.join(folder, "file"), "wb") as f:  # root is not held to it
            f.write(bytes(2 << 20))
            f.flush()
            os.fsync(f.fileno())
        assert told() == ("no", "0 bytes are left to this user, of 1.0 MiB")


def test_probe_makes_no_folder():
    with tempfile.TemporaryDirectory() as at:
        probe = Probe(folders(a=f"{at}/not/there", b=f"{at}/new"), "--json")
        assert probe.code == 1 and probe.broken() == [("a", "writable")], probe.out
        assert probe.answers("b")["writable"] == "not tried" and os.listdir(at) == [], probe.out


# -- the command line ------------------------------------------------------------------------------------------------

def test_probe_of_bad_usage():
    with tempfile.TemporaryDirectory() as at:
        good = folders(a=at)
        for options in (["--hold", "0"], ["--hold", "long"], ["--hold", "-1s"], ["--human"]):
            assert Probe(good, *options).code == 2, options
        assert Probe(good.replace("store:", "stor:")).code == 2
        assert Probe(good.replace("type: directory, path: " + at, "type: discard"), "--json").json["destinations"][0]["findings"] == []
        assert "nothing to try" in Probe(good.replace("type: directory, path: " + at, "type: discard")).out
