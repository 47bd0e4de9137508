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
PARTS = [("a", 10), ("b", 70_000), ("a", 0), ("c", 16_384), ("b", 1)]
OLD = b"this was here before"


class Killed(Penstock):
    """Is killed when it makes that system call for the nth time."""

    def __init__(self, call, nth):
        self.call, self.nth = call, nth
        super().__init__(ROUTES)
        os.mkdir(os.path.join(self.out, "b"))
        with open(os.path.join(self.out, "b", "2"), "wb") as f:
            f.write(OLD)

    def command(self):
        return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={self.call}", "-e",
                f"inject={self.call}:signal=KILL:when={self.nth}"] + super().command()

    def end(self):
        """Ends what strace runs, which itself does not listen; it ends with its child."""
        with contextlib.suppress(OSError):  # it has ended already
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
                for child in f.read().split():
                    os.kill(int(child), signal.SIGKILL)
        self.process.wait(DEADLINE)


def expected():
    return {f"{name}/{i}": noise(size, i) for i, (name, size) in enumerate(PARTS, 1)}


def crash(call, nth):
    """What the client was told, and what is visible after the next start. None: it was never killed."""
    body = form(*[part(name, noise(size, i), "f") for i, (name, size) in enumerate(PARTS, 1)])
    p = Killed(call, nth)
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
    for call, most in (("renameat2", 12), ("unlinkat", 4), ("fsync", 16)):
        kills = 0
        for nth in range(1, most + 1):
            result = crash(call, nth)
            if result is None:
                break
            kills += 1
            status, files = result
            wanted = [{"b/2": OLD}] if status is None else [expected()]
            if call == "unlinkat" or call == "fsync":
                wanted.append(expected())  # committed, but killed before the client could be told
            assert files in wanted, (call, nth, status, {k: len(v) for k, v in files.items()})
        assert kills > 0, call
