# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: a penstock under test, a scripted upstream, raw HTTP. Standard library only.

Nothing here sleeps for an outcome: wait_for() polls a condition until a generous deadline."""
import collections
import contextlib
import hashlib
import json
import os
import random
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

BINARY = os.path.abspath(os.environ.get("PENSTOCK", "build/release/penstock"))
SMALL = os.environ.get("E2E_ROUNDS") == "small"
RELOAD = os.environ.get("E2E_RELOAD") == "yes"  # every penstock reads its files again all the time, which must not show
DEADLINE = 60
BOUNDARY = "------------------------e2e5f0c9a1b"


class Skip(Exception):
    """The test cannot run here; says why."""


def rounds(n):
    return max(1, n // 10) if SMALL else n


def wait_for(condition, what, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def threads_of(pid):
    """Id, name and state of each; one may end while it is looked at."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as f:
            begin, rest = f.read().rsplit(")", 1)
            yield int(task), begin.split("(", 1)[1], rest.split()[0]


def thread_named(pid, name):
    """Its id; waits for it, because a thread gives itself its name."""
    return wait_for(lambda: next((tid for tid, its, _ in threads_of(pid) if its == name), None), f"a thread has the name {name}")


def stand_still(process):
    """SIGSTOP, and until it has reached every thread, which kill(2) does not wait for. SIGCONT ends it."""
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: {state for _, _, state in threads_of(process.pid)} == {"T"}, "every thread has stopped")


def with_shim(folder, source, **more):
    """The environment of a program whose calls to the system go through a C file beside this one."""
    if os.environ.get("E2E_TREE", "release") != "release" or shutil.which("cc") is None:
        raise Skip("only against the release build, and with a compiler")
    shim = os.path.join(folder, "shim.so")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), source)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", shim, path, "-ldl"], check=True)
    return dict(os.environ, LD_PRELOAD=shim, **more)


FINDINGS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "penstock: bug:")


def second_run(failures):
    """Whether tests that failed so may run once more: tests/lib/second_run.sh says when, and why."""
    failures = list(failures)
    found = any(word in why for why in failures for word in FINDINGS)
    return 0 < len(failures) <= 3 and not found and not os.environ.get("PENSTOCK_STEADY")


CLAIMS = collections.deque(maxlen=8)  # more than one test takes before it binds them


def free_port():
    """A port that is bound later. The kernel gives it to nobody who asks for any (it is below those), and an abstract socket
    keeps it from tests in other processes, of which several use this network at the same time."""
    while True:
        port, claim = random.randrange(10_000, 32_768), socket.socket(socket.AF_UNIX)
        with socket.socket() as s, contextlib.suppress(OSError):
            claim.bind(f"\0penstock-test-port-{port}")
            s.bind(("127.0.0.1", port))
            CLAIMS.append(claim)
            return port
        claim.close()


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as s:
        s.bind(("::1", 0))
        return True
    return False


def can_connect(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def noise(n, seed=1):
    """n bytes that look random, the same every time."""
    out = bytearray()
    block = hashlib.sha256(str(seed).encode()).digest()
    while len(out) < n:
        block = hashlib.sha512(block).digest()
        out += block
    return bytes(out[:n])


def certificate(folder):
    """Its own authority, for 127.0.0.1: the paths of certificate and key."""
    if shutil.which("openssl") is None:
        raise Skip("openssl is not here")
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, stderr=subprocess.DEVNULL)
    return cert, key


# -- penstock -------------------------------------------------------------------------------------------------------

class Penstock:
    """`penstock run` on a route file, in a folder of its own. {port}, {up} and {dir} are filled in."""

    def __init__(self, routes, upstream=None, head="", workers=1, memory="32MiB", env=None, listen=""):
        self.dir = tempfile.mkdtemp(prefix="penstock-e2e-")
        self.port = free_port()
        self.out = os.path.join(self.dir, "out")
        os.mkdir(self.out)
        up = upstream.port if upstream is not None else free_port()
        text = f"""version: 1
listen: ["127.0.0.1:{self.port}", "unix:{self.dir}/in.sock"{listen and ", " + listen}]
memory: {memory}
threads: {{ workers: {workers} }}
log: {{ level: info, format: json }}
{head}
{routes}"""
        text = text.replace("{up}", str(up)).replace("{dir}", self.dir)
        self.file = os.path.join(self.dir, "routes.yaml")
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(text)
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "wb") as log:
            self.process = self.start(stderr=log, stdout=log, env=env)
        wait_for(self.is_up, "penstock listens: " + self.log())
        self.ending = threading.Event()
        if RELOAD:
            threading.Thread(target=self.reload_all_the_time, daemon=True).start()
            wait_for(lambda: self.process.poll() is not None or "the new route table is in force" in self.log(), "a reload")

    def reload_all_the_time(self):
        while self.process.poll() is None and not self.ending.wait(0.01):
            self.process.send_signal(signal.SIGHUP)

    def start(self, **how):
        return subprocess.Popen(self.command(), **how)

    def command(self):
        return [BINARY, "run", self.file]

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("penstock ended: " + self.log())
        return '"msg":"listening"' in self.log()  # on all of them

    def log(self):
        """Of what has happened by now a line may still be on its way: a thread of its own writes them, so tests wait for each."""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def lines(self, word):
        """Lines of the log that have this word in them; whole ones, since the last may be read while it is written."""
        return [json.loads(line) for line in self.log().rpartition("\n")[0].splitlines() if word in line]

    def requests(self):
        return self.lines('"msg":"request"')

    def files(self):
        """Everything visible below the folder: relative path -> bytes."""
        found = {}
        for at, _, names in os.walk(self.out):
            for name in names:
                path = os.path.join(at, name)
                with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:  # a temporary one may just go
                    found[os.path.relpath(path, self.out)] = f.read()
        return found

    def open_files(self):
        """What its descriptors are of; one may be closed at any time."""
        for fd in os.listdir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(OSError):
                yield os.readlink(f"/proc/{self.process.pid}/fd/{fd}")

    def memory(self, key):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
        return 0

    def stop(self, check=True):
        self.ending.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("penstock did not end after SIGTERM: " + self.log()[-3000:])
        log = self.log()
        shutil.rmtree(self.dir, ignore_errors=True)
        for word in FINDINGS:
            assert word not in log, log[-6000:]
        if check:
            assert self.process.returncode == 0, f"exit {self.process.returncode}: {log[-3000:]}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop(check=kind is None)


# -- raw HTTP --------------------------------------------------------------------------------------------------------

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def connect(port_or_path, timeout=DEADLINE, source=None):
    """To a port, a path, or (host, port); from an address of this machine."""
    if isinstance(port_or_path, str):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(port_or_path)
        return s
    to = port_or_path if isinstance(port_or_path, tuple) else ("127.0.0.1", port_or_path)
    return socket.create_connection(to, timeout, source and (source, 0))


def read_answer(s, buffer=b""):
    """One final answer (100 Continue is skipped). None: the connection ended before one came."""
    while True:
        while b"\r\n\r\n" not in buffer:
            try:
                piece = s.recv(65536)
            except ConnectionError:
                return None
            if not piece:
                return None
            buffer += piece
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if status != 100:
            break
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    length = int(headers.get("content-length", 0))
    while len(buffer) < length:
        piece = s.recv(65536)
        if not piece:
            break
        buffer += piece
    return Answer(status, headers, buffer[:length])


def part(name, data, filename=None, type=None, disposition=None):
    head = disposition or f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    lines = [f"Content-Disposition: {head}"] + ([f"Content-Type: {type}"] if type else [])
    return ("--" + BOUNDARY + "\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + data + b"\r\n"


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def head_of(path, length=None, method="POST", extra="", version="1.1", type=None):
    framing = f"Content-Length: {length}\r\n" if length is not None else "Transfer-Encoding: chunked\r\n"
    type = type or f"multipart/form-data; boundary={BOUNDARY}"
    return f"{method} {path} HTTP/{version}\r\nHost: test\r\nContent-Type: {type}\r\n{framing}{extra}\r\n".encode()


def chunked(body, size=4096):
    out = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size))
    return out + b"0\r\n\r\n"


def post(to, path, body, chunk=None, **how):
    with connect(to) as s:
        data = head_of(path, None if chunk else len(body), **how) + (chunked(body, chunk) if chunk else body)
        try:
            s.sendall(data)
        except ConnectionError:
            pass  # refused early: the answer is there all the same
        answer = read_answer(s)
        assert answer is not None, "no answer"
        return answer


# -- the scripted upstream -------------------------------------------------------------------------------------------

def becomes(what, s, seconds):
    """Not select(), which refuses descriptors over 1023: a test may have thousands, and those before it may have left some open."""
    poll = select.poll()
    poll.register(s, what)
    return bool(poll.poll(seconds and seconds * 1000))


def has_come(s, seconds=None):
    """Waits for something to read, or an end; for ever by default."""
    return becomes(select.POLLIN, s, seconds)


def has_room(s, seconds=None):
    """Waits until something may be sent, or nothing ever again; for ever by default."""
    return becomes(select.POLLOUT, s, seconds)


def is_silent(s):
    """Nothing has come that was not read yet, not even an end."""
    with contextlib.suppress(OSError):
        return not has_come(s, 0)
    return False


class Upstream:
    """An HTTP/1.1 server on loopback. Keeps complete PUTs and POSTs in `store` by path, deletes on DELETE.

    `script(request)` may be set: it is called when a request's head is in, with a Request that can read the body
    piece by piece, answer, cut or reset; what it leaves undone is done the normal way unless it returns "done" (the
    connection is closed) or "next" (another request may follow)."""

    def __init__(self, script=None, tls=None, receive=None):
        self.tls = tls and ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if tls:
            self.tls.load_cert_chain(*tls)
        self.script, self.store, self.seen, self.lock = script, {}, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        if receive:  # bytes that the kernel may take for us; unset, it takes megabytes
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.port = self.listener.getsockname()[1]
        self.release = threading.Event()  # for scripts that stall
        self.open, self.idle = set(), set()
        self.accepting = threading.Thread(target=self.accept, args=(self.listener,), daemon=True)
        self.accepting.start()

    def listen_unix(self, path):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                has_come(listener)
                with self.lock:  # whoever looks sees it before or after, not on its way
                    s, _ = listener.accept()
                    self.open.add(s)
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with contextlib.suppress(OSError, ValueError):
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            with s.makefile("rb", buffering=65536) as reader:  # it has the descriptor, too
                while True:
                    request = Request(self, s, reader)
                    self.idle.add(s)
                    if not request.read_head():
                        break
                    self.idle.discard(s)
                    with self.lock:
                        self.seen.append(request)
                    then = self.script(request) if self.script is not None else None
                    if then == "done":
                        break
                    if then == "next":
                        continue
                    if not request.read_all():
                        break
                    with self.lock:
                        if request.method == "DELETE":
                            self.store.pop(request.path, None)
                        else:
                            self.store[request.path] = bytes(request.body)
                    request.answer(201)
        with self.lock:
            self.open.discard(s)
            self.idle.discard(s)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            s.close()

    def at_rest(self):
        """All that has been sent to it so far has been read, and done."""
        with self.lock:
            return is_silent(self.listener) and all(s in self.idle and is_silent(s) for s in self.open)

    def close(self):
        self.release.set()
        # Its thread must be gone before the descriptor is: else it may take a connection of the next one that gets the number.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join(DEADLINE)
        self.listener.close()
        for s in list(self.open):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Request:
    def __init__(self, upstream, s, reader):
        self.upstream, self.socket, self.reader = upstream, s, reader
        self.body, self.complete, self.cut = bytearray(), False, False
        self.left, self.is_chunked, self.trailers = 0, False, []

    def read_head(self):
        lines = []
        while True:
            line = self.reader.readline(65536)
            if not line:
                return False
            if line == b"\r\n":
                break
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        self.method, self.path, _ = lines[0].split(" ")
        self.lines = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:]]
        self.headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        self.is_chunked = "transfer-encoding" in self.headers
        self.left = int(self.headers.get("content-length", 0))
        return True

    def read_some(self, n=65536):
        """A piece of body; b"": it is complete or cut."""
        if self.complete or self.cut:
            return b""
        if self.is_chunked and self.left == 0:
            line = self.reader.readline(64)
            if not line.endswith(b"\n"):
                self.cut = True
                return b""
            self.left = int(line, 16)
            if self.left == 0:
                self.read_trailers()
                self.cut = not self.complete
                return b""
        if not self.is_chunked and self.left == 0:
            self.complete = True
            return b""
        piece = self.reader.read1(min(n, self.left))
        if not piece:
            self.cut = True
            return b""
        self.left -= len(piece)
        self.body += piece
        if self.is_chunked and self.left == 0:
            self.reader.readline(64)
        return piece

    def read_trailers(self):
        while not self.complete:
            line = self.reader.readline(4096)
            if not line.endswith(b"\r\n"):
                return
            self.complete = line == b"\r\n"
            if not self.complete:
                self.trailers.append(tuple(x.strip() for x in line.decode("latin-1").split(":", 1)))

    def read_all(self):
        while self.read_some():
            pass
        return self.complete

    def read_bytes(self, n):
        while len(self.body) < n and self.read_some():
            pass

    def answer(self, status, body=b"", extra=""):
        self.socket.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.reader.close()
        return "done"
