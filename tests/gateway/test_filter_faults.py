# SPDX-License-Identifier: MIT
"""The filter inside a real HAProxy while every single allocation of its fails, and while promises of its own are broken
(filter_faults.c), in both modes: a request is refused or let alone, HAProxy goes on, and says what happened. Requests that
wait before the filter sees their body, bodies in many blocks, over HTTP/1.1 and HTTP/2."""
import glob
import itertools
import mmap
import signal
import threading

from gw import *
from lib import *

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: upload, match: { path: /upload }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
WRAPPED = ("core_request_new core_request_free core_follows core_feed decide guard_feed guard_fini error_kind_name "
           "config_load_routes").split()
IN_HEAD, IN_BODY, AT_END, IN_PROBLEM, IN_CONFIG = range(1, 6)
NAMES = [f"name{n}-" + "x" * 200 * n for n in range(4)]  # each head is longer than the one before: memory for each
CONTENTS = [b"contents %d " % n * 20 for n in range(4)]
FORM = form(*(part(name, data) for name, data in zip(NAMES, CONTENTS)))
PIECES = [FORM[at:at + 200] for at in range(0, len(FORM), 200)]


def filter_objects():
    """An HAProxy as it comes, and the folder of objects that filter/native/build.sh has made for it. With objects made by
    -fsanitize=address: ALSO_PRELOAD=$(gcc -print-file-name=libasan.so)."""
    program = haproxies()
    for folder in os.environ.get("GATEWAY_FILTER_OBJECTS", "").split():
        version = ".".join(folder.rpartition("-")[2].split(".")[:2])
        if version in program:
            return program[version], folder
    raise Skip("no filter was built for an HAProxy that is here")


class Faults:
    """A program that is HAProxy with a faulty filter, and what makes it so."""

    FIELDS = ("nth", "count", "bug", "made", "ended", "blocks")

    def __init__(self):
        haproxy, objects = filter_objects()
        self.dir = tempfile.mkdtemp(prefix="penstock-faults-")
        library, control, self.program = (os.path.join(self.dir, name) for name in ("faults.so", "control", "haproxy"))
        subprocess.run(["gcc", "-std=c17", "-O2", "-fPIC", "-fvisibility=hidden", "-D_GNU_SOURCE", "-shared", "-o", library, f"-I{ROOT}",
                        f"-I{ROOT}/sidecar", f"-I{ROOT}/filter", f"{HERE}/filter_faults.c", *glob.glob(objects + "/*-*.o"),
                        *(f"-Wl,--wrap={name}" for name in WRAPPED), "-lyaml"], check=True)
        with open(control, "w+b") as f:
            f.write(bytes(8 * len(self.FIELDS)))
            f.flush()
            self.words = memoryview(mmap.mmap(f.fileno(), 8 * len(self.FIELDS))).cast("Q")
        with open(self.program, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\nexec env LD_PRELOAD="$ALSO_PRELOAD {library}" FILTER_FAULTS={control} {haproxy} "$@"\n')
        os.chmod(self.program, 0o755)

    def __getattr__(self, name):
        return self.words[self.FIELDS.index(name)]

    def set(self, **values):
        for name, value in values.items():
            self.words[self.FIELDS.index(name)] = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)


# -- what requests wait for before the filter sees their body -----------------------------------------------------------

class Names:
    """A name server that takes its time and knows every name."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, peer = self.socket.recvfrom(512)
                end = question.index(b"\0", 12) + 5  # one question, and without the client's EDNS behind it
                answer = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:end] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
                threading.Timer(0.05, self.socket.sendto, (answer, peer)).start()


def split_by(rule):
    """A header that is added between two pieces keeps HAProxy from joining them to one block."""
    return [line for n in range(4) for line in (rule.replace("{n}", str((n + 1) * 300)), f"http-request set-header X-{n} b")]


def nothing(_):
    return [], ""


def wait_for_body(_):
    return split_by("http-request wait-for-body time 10s at-least {n}"), ""


def lua(faults):
    path = faults.dir + "/nap.lua"
    with open(path, "w", encoding="ascii") as f:
        f.write('core.register_action("nap", { "http-req" }, function(txn) core.msleep(40) end)\n')
    return split_by("http-request lua.nap"), f"global\n    lua-load {path}\n"


def do_resolve(_):
    return split_by("http-request do-resolve(txn.ip,dns,ipv4) req.hdr(x-ask),concat({n})"), \
        f"resolvers dns\n    nameserver one 127.0.0.1:{Names().port}\n    accepted_payload_size 512\n"


def spoe(_):
    return [], ""  # the written configuration asks an agent already


WAITS = [nothing, wait_for_body, lua, do_resolve, spoe]


class Faulty(Gateway):
    """The written configuration with the faulty filter in it, which is never told to leave the answer to penstock."""

    def __init__(self, penstock, faults, mode, wait=nothing, **how):
        self.with_spoe = wait is spoe
        lines, self.more = wait(faults)
        self.rules = "".join(f"    {line}\n" for line in lines)
        self.line = f"    filter penstock config '{penstock.file}' fail {mode}\n"
        super().__init__(penstock, faults.program, native=not self.with_spoe, edit=self.change, **how)

    def change(self, text):
        text = re.sub(r"\.if version_atleast.*?\.endif\n", "", text, flags=re.S)
        if self.with_spoe:
            text = re.sub(r"(    filter spoe [^\n]*\n)", lambda m: m.group(1) + self.line, text)
        else:
            text = re.sub(r"    filter penstock [^\n]*\n", lambda _: self.line + self.rules, text)
        return self.more + text

    def bugs(self):
        return int(re.search(r"value=<(\d+)>", self.say("get var proc.upload.bugs")).group(1))

    def told(self):
        return self.log().count("filter penstock: a bug: must(")

    def statuses(self):
        """Of all requests so far: clients that are refused while they send may not hear it."""
        return [int(status) for status in re.findall(r" [-+]?\d+/[-+]?\d+/[-+]?\d+/[-+]?\d+/\+?\d+ (-1|\d{3}) [+\d]+ ", self.log())]


ids = itertools.count()


def send(gateway, faults, http2=False, pieces=None):
    """One form, in pieces: the status that the client was told or, if it lost that, the one in HAProxy's log."""
    ended, logged = faults.ended, len(gateway.statuses())
    command = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "--max-time", str(DEADLINE), "-X", "POST", "-T", "-",
               "--http2-prior-knowledge" if http2 else "--http1.1", "-H", "Host: test", "-H", "Expect:", "-H", f"X-Ask: n{next(ids)}.",
               "-H", f"Content-Type: multipart/form-data; boundary={BOUNDARY}", f"http://127.0.0.1:{gateway.port}/upload"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        with contextlib.suppress(BrokenPipeError):
            for piece in PIECES if pieces is None else pieces:
                client.stdin.write(piece)
                client.stdin.flush()
                time.sleep(0.005)  # else they come as one piece; nothing depends on it but that
        out, _ = client.communicate(timeout=DEADLINE)
    wait_for(lambda: faults.ended > ended, "the filter has let go of the request")
    assert gateway.process.poll() is None, gateway.log()[-3000:]
    told = int(out or 0)
    wait_for(lambda: len(gateway.statuses()) > logged, "HAProxy has logged the request")
    assert told in (0, gateway.statuses()[-1]), (told, gateway.log()[-1500:])
    return gateway.statuses()[-1]


def expect_stored(penstock):
    """One form, whole; nothing else is there afterwards."""
    assert sorted(penstock.files().values()) == sorted(CONTENTS)
    for name in penstock.files():
        os.unlink(os.path.join(penstock.out, name))


# -- memory -------------------------------------------------------------------------------------------------------------

def sweep(penstock, faults, gateway, mode, http2):
    """The n-th allocation of a request fails, for all n that it comes to, alone and (HTTP/1.1) with all behind it. How many
    there are depends a little on how the body comes in. Returns how many failed alone."""
    counts = (1,) if http2 else (1, 1 << 62)
    for nth, count in ((nth, count) for nth in itertools.count(1) for count in counts):
        faults.set(nth=nth, count=count)
        status, is_hit = send(gateway, faults, http2), faults.made >= nth
        assert status == (503 if is_hit and mode == "closed" else 201), (nth, is_hit, status, gateway.log()[-1500:])
        if status == 201:
            expect_stored(penstock)
        wait_for(lambda: not penstock.files(), "nothing of a refused form stays")
        if not is_hit:
            break
    assert nth > 3, nth
    assert gateway.bugs() == 0 and gateway.told() == 0, gateway.log()[-1500:]
    return nth - 1


def every_allocation(wait):
    with Faults() as faults, Penstock(ROUTES, head=AGENT if wait is spoe else "") as penstock:
        for mode in ("closed", "open"):
            with Faulty(penstock, faults, mode, wait) as gateway:
                for http2 in (False, True):
                    faults.set(blocks=0)
                    made = sweep(penstock, faults, gateway, mode, http2)
                    print(f"   fail {mode}, HTTP/{2 if http2 else 1.1}: {made} allocations, up to {faults.blocks} blocks a call", flush=True)
                    # The other waits may be over before more of the body has come.
                    assert faults.blocks > 1 or wait is not wait_for_body, "no call brought more than one block"


def test_every_allocation_fails_once():
    every_allocation(nothing)


def test_every_allocation_fails_once_behind_wait_for_body():
    every_allocation(wait_for_body)


def test_every_allocation_fails_once_behind_lua():
    every_allocation(lua)


def test_every_allocation_fails_once_behind_do_resolve():
    every_allocation(do_resolve)


def test_every_allocation_fails_once_behind_an_agent():
    every_allocation(spoe)


# -- bugs ---------------------------------------------------------------------------------------------------------------

NO_FORM = [b"--this is no form at all"]

#        where       the pieces  closed open
BUGS = [(IN_HEAD,    None,       500,   201),
        (IN_BODY,    None,       500,   201),
        (AT_END,     None,       201,   201),
        (IN_PROBLEM, NO_FORM,    400,   400)]  # refused already, and rightly


def test_a_bug_ends_its_request_and_is_logged_and_counted():
    with Faults() as faults, Penstock(ROUTES) as penstock:
        for mode in ("closed", "open"):
            with Faulty(penstock, faults, mode, wait_for_body) as gateway:
                count = 0
                assert gateway.bugs() == 0, "the count can be asked for before there is a bug"
                for places, (bug, pieces, closed, let) in enumerate(BUGS, 1):
                    for http2 in (False, True, False):
                        faults.set(bug=bug)
                        assert send(gateway, faults, http2, pieces) == (closed if mode == "closed" else let), (bug, gateway.log()[-1500:])
                        count += 1
                        wait_for(lambda: gateway.bugs() == count, f"{count} bugs are counted, not {gateway.bugs()}")
                        assert gateway.told() == min(places, 1), "one line for one place"
                        faults.set(bug=0)
                        for name in penstock.files():
                            os.unlink(os.path.join(penstock.out, name))
                assert send(gateway, faults) == 201
                expect_stored(penstock)
                assert re.search(r"must\(control\(\)->bug != bug\) failed at \S+filter_faults.c:\d+, 1 times so far", gateway.log())


def test_a_bug_while_routes_are_read_is_an_error_of_the_configuration():
    """At a reload what runs goes on."""
    with Faults() as faults, Penstock(ROUTES) as penstock:
        with Faulty(penstock, faults, "closed", master=True) as gateway:
            faults.set(bug=IN_CONFIG)
            run = subprocess.run([faults.program, "-c", "-f", gateway.cfg], capture_output=True, text=True, check=False)
            assert run.returncode == 1 and "a bug in penstock: must(" in run.stderr, (run.returncode, run.stderr)
            told = 0

            def is_refused():
                nonlocal told
                if time.monotonic() > told + 5:  # a master that has only just started its worker can miss it
                    gateway.process.send_signal(signal.SIGUSR2)
                    told = time.monotonic()
                return "a bug in penstock: must(" in gateway.log()

            wait_for(is_refused, "the reload is refused")
            assert send(gateway, faults) == 201
            expect_stored(penstock)
            faults.set(bug=0)
            assert send(gateway, faults) == 201
            expect_stored(penstock)
