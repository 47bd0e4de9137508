#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every n-th allocation and system call of an upload fails once, and each time: either the client is told 201 and all is
there exactly, or nothing is there; an application that was told of it believes in the form if all is there, and else not; the next
upload works; at the end every chunk is back (exit status 0). And of a start: it works, or says why not. fault.py SHIM"""
import errno
import mmap
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lib  # noqa: E402
from application import Application, is_signed  # noqa: E402
from lib import *  # noqa: E402,F403

KINDS = {"allocation": 1, "write": 2, "fsync": 4, "rename": 8, "open": 16, "accept": 32, "epoll_ctl": 64, "recv": 128,
         "send": 256, "socket": 512, "connect": 1024, "mkdir": 2048, "fsync of a folder": 4096, "no rename flags": 8192, "lock": 16384}
LOCK, NO_FLAGS, NO_LINKS = 16384, 8192, 32768
ERRORS = {"allocation": [errno.ENOMEM], "write": [errno.ENOSPC, errno.EIO], "fsync": [errno.EIO, errno.ENOSPC],
          "rename": [errno.EIO, errno.ENOSPC], "open": [errno.EMFILE, errno.EACCES], "accept": [errno.EMFILE, errno.ECONNABORTED],
          "epoll_ctl": [errno.ENOMEM], "recv": [errno.ECONNRESET, errno.EINTR], "send": [errno.ECONNRESET, errno.EINTR, errno.ENOBUFS],
          "socket": [errno.EMFILE], "connect": [errno.ENETUNREACH], "mkdir": [errno.EACCES], "fsync of a folder": [errno.EIO],
          "lock": [errno.EIO, errno.ENOLCK]}
TRIES_MAX = 400  # calls of one kind in one upload that are made to fail; evenly chosen if there are more

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  over: { type: directory, path: "{dir}/out", exists: replace }
  up: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, timeout: { idle: 5s } }
  says: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, digest: content-digest, timeout: { idle: 5s } }
routes:
  - id: files
    match: { path: /files }
    fields:
      - { name: name, kind: value, drop: true }
      - { name: small, max_count: 1, needs: { fields: name, else: hold }, store: { to: files, path: "f/{query.n}/{field.name}" } }
      - { name: big, types: { detected: image/png }, max_count: 1, store: { to: files, path: "big-{query.n}" } }
  - id: over
    match: { path: /over }
    fields:
      - { name: small, max_count: 1, store: { to: over, path: "small-{query.n}" } }
      - { name: big, max_count: 1, store: { to: over, path: "big-{query.n}" } }
  - id: up
    match: { path: /up }
    fields:
      - { name: small, digest: sha256, max_count: 1, store: { to: says, path: "/{query.n}/small" } }
      - { name: big, digest: sha256, max_count: 1, store: { to: says, path: "/{query.n}/big" } }
      - { name: log, types: { detected: text/plain }, concat: { to: up, path: "/{query.n}/log" } }
  - id: both
    match: { path: /both }
    fields:
      - { name: small, max_count: 1, store: { to: files, path: "both-{query.n}" } }
      - { name: big, max_count: 1, store: { to: up, path: "/{query.n}/big" } }
"""
KEY = "a key of this test"
APP = f'{{ to: app, sign: {{ key: "{KEY}" }}, failed: {{ path: /failed }}, timeout: 5s'
FIELDS = """fields: [ { name: title, kind: value, forward: true }, { name: small, max_count: 1, store: { to: files, path: "told-{query.n}" } },
        { name: big, max_count: 1, store: { to: up, path: "/{grant.user}/{query.n}/big-{uuid}" } } ]"""
WITH_APP = f"""state: "{{dir}}/state"
destinations:
  files: {{ type: directory, path: "{{dir}}/out" }}
  up: {{ type: http, url: "http://127.0.0.1:{{up}}", undo: DELETE, timeout: {{ idle: 5s }} }}
  app: {{ type: http, url: "http://127.0.0.1:{{app}}" }}
routes:
  - {{ id: told, match: {{ path: /told }}, authorize: {{ to: app, path: /may, timeout: 5s }}, {FIELDS}, app: {APP} }} }}
  - {{ id: held, match: {{ path: /held }}, authorize: {{ to: app, path: /may, timeout: 5s }}, {FIELDS}, app: {APP}, when: held }} }}
"""
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"
SMALL_DATA, BIG_DATA, LOG_DATA = lib.noise(3000, 1), PNG + lib.noise(200_000, 2), b"a line of a log\n" * 2500
BODIES = {
    "/files": form(part("small", SMALL_DATA, "s"), part("big", BIG_DATA, "b"), part("name", b"small")),
    "/over": form(part("small", SMALL_DATA, "s"), part("big", BIG_DATA, "b")),
    "/up": form(part("log", b"one"), part("small", SMALL_DATA, "s"), part("big", BIG_DATA, "b"), part("log", LOG_DATA)),
    "/both": form(part("small", SMALL_DATA, "s"), part("big", BIG_DATA, "b")),
}
TOLD = ("/told", "/held")  # of which an application is told
BODIES.update({path: form(part("title", b"A"), part("small", SMALL_DATA, "s"), part("big", BIG_DATA, "b")) for path in TOLD})
UUID = re.compile("-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def wanted(path, n):
    if path == "/files":
        return {f"f/{n}/small": SMALL_DATA, f"big-{n}": BIG_DATA}
    if path == "/over":
        return {f"small-{n}": SMALL_DATA, f"big-{n}": BIG_DATA}
    if path == "/both":
        return {f"both-{n}": SMALL_DATA, f"/{n}/big": BIG_DATA}
    if path in TOLD:
        return {f"told-{n}": SMALL_DATA, f"/me/{n}/big": BIG_DATA}
    return {f"/{n}/small": SMALL_DATA, f"/{n}/big": BIG_DATA, f"/{n}/log": b"one" + LOG_DATA}


def old(path, n):
    """What is there before the upload, and again after one that failed."""
    return {f"small-{n}": b"old small", f"big-{n}": b"old big"} if path == "/over" else {}


class Faults:
    def __init__(self, folder):
        self.path = os.path.join(folder, "control")
        with open(self.path, "wb") as f:
            f.write(bytes(24))
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 24)

    def arm(self, kind, nth, error, ever=0):
        self.map[:] = struct.pack("6I", kind, nth, error, 0, 0, ever)

    def disarm(self):
        """How many calls there were, and whether one was made to fail."""
        _, _, _, seen, fired, _ = struct.unpack("6I", self.map[:])
        self.map[:] = bytes(24)
        return seen, fired


class Believer(Application):
    """An application that lets everybody in, and keeps what it was told of forms, as sidecar/sink/app/README.md asks for."""

    def __init__(self, closes):
        super().__init__(self.decide)
        self.lines = [("Connection", "close")] if closes else []
        self.rows, self.void = set(), set()

    def decide(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        request, path = handler.headers["X-Request-Id"], handler.path
        if not is_signed(KEY, handler, {"/may": "authorize", "/failed": "failed"}.get(path, "form"), body):
            return 403, self.lines, b""
        with self.lock:
            if path == "/may":
                return 204, [("Penstock-Grant-User", "me"), *self.lines], b""
            if path == "/failed":
                self.rows.discard(request)
                self.void.add(request)
            elif request in self.void:
                return 409, self.lines, b""
            else:
                self.rows.add(request)
            return 201, self.lines, b""

    def believes(self):
        with self.lock:
            return len(self.rows)

    def forget(self):
        with self.lock:
            self.rows.clear()


def there(p, upstream):
    with upstream.lock:
        return {**p.files(), **{UUID.sub("", name): data for name, data in upstream.store.items()}}


def agree(upstream, stands, what):
    """What the application believes is so in the end: it may still have to be told."""
    if upstream.app is not None:
        wait_for(lambda: upstream.app.believes() == stands, f"{what}: the application believes in {upstream.app.believes()} forms, and {stands} stand", 15)


def put_old(p, path, n):
    for name, data in old(path, n).items():
        with open(os.path.join(p.out, name), "wb") as f:
            f.write(data)


def clear(p, upstream):
    for name in os.listdir(p.out):
        path = os.path.join(p.out, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    with upstream.lock:
        upstream.store.clear()
    if upstream.app is not None:
        upstream.app.forget()


def upload(p, path, n):
    """The answer, or None if the connection ended without one."""
    try:
        with connect(p.port) as s:
            s.sendall(head_of(f"{path}?n={n}", len(BODIES[path])) + BODIES[path])
            return read_answer(s)
    except ConnectionError:
        return None


def check(p, upstream, path, n, answer, what):
    want, before = wanted(path, n), old(path, n)
    wait_for(lambda: no_temporary(p), f"{what}: temporary files go")
    wait_for(upstream.at_rest, f"{what}: what was under way has arrived")
    have = there(p, upstream)
    said = answer and (answer.status, answer.body)
    if answer is not None and answer.status == 201:
        assert have == want, f"{what}: 201, but there is {sorted(have)}"
        agree(upstream, 1, what)
    elif answer is not None and b'"unknown"' in answer.body:
        pass  # it says that it cannot know
    elif answer is None and have == want:
        agree(upstream, 1, what)  # the answer was lost on its way, after the commit
    else:
        assert answer is None or answer.status in (400, 500, 502, 503, 504, 507), f"{what}: {said}"
        wait_for(lambda: there(p, upstream) == before, f"{what}: {said}, there is {sorted(have)}", 15)
        assert sorted(os.listdir(p.out)) == sorted(before), f"{what}: folders are left: {os.listdir(p.out)}"
        agree(upstream, 0, what)


def no_temporary(p):
    return not any(os.path.basename(name).startswith(".penstock-") for name in p.files())


def alive(p, upstream, path, n, what):
    assert p.process.poll() is None, f"{what}: penstock ended with {p.process.returncode}: {p.log()[-3000:]}"
    answer = wait_for(lambda: upload(p, path, n), f"{what}: the next upload is answered")
    assert answer.status == 201, f"{what}: the next upload: {answer.status} {answer.body}"
    wait_for(lambda: there(p, upstream) == wanted(path, n), f"{what}: the next upload, and nothing else, is there")
    agree(upstream, 1, what)


def fault(p, upstream, faults, path, n, armed, what):
    """One upload with a fault in it. Whether it struck."""
    put_old(p, path, n)
    faults.arm(*armed)
    answer = upload(p, path, n)
    wait_for(lambda: quiet(p), f"{what}: it ends")
    _, fired = faults.disarm()
    check(p, upstream, path, n, answer, what)
    clear(p, upstream)
    return fired


def each_nth(p, upstream, faults, path, kind):
    """Number of faults that struck."""
    tried = n = 0
    faults.arm(KINDS[kind], 0, 0)
    put_old(p, path, "count")
    alive(p, upstream, path, "count", "counted")
    count, _ = faults.disarm()
    clear(p, upstream)
    for error in ERRORS[kind]:
        for nth in sorted({1 + i * count // min(count, TRIES_MAX) for i in range(min(count, TRIES_MAX))}):
            n += 1
            what = f"{path}: {kind} {nth} of {count}: {os.strerror(error)}"
            fired = fault(p, upstream, faults, path, n, (KINDS[kind], nth, error), what)
            tried += fired
            if n % 8 == 0 or not fired:
                alive(p, upstream, path, f"next{n}", what)
                clear(p, upstream)
    return tried


def store_with_trailer(request):
    """What is whole has the trailer that it announces: else it is not kept, which is found to be missing."""
    if request.read_all() and "trailer" in request.headers and not request.trailers:
        request.answer(201)
        return "next"
    return None


def store_and_close(request):
    """So that the next transfer needs a new connection."""
    if request.read_all():
        with request.upstream.lock:
            request.upstream.store[request.path] = bytes(request.body)
            if request.method == "DELETE":
                request.upstream.store.pop(request.path, None)
        request.answer(201, extra="Connection: close\r\n")
    return "done"


def run(shim, path, kind):
    folder = tempfile.mkdtemp(prefix="penstock-fault-")
    faults = Faults(folder)
    env = dict(os.environ, LD_PRELOAD=shim, FAULT_CONTROL=faults.path)
    script = store_and_close if kind in ("socket", "connect") else store_with_trailer
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Upstream(script))
        upstream.app = stack.enter_context(Believer(closes=script is store_and_close)) if path in TOLD else None
        routes = WITH_APP.replace("{app}", str(upstream.app.port)) if upstream.app else ROUTES
        p = stack.enter_context(Penstock(routes, upstream, env=env))
        alive(p, upstream, path, "warm", "before")
        clear(p, upstream)
        if kind == "no rename flags":  # from the first call on, so that every upload takes the other way
            tried = sum(fault(p, upstream, faults, path, n, (KINDS[kind], 1, errno.EINVAL, 1), f"{path}: {kind}") for n in range(3))
            faults.arm(KINDS[kind], 1, errno.EINVAL, 1)
            put_old(p, path, "flags")
            alive(p, upstream, path, "flags", kind)
            faults.disarm()
        else:
            tried = each_nth(p, upstream, faults, path, kind)
        clear(p, upstream)
        alive(p, upstream, path, "last", "after all")
    shutil.rmtree(folder, ignore_errors=True)
    return tried


STARTS = ("allocation", "socket", "epoll_ctl")  # what a start asks of the system
EVERYTHING = """admin: { listen: ["unix:{dir}/admin.sock"] }
spoa: { listen: ["unix:{dir}/spoa.sock"] }
"""


def start_with(command, env, what):
    """It starts, and stops when told to; or it says why not. Whether it started."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)

        def said():
            return os.pread(out.fileno(), 1 << 20, 0)  # the place in the file belongs to penstock

        started = wait_for(lambda: process.poll() is not None or b'"room":"daemon","msg":"listening"' in said(), f"{what}: it starts or ends") and process.poll() is None
        if started:
            process.terminate()
        code = process.wait(DEADLINE)
        assert b"penstock: bug" not in said() and code in ((0,) if started else (1, 2)), f"{what}: exit {code}: {said()[-3000:]}"
        assert started or said(), f"{what}: exit {code} without a word"
    return started


def run_start(shim, kind):
    """Each n-th call of a start fails. Number of starts that could not be."""
    failed = 0
    folder = tempfile.mkdtemp(prefix="penstock-fault-")
    faults = Faults(folder)
    env = dict(os.environ, LD_PRELOAD=shim, FAULT_CONTROL=faults.path)
    os.mkdir(os.path.join(folder, "out"))
    file = os.path.join(folder, "routes.yaml")
    with Penstock(ROUTES, head=EVERYTHING, workers=2) as p, open(p.file, encoding="utf-8") as routes, open(file, "w", encoding="utf-8") as f:
        f.write(routes.read().replace(p.dir, folder))
    command = [BINARY, "run", file]
    faults.arm(KINDS[kind], 0, 0)
    assert start_with(command, env, "counted")
    count, _ = faults.disarm()
    for nth in sorted({1 + i * count // min(count, TRIES_MAX) for i in range(min(count, TRIES_MAX))}):
        faults.arm(KINDS[kind], nth, ERRORS[kind][0])
        failed += not start_with(command, env, f"start: {kind} {nth} of {count}")
        faults.disarm()
    shutil.rmtree(folder, ignore_errors=True)
    return failed


# -- file systems that lack something -------------------------------------------------------------------------------

@contextlib.contextmanager
def start_on(shim, kinds, error, routes=ROUTES):
    """What the folders' file system is asked for fails from the start on, also for p.check()."""
    folder = tempfile.mkdtemp(prefix="penstock-fault-")
    faults = Faults(folder)
    faults.arm(kinds, 1, error, 1)
    env = dict(os.environ, LD_PRELOAD=shim, FAULT_CONTROL=faults.path)
    try:
        with Penstock(routes, env=env, head="""admin: { listen: ["unix:{dir}/admin.sock"] }""") as p:
            p.check = lambda: subprocess.run([BINARY, "check", p.file], env=env, capture_output=True, text=True)
            yield p
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def without_locks(shim):
    """Uploads go well, and leave nothing beside; it is said at the start. Number of errors tried."""
    for error in (errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS):
        with start_on(shim, LOCK, error) as p:
            assert "no locks (flock)" in p.log() and "no locks (flock)" in p.check().stderr, (p.log(), p.check())
            for path, n in (("/files", "1"), ("/over", "2"), ("/over", "2")):
                before = p.files()
                answer = upload(p, path, n)
                assert answer.status == 201, (path, answer.body)
                wait_for(lambda: p.files() == {**before, **wanted(path, n)}, "it is there, and nothing is left beside")
            assert upload(p, "/files", "1").status == 409
    return 3


def lacking(shim):
    """Neither renames that do not replace nor links: `exists: refuse` cannot be kept, so it does not start; `replace` can."""
    try:
        with start_on(shim, NO_FLAGS | NO_LINKS, errno.EINVAL):
            pass
    except AssertionError as error:
        assert "exists: refuse needs renames that do not replace" in str(error), error
    else:
        raise AssertionError("it starts")
    replace = ROUTES.replace('path: "{dir}/out" }', 'path: "{dir}/out", exists: replace }')
    with start_on(shim, NO_FLAGS | NO_LINKS, errno.EINVAL, replace) as p:
        for n in ("1", "1"):
            answer = upload(p, "/over", n)
            assert answer.status == 201, answer.body
            wait_for(lambda: p.files() == wanted("/over", n), "it is there, and nothing is left beside")
    return 2


def full(shim):
    """A disk that is full makes it not ready, until it has room again."""
    folder = tempfile.mkdtemp(prefix="penstock-fault-")
    faults = Faults(folder)
    env = dict(os.environ, LD_PRELOAD=shim, FAULT_CONTROL=faults.path)
    with Penstock(ROUTES, env=env, head="""admin: { listen: ["unix:{dir}/admin.sock"] }""") as p:
        def ready():
            with connect(os.path.join(p.dir, "admin.sock")) as s:
                s.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = read_answer(s)
            return answer.status == 200 or answer.body.decode()
        wait_for(lambda: ready() is True, "ready at first")
        faults.arm(KINDS["write"], 1, errno.ENOSPC, 1)
        said = wait_for(lambda: ready() is not True and ready(), "not ready")
        assert 'destination "files": its folder cannot be written: No space left on device' in said, said
        assert upload(p, "/files", "1").status == 507
        faults.disarm()
        wait_for(lambda: ready() is True, "ready again")
        assert upload(p, "/files", "1").status == 201
    shutil.rmtree(folder, ignore_errors=True)
    return 1


STATUSES = [("rename", errno.ENAMETOOLONG, 422, "too long"), ("mkdir", errno.ENAMETOOLONG, 422, "too long"), ("open", errno.EMFILE, 503, "no descriptor"),
            ("write", errno.EDQUOT, 507, "quota"), ("rename", errno.EROFS, 502, "Read-only"), ("fsync", errno.EIO, 502, "Input/output")]


def statuses(shim):
    """What the system says, in the client's words: whose fault it is, and whether to try again."""
    folder = tempfile.mkdtemp(prefix="penstock-fault-")
    faults = Faults(folder)
    with Penstock(ROUTES, env=dict(os.environ, LD_PRELOAD=shim, FAULT_CONTROL=faults.path)) as p:
        for n, (kind, error, status, words) in enumerate(STATUSES):
            faults.arm(KINDS[kind], 1, error, 1)
            answer = upload(p, "/files", n)
            faults.disarm()
            assert answer.status == status and words in answer.json()["detail"], (kind, os.strerror(error), answer.body)
            wait_for(lambda: not os.listdir(p.out), "nothing is left")
    shutil.rmtree(folder, ignore_errors=True)
    return len(STATUSES)


def quiet(p):
    """Nothing is under way: the process holds no connection and no file of an upload."""
    return not any("/.penstock-" in link or link.startswith(p.out + "/") for link in p.open_files())


def attempt(name, faults_of):
    """Whether it passed; `faults_of` runs it and says how many faults there were."""
    began = time.monotonic()
    try:
        print(f"ok {name}: {faults_of()} faults ({time.monotonic() - began:.1f} s)", flush=True)
        return True
    except AssertionError as error:
        print(f"FAIL {name}: {error}", flush=True)
        return False


def main():
    results = []
    only = sys.argv[2:]
    of_told = {"/told": ("mkdir", "no rename flags", "lock", "accept"),  # what is the same there as elsewhere
               "/held": ("mkdir", "no rename flags", "lock", "accept", "open", "rename", "epoll_ctl", "socket")}
    of_files = ("write", "fsync", "rename", "open", "mkdir", "fsync of a folder", "no rename flags", "lock")
    for path in BODIES:
        for kind in KINDS:
            if path in ("/files", "/over") and kind in ("socket", "connect"):
                continue
            if (path == "/up" and kind in of_files) or (path == "/over" and kind not in of_files):
                continue
            if kind in of_told.get(path, ()):
                continue
            if only and not any(w in f"{path} {kind}" for w in only):
                continue
            results.append(attempt(f"{path}: {kind}", lambda path=path, kind=kind: run(sys.argv[1], path, kind)))
    for kind in STARTS:
        if not only or any(w in f"start {kind}" for w in only):
            results.append(attempt(f"start: {kind}", lambda kind=kind: run_start(sys.argv[1], kind)))
    for name, try_it in (("without locks", without_locks), ("neither flags nor links", lacking), ("full", full), ("statuses", statuses)):
        if not only or any(w in name for w in only):
            results.append(attempt(name, lambda try_it=try_it: try_it(sys.argv[1])))
    failed = results.count(False)
    print(f"{results.count(True)} passed, {failed} failed, 0 skipped", flush=True)
    os._exit(failed > 0)


if __name__ == "__main__":
    main()
