# SPDX-License-Identifier: MIT
"""What happens to uploads that are half in when something breaks: what is visible afterwards is what clients were told,
and nothing of what they were not told. The run prints the table of README.md; WRITE=1 writes it there."""
import re
import subprocess
import threading

from traffic import *

README = f"{ROOT}/tests/compose/README.md"
HALF_IN = 1_500_000
N = 3
UNKNOWN = "whole objects that were told as unknown"
table = []  # (fault, what clients were told, what is visible of it, afterwards)


class Going:
    """An upload that is half in; or all but its last bytes."""

    def __init__(self, stack, path="/upload", size=HALF_IN, all_but=None):
        self.upload = Upload(path, [("big", lib.noise(size, size)), ("little", b"x" * 10_000)], path=path, chunk=60_000)
        whole, half = self.upload.bytes()
        half = len(whole) - all_but if all_but else half
        self.rest = whole[half:]
        self.socket = lib.connect(stack.port, timeout=lib.DEADLINE * 2)
        self.socket.sendall(whole[:half])

    def end(self):
        with self.socket:
            try:
                self.socket.sendall(self.rest)
            except ConnectionError:
                pass  # it was told why already, or HAProxy is gone
            self.upload.answer = lib.read_answer(self.socket)


class Stage:
    """A stack, what is visible in it, and the row of the table that is being made."""

    def __init__(self, stack):
        self.stack, self.going = stack, []
        self.seen = self.visible()

    def container(self, service):
        return self.stack.container(service)

    def listing(self, service, folder):
        """But for temporary files, which may go while they are read."""
        find = "find . -type f ! -name '.penstock-*' -exec sha256sum -z {} +"
        text = docker("exec", self.container(service), "sh", "-c", f"[ -d {folder} ] || exit 0; cd {folder} && {find}")
        return {line[66:].removeprefix("./"): line[:64] for line in text.split("\0") if line}

    def visible(self):
        """Everything in every destination that has its final name -> SHA-256."""
        folder = {f"folder/{k}": v for k, v in self.listing("storage", "/srv/folder").items()}
        return {**self.listing("storage", "/srv/store/files"), **{f"small/{k}": v for k, v in self.listing("small", "/srv/store/files").items()}, **folder}

    def leftovers(self):
        """What penstock has begun in the folder and not ended."""
        folder = "/srv/folder"
        return docker("exec", self.container("storage"), "sh", "-c", f"[ -d {folder} ] || exit 0; find {folder} -name '.penstock-*'").split()

    def begin(self, n=N, path="/upload", **how):
        new = [Going(self.stack, path, **how) for _ in range(n)]
        self.going += new
        begun = sum(g.upload.path == path for g in self.going)
        if path == "/upload":
            wait_for(lambda: len(self.stack.unfinished()) >= begun, "the store has begun")
        if path == "/folder":
            wait_for(lambda: len(self.leftovers()) >= begun, "the folder has begun")

    def end(self, *told):
        """They send the rest; each must be told one of these."""
        for g in self.going:
            g.end()
            assert g.upload.told() in told, (g.upload.path, g.upload.told(), g.upload.answer and g.upload.answer.body)

    def unknown(self):
        """Digests of what a client was told that penstock cannot say of."""
        sums = set()
        for g in self.going:
            if g.upload.answer is not None and g.upload.told() != 201:
                parts = json.loads(g.upload.answer.body or b"{}").get("parts", [])
                sums |= {digest for name, digest in g.upload.made.items() for p in parts if p["state"] == "unknown" and name.startswith(f"{p['part']}-")}
        return sums

    def settle(self, fault, afterwards="uploads again", either=None):
        """When all is well again: is visible what was told? Then the row is made, and further uploads must come through.
        either: what the row says of a fault after which more than one thing may be visible, whichever it was this time."""
        wait_for(lambda: self.stack.unfinished() == [], "the store has ended, or given up, what was sent to it")
        wanted = {}
        for g in self.going:
            prefix = {"/folder": "folder/", "/small": "small/"}.get(g.upload.path, "")
            wanted.update({prefix + k: v for k, v in g.upload.stored().items()})
        now = self.visible()
        new = {k: v for k, v in now.items() if k not in self.seen}
        assert all(new.get(k) == v for k, v in wanted.items()), f"{fault}: told, and not there: {wanted.keys() - new.keys()}"
        extra = {k: v for k, v in new.items() if k not in wanted}
        assert set(extra.values()) <= self.unknown(), f"{fault}: nobody was told of {extra}"
        visible = "all of it" if wanted and not extra else UNKNOWN if extra else "nothing"
        if either:
            assert visible in either.split(" or "), f"{fault}: {visible}"
            visible = either
        told = " or ".join(sorted({str(g.upload.told() or "cut") for g in self.going}))
        table.append((fault, told, visible, afterwards))
        print(f"   {fault} | {told} | {visible} | {afterwards}", flush=True)
        paths = {g.upload.path for g in self.going}
        self.going = []
        for path in paths:
            self.recovers(path)
        self.seen = self.visible()

    def recovers(self, path):
        def try_one():
            g = Going(self.stack, path, size=100_000)
            g.end()
            return g.upload.told() == 201
        wait_for(try_one, f"{path} takes uploads again", lib.DEADLINE * 3)


# -- the store ---------------------------------------------------------------------------------------------------

def start_store(stage):
    """It leaves files that it has begun, under no name that anybody can ask for, and never looks at them again."""
    docker("start", stage.container("storage"))
    docker("exec", stage.container("storage"), "sh", "-c", "rm -rf /srv/store/tmp/*")


def store_stopped(stage):
    stage.begin()
    docker("stop", "--time", "30", stage.container("storage"))
    stage.end(502)
    start_store(stage)
    stage.settle("store stopped")


def store_killed(stage):
    stage.begin()
    docker("kill", stage.container("storage"))
    stage.end(502)
    start_store(stage)
    stage.settle("store killed")


# What a kernel holds for a store that is stopped goes on when the store does, if it was the whole object: penstock has
# given up by then, says "unknown" and not "failed", and cannot know which it will be.
EITHER = f"nothing or {UNKNOWN}"


def store_paused(stage):
    stage.begin(size=40_000_000)
    docker("pause", stage.container("storage"))
    stage.end(504)
    docker("unpause", stage.container("storage"))
    stage.settle("store paused in the middle", either=EITHER)


def store_paused_at_the_commit(stage):
    stage.begin(all_but=1)
    docker("pause", stage.container("storage"))
    stage.end(504)
    docker("unpause", stage.container("storage"))
    stage.settle("store paused at the commit", either=EITHER)


def store_full(stage):
    stage.begin(1, "/small", size=20_000_000)
    stage.end(502, 507)
    stage.settle("the store's disk is full")


def store_detached(stage):
    stage.begin()
    network, container = f"{stage.stack.project}_store", stage.container("storage")
    docker("network", "disconnect", network, container)
    stage.end(502, 504)
    docker("network", "connect", "--alias", "storage", network, container)
    stage.settle("the store's network detached and attached again")


def store_slow(stage):
    """A quarter of a megabyte per second on the way to the store."""
    pid = str(pid_of(stage.container("haproxy")))
    address = inspect(stage.container("storage"), "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
    enter = ["nsenter", "-t", pid, "-n"]
    device = re.search(r" dev (\S+)", run(*enter, "ip", "route", "get", address)).group(1)
    done = subprocess.run([*enter, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", "60ms", "20ms", "loss", "1%", "rate", "8mbit"],
                          stderr=subprocess.PIPE)
    how = "delay, loss and 8 Mbit/s"
    if done.returncode != 0:
        print("   THIS KERNEL HAS NO netem: the slow network has no delay and no loss, only tbf's 8 Mbit/s", flush=True)
        how = "8 Mbit/s"
        run(*enter, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "8mbit", "burst", "32k", "latency", "400ms")
    stage.begin()
    stage.end(201)
    run(*enter, "tc", "qdisc", "del", "dev", device, "root")
    stage.settle(f"slow way to the store ({how})")


# -- a folder ------------------------------------------------------------------------------------------------------

def folder_full(stage):
    stage.begin(1, "/tiny", size=20_000_000)
    stage.end(507)
    stage.settle("the folder's disk is full")


# -- HAProxy ---------------------------------------------------------------------------------------------------------

def haproxy_reloaded(stage):
    stage.begin()
    before = stage.stack.logs("haproxy").count("Loading success")
    docker("kill", "--signal", "USR2", stage.container("haproxy"))
    wait_for(lambda: stage.stack.logs("haproxy").count("Loading success") > before, "HAProxy has reloaded")
    stage.recovers("/upload")
    stage.end(201)
    stage.seen.update({k: v for k, v in stage.visible().items() if not any(k in g.upload.stored() for g in stage.going)})
    stage.settle("HAProxy reloaded", "uploads all the time")


def haproxy_killed(stage):
    stage.begin()
    docker("kill", stage.container("haproxy"))
    stage.end(None)
    docker("start", stage.container("haproxy"))
    docker("restart", "--time", "60", stage.container("penstock"))  # the network that it shared is gone with HAProxy
    stage.settle("HAProxy killed", "uploads again, with penstock restarted")


# -- penstock --------------------------------------------------------------------------------------------------------

def penstock_stopped(stage):
    stage.begin()
    stage.begin(path="/folder")
    before = stage.stack.logs("penstock").count('"draining"')  # it was restarted before, and its log goes on
    stopping = threading.Thread(target=docker, args=("stop", "--time", "150", stage.container("penstock")))
    stopping.start()
    wait_for(lambda: stage.stack.logs("penstock").count('"draining"') > before, "it drains")
    late = Upload("late", [("late", b"x" * 10_000)])
    with lib.connect(stage.stack.port) as s:
        s.sendall(late.bytes()[0])
        late.answer = lib.read_answer(s)
    assert late.told() == 503 and int(late.answer.headers["retry-after"]) > 0, late.told()
    stage.end(201)
    stopping.join(lib.DEADLINE * 3)
    assert inspect(stage.container("penstock"), "{{json .State.ExitCode}}") == 0
    docker("start", stage.container("penstock"))
    stage.settle("penstock SIGTERM", "uploads again; new ones meanwhile 503 with Retry-After")


def penstock_killed(stage):
    stage.begin()
    stage.begin(path="/folder")
    docker("kill", stage.container("penstock"))
    stage.end(502)
    assert len(stage.leftovers()) >= N, "a kill leaves what was begun under names of its own"
    docker("start", stage.container("penstock"))
    wait_for(lambda: stage.leftovers() == [], "leftovers are swept at the start")
    stage.settle("penstock SIGKILL", "leftovers swept; uploads again")


def penstock_out_of_memory(stage):
    container = stage.container("penstock")
    limit = inspect(container, "{{json .HostConfig.Memory}}")
    small = str(14 << 20)
    docker("restart", "--time", "60", container)
    docker("update", "--memory", small, "--memory-swap", small, container)
    stage.recovers("/folder")
    stage.seen = stage.visible()
    for i in range(60):
        stage.going.append(Going(stage.stack, "/folder" if i % 2 else "/upload", size=3_000_000))
        if not inspect(container, "{{json .State.Running}}"):
            break
    wait_for(lambda: not inspect(container, "{{json .State.Running}}"), "it was killed for its memory")
    wait_for(lambda: inspect(container, "{{json .State.OOMKilled}}"), "Docker has heard why")  # an event of its own
    stage.end(502, 503)
    docker("update", "--memory", str(limit), "--memory-swap", str(limit), container)
    docker("start", container)
    wait_for(lambda: stage.leftovers() == [], "leftovers are swept at the start")
    stage.settle("penstock killed for its memory", "leftovers swept; uploads again")


FAULTS = [store_stopped, store_killed, store_paused, store_paused_at_the_commit, store_full, store_detached, store_slow, folder_full,
          haproxy_reloaded, haproxy_killed, penstock_stopped, penstock_killed, penstock_out_of_memory]


def written():
    rows = "".join(f"| {fault} | {told} | {visible} | {afterwards} |\n" for fault, told, visible, afterwards in table)
    return "| fault, with uploads half in | clients were told | visible of them | afterwards |\n|---|---|---|---|\n" + rows


def check_readme():
    """The table of README.md has these faults, and the same is visible after them."""
    with open(README, encoding="utf-8") as f:
        text = f.read()
    begin, end = text.index("<!-- faults:begin -->\n") + 22, text.index("<!-- faults:end -->")
    if os.environ.get("WRITE"):
        with open(README, "w", encoding="utf-8") as f:
            f.write(text[:begin] + written() + text[end:])
        return
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text[begin:end].splitlines()[2:]]
    assert [(r[0].split(" (")[0], r[2]) for r in rows] == [(fault.split(" (")[0], visible) for fault, _, visible, _ in table], "README.md has another table: WRITE=1 makes it anew"


def impatient_store(at):
    """The store's configuration, with less patience for whoever has stopped sending: a minute would be long to wait."""
    with open(f"{ROOT}/docker/nginx.conf", encoding="utf-8") as f:
        text = f.read()
    with open(f"{at}/nginx.conf", "w", encoding="utf-8") as f:
        f.write(text.replace("client_max_body_size 0;", "client_max_body_size 0;\n\tclient_body_timeout 10s;"))
    return f"{at}/nginx.conf"


def test_what_is_visible_after_a_fault_is_what_clients_were_told():
    only = os.environ.get("FAULT", "")
    with tempfile.TemporaryDirectory() as at:
        os.chmod(at, 0o755)
        env = {"ROUTES": f"{ROOT}/tests/compose/faults.yaml", "COMPOSE_MORE": f"{ROOT}/tests/compose/faults.compose.yaml", "NGINX_CONF": impatient_store(at)}
        with Stack("penstock-test-faults", env=env) as stack:
            stage = Stage(stack)
            for fault in FAULTS:
                if only in fault.__name__:
                    fault(stage)
    if not only:
        check_readme()
