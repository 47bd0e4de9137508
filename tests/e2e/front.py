# SPDX-License-Identifier: MIT
"""A real HAProxy in front, a tap that keeps what it forwards, and a strict reader of requests to judge both by. Which
HAProxy: GATEWAY_HAPROXIES (paths), else the one that is installed."""
from lib import *


def programs():
    installed = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    found = os.environ.get("GATEWAY_HAPROXIES", installed or "").split()
    if not found:
        raise Skip("haproxy is not here")
    return found


class Haproxy:
    """haproxy with one frontend on a port of its own, in front of `to` ("host:port" or "unix@path")."""

    def __init__(self, to, server="", backend="", bind="", mode="http", timeout=DEADLINE, program=None, frontend=""):
        program = program or programs()[0]
        self.dir, self.port = tempfile.mkdtemp(prefix="penstock-haproxy-"), free_port()
        config = f"""global
    log stderr local0
defaults
    mode {mode}
    log global
    timeout connect 20s
    timeout client {timeout}s
    timeout server {timeout}s
frontend fe
    bind 127.0.0.1:{self.port} {bind}
{frontend}
    default_backend be
backend be
{backend}
    server s1 {to} {server}
"""
        path = os.path.join(self.dir, "haproxy.cfg")
        with open(path, "w", encoding="utf-8") as f:
            f.write(config)
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([program, "-db", "-f", path], stdout=log, stderr=log)
        wait_for(self.is_up, "haproxy listens")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def is_up(self):
        assert self.process.poll() is None, "haproxy ended: " + self.log()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.dir, ignore_errors=True)


class Tap:
    """Passes connections on to a port and keeps what their clients sent, connection by connection."""

    def __init__(self, port):
        self.to, self.sent = port, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far, kept = socket.create_connection(("127.0.0.1", self.to)), bytearray()
            self.sent.append(kept)
            for source, target, keep in ((near, far, kept), (far, near, bytearray())):
                threading.Thread(target=self.pump, args=(source, target, keep), daemon=True).start()

    @staticmethod
    def pump(source, target, keep):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                keep += data  # before it is sent, so that what penstock has read is known here
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


TOKEN = set(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Read:
    """One request in a stream, read as strictly as RFC 9112 allows. `whole` is False where the stream ends in it, or
    where it can be read in more than one way: then nothing behind it is read."""

    def __init__(self, stream):
        self.body, self.whole, self.rest = b"", False, b""
        head, end, rest = bytes(stream).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.method, self.target, version = (lines[0].split(b" ") + [b"", b""])[:3]
        self.headers = [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines[1:])]
        plain = (not any(c in head.replace(b"\r\n", b"") for c in b"\r\n\0") and version in (b"HTTP/1.1", b"HTTP/1.0")
                 and all(name and set(name) <= TOKEN for name, _ in self.headers))
        if end and plain:
            self.read_body(rest)

    def values(self, name):
        return [value for n, value in self.headers if n == name]

    def read_body(self, rest):
        lengths, codings = self.values(b"content-length"), self.values(b"transfer-encoding")
        if len(lengths) + len(codings) > 1 or (lengths and not lengths[0].isdigit()):
            return
        if codings:
            if codings[0].lower() == b"chunked":
                self.read_chunks(rest)
            return
        n = int(lengths[0]) if lengths else 0
        self.body, self.rest, self.whole = rest[:n], rest[n:], len(rest) >= n

    def read_chunks(self, rest):
        while True:
            line, end, rest = rest.partition(b"\r\n")
            if not end:
                return
            if not line or not set(line) <= set(b"0123456789abcdefABCDEF"):
                return
            n = int(line, 16)
            if n == 0:
                break
            self.body += rest[:n]
            if rest[n:n + 2] != b"\r\n":
                return
            rest = rest[n + 2:]
        while True:
            line, end, rest = rest.partition(b"\r\n")
            if not end:
                return
            if not line:
                self.rest, self.whole = rest, True
                return


def read_requests(stream):
    found = []
    while stream:
        found.append(Read(stream))
        stream = found[-1].rest
    return found
