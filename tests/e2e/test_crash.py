# SPDX-License-Identifier: MIT
"""A process that is killed in the middle of a commit: at its next start nothing of that form is there, unless the client
was told that all is. strace kills it at an exact system call."""
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
routes:
  - id: d
    match: { path: /d }
    fields: [ { name: "*", store: { to: files, key: "{field}/{part}" } } ]
"""
# The same names, but the first segment of one is known only at the end of the form.
HELD = """destinations:
  files: { type: directory, path: "{dir}/out", exists: replace }
routes:
  - id: d
    match: { path: /d }
    fields:
      - { name: name, kind: value, drop: true }
      - { name: b, kind: file, needs: { fields: name, else: hold }, store: { to: files, key: "{field.name}/{part}" } }
      - { name: "*", kind: file, store: { to: files, key: "{field}/{part}" } }
"""
PARTS = [("a", 10), ("b", 70_000), ("a", 0), ("c", 16_384), ("b", 1)]
OLD = b"this was here before"


class Killed(Penstock):
    """Is killed when its disk thread makes that system call for the nth time: strace looks at that thread from now on."""

    def __init__(self, call, nth, routes=ROUTES, **how):
        super().__init__(routes, **how)
        self.tid = thread_named(self.process.pid, "disk")
        self.strace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                        f"inject={call}:signal=KILL:when={nth}", "-p", str(self.tid)])
        wait_for(lambda: self.tracer() == self.strace.pid, "strace looks at the disk thread")

    def tracer(self):
        if self.strace.poll() is not None:
            raise Skip("strace cannot look at a process here")
        with open(f"/proc/{self.process.pid}/task/{self.tid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("TracerPid"))

    def put_old(self):
        os.mkdir(os.path.join(self.out, "b"))
        with open(os.path.join(self.out, "b", "2"), "wb") as f:
            f.write(OLD)

    def end(self):
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait(DEADLINE)
        self.strace.wait(DEADLINE)


def expected():
    return {f"{name}/{i}": noise(size, i) for i, (name, size) in enumerate(PARTS, 1)}


def crash(call, nth, routes):
    """What the client was told, and what is visible after the next start. None: it was never killed."""
    body = form(*[part(name, noise(size, i), "f") for i, (name, size) in enumerate(PARTS, 1)], *([part("name", b"b")] if routes is HELD else []))
    p = Killed(call, nth, routes)
    p.put_old()
    try:
        with connect(p.port) as s:
            s.sendall(head_of("/d", len(body)) + body)
            answer = read_answer(s)
        was_killed = p.process.poll() is not None or answer is None
        p.end()
        with subprocess.Popen([BINARY, "run", p.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as again:
            wait_for(lambda: can_connect(p.port), "it listens again")
            again.terminate()
        return (answer.status if answer is not None else None, p.files()) if was_killed else None
    finally:
        shutil.rmtree(p.dir, ignore_errors=True)


def test_a_kill_in_the_middle_of_a_commit_is_taken_back():
    if shutil.which("strace") is None:
        raise Skip("strace is not here")
    for call, most, routes in (("renameat2", 12, ROUTES), ("unlinkat", 4, ROUTES), ("fsync", 16, ROUTES), ("renameat2", 12, HELD)):
        kills = 0
        for nth in range(1, most + 1):
            result = crash(call, nth, routes)
            if result is None:
                break
            kills += 1
            status, files = result
            wanted = [{"b/2": OLD}] if status is None else [expected()]
            if call == "unlinkat" or call == "fsync":
                wanted.append(expected())  # committed, but killed before the client could be told
            assert files in wanted, (call, nth, status, {k: len(v) for k, v in files.items()})
        assert kills > 0, call


# -- what cannot be taken back --------------------------------------------------------------------------------------

ADMIN = """admin: { listen: ["unix:{dir}/admin.sock"] }
"""
TWO = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - id: d
    match: { path: /d }
    fields:
      - { name: a, max_count: 1, store: { to: files, key: "a/{query.n}" } }
      - { name: b, max_count: 1, store: { to: files, key: "b/{query.n}" } }
"""


def half_a_form():
    """A folder in which a form of two files was cut between one and the next: the process that was killed, and the file."""
    if shutil.which("strace") is None:
        raise Skip("strace is not here")
    p = Killed("renameat2", 2, TWO, head=ADMIN)
    body = form(part("a", b"half a form", "f"), part("b", b"the other half", "f"))
    with connect(p.port) as s:
        s.sendall(head_of("/d?n=1", len(body)) + body)
        answer = read_answer(s)
    p.end()
    assert answer is None, answer.body
    assert p.files()["a/1"] == b"half a form", p.files()
    return p, os.path.join(p.out, "a", "1")


class Again:
    """A penstock that starts in the folder of one that was killed."""

    def __init__(self, p):
        self.p, self.log_path = p, os.path.join(p.dir, "log2")

    def __enter__(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([BINARY, "run", self.p.file], stdout=log, stderr=log)
        wait_for(lambda: '"msg":"listening"' in self.log(), "it listens again")
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready(self):
        with connect(os.path.join(self.p.dir, "admin.sock")) as s:
            s.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_answer(s)
            return answer.status, answer.body.decode()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)


def test_what_cannot_be_taken_back_is_told_until_somebody_acts():
    p, left = half_a_form()
    try:
        with open(left, "ab") as f:
            f.write(b", and something that somebody added")
        for _ in range(2):
            with Again(p) as again:
                status, why = again.ready()
                assert status == 503 and 'destination "files": 1 commit cut short' in why, (status, why)
                wait_for(lambda: "was changed since" in again.log(), "the log says so")
                assert os.path.exists(left)
        with Again(p) as again:
            os.unlink(left)
            wait_for(lambda: again.ready()[0] == 200, "it is ready again")
            answer = post(p.port, "/d?n=1", form(part("a", b"good", "f"), part("b", b"good", "f")))
            assert answer.status == 201, answer.body
        with Again(p) as again:
            assert again.ready()[0] == 200 and p.files() == {"a/1": b"good", "b/1": b"good"}, p.files()
    finally:
        shutil.rmtree(p.dir, ignore_errors=True)


def test_a_copied_folder_is_told_of_and_let_be():
    p, _ = half_a_form()
    try:
        shutil.move(p.out, p.out + ".original")
        subprocess.run(["cp", "-a", p.out + ".original", p.out], check=True)
        with Again(p) as again:
            status, why = again.ready()
            assert status == 503 and "could not be taken back" in why, (status, why)
            wait_for(lambda: "not written in this folder" in again.log(), "the log says so")
            assert p.files()["a/1"] == b"half a form"
        shutil.rmtree(p.out)
        shutil.move(p.out + ".original", p.out)
        with Again(p) as again:
            assert again.ready()[0] == 200 and p.files() == {}, (again.ready(), p.files())
    finally:
        shutil.rmtree(p.dir, ignore_errors=True)
