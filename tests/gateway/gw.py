# SPDX-License-Identifier: MIT
"""What the tests of the gateway share: HAProxy with what `penstock haproxy` writes, curl as a client, HAProxy's own
figures. Which HAProxy: GATEWAY_HAPROXIES, and GATEWAY_FILTERS for those with the filter inside (paths)."""
import collections
import concurrent.futures
import contextlib
import csv
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from lib import BINARY, BOUNDARY, DEADLINE, Answer, Skip, connect, free_port, read_answer, wait_for

AGENT = 'spoa: { listen: ["unix:{dir}/spoa.sock"] }'


@functools.cache
def version_of(program):
    text = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\d+\.\d+)", text).group(1)


def haproxies():
    """{version: path}, oldest first; at least one."""
    found = {version_of(path): path for path in os.environ.get("GATEWAY_HAPROXIES", "").split()}
    if not found:
        raise Skip("no HAProxy can be had")
    return dict(sorted(found.items(), key=lambda pair: [int(n) for n in pair[0].split(".")]))


def with_filter():
    """{version: path} of those with the filter inside."""
    found = {version_of(path): path for path in os.environ.get("GATEWAY_FILTERS", "").split()}
    if not found:
        raise Skip("no HAProxy with the filter inside can be had")
    return found


class Gateway:
    """HAProxy in front of a Penstock. `edit(text)` may change what was written; `bind` are further words of its
    address; `master` starts it with a master process, which reloads it on SIGUSR2. Unless `shipped`, the agent may take 20 s
    instead of 500 ms: a busy machine is no failure. `options` are further ones of `penstock haproxy`, `name` is HAProxy's among its peers."""

    def __init__(self, penstock, program=None, native=False, edit=None, bind="", master=False, wait="UP", shipped=False, options=(), name=None):
        self.program = program or list(haproxies().values())[0]
        self.dir, self.port = tempfile.mkdtemp(prefix="penstock-gw-"), free_port()
        self.native, self.edit, self.shipped, self.options = native, edit, shipped, list(options)
        self.listen = f"127.0.0.1:{self.port}{bind}"
        self.write(penstock)
        command = [self.program, *(word for file in self.files() for word in ("-f", file)), "-W" if master else "-db", *(["-L", name] if name else [])]
        self.log_path = self.dir + "/log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        self.with_agent = not native and "spop-check" in self.text
        try:
            self.wait_until_up(wait)
        except BaseException:
            self.stop()
            raise

    def wait_until_up(self, wait):
        wait_for(self.is_up, "HAProxy listens")
        wait_for(self.is_told, "HAProxy listens at its socket, too")
        if wait and self.with_agent:
            wait_for(lambda: self.agent_is(wait), f"HAProxy has found the agent {wait}")
        if wait:
            wait_for(lambda: self.stat("penstock", "penstock", "status") == "UP", "HAProxy has found penstock")

    def write(self, penstock):
        """Again, for a reload with another route file."""
        run = subprocess.run([BINARY, "haproxy", "--force", "--out", self.dir, "--listen", self.listen] + (["--native"] if self.native else [])
                             + self.options + [penstock.file], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        self.cfg = self.dir + "/haproxy.cfg"
        with open(self.cfg, encoding="utf-8") as f:
            self.text = f.read().replace("global\n", f"global\n    stats socket '{self.dir}/stats.sock' level admin\n", 1)
        if self.edit is not None:
            edited = self.edit(self.text)
            assert edited != self.text, "the edit changed nothing"
            self.text = edited
        with open(self.cfg, "w", encoding="utf-8") as f:
            f.write(self.text)
        self.patient()

    def files(self):
        return [self.cfg]

    def patient(self):
        """Unless it is to be as shipped, the agent may take its time."""
        if not self.shipped and os.path.exists(self.dir + "/penstock.spoe.conf"):
            with open(self.dir + "/penstock.spoe.conf", "r+", encoding="utf-8") as f:
                text = re.sub(r"timeout (hello|processing) \w+", r"timeout \1 20s", f.read())
                f.seek(0)
                f.write(text)
                f.truncate()

    def is_up(self):
        assert self.process.poll() is None, self.log()
        with socket.socket() as s:
            return os.path.exists(self.dir + "/stats.sock") and s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def say(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            s.connect(self.dir + "/stats.sock")
            s.sendall(line.encode() + b"\n")
            return s.makefile(encoding="utf-8", errors="replace").read()

    def is_told(self):
        """It listens there a little later."""
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return self.say("show info") != ""
        return False

    def stat(self, proxy, server, field):
        for row in csv.DictReader(self.say("show stat").removeprefix("# ").splitlines()):
            if (row["pxname"], row["svname"]) == (proxy, server):
                return row[field]
        raise AssertionError(f"no {proxy}/{server}")

    def agent_is(self, status):
        """A server is taken for UP before its first check: then check_status is empty. Goes down only at its second."""
        if self.stat("penstock-agent", "agent", "status") != status:
            return False
        return status != "UP" or self.stat("penstock-agent", "agent", "check_status") == "L7OK"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("HAProxy did not end: " + self.log()[-2000:]) from None
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# -- a client that is a real one --------------------------------------------------------------------------------------

def curl(port, path, file, *options, http2=False, tls=False, length=True, method="POST"):
    """The answer that curl saw; status 0 and its own words if it saw none."""
    command = ["curl", "-sS", "-i", "--max-time", str(DEADLINE), "-X", method, "-H", "Host: test", "-H", "Expect:"]
    command += ["-H", f"Content-Type: multipart/form-data; boundary={BOUNDARY}"]
    command += (["-k", "--http2"] if http2 else ["-k", "--http1.1"]) if tls else ["--http2-prior-knowledge"] if http2 else ["--http1.1"]
    command += ["--data-binary", "@" + file] if length else ["-T", "-"]
    with open(file if not length else os.devnull, "rb") as body:
        run = subprocess.run([*command, *options, f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"], stdin=body,
                             capture_output=True, check=False)
    head, _, rest = run.stdout.partition(b"\r\n\r\n")
    while head.startswith((b"HTTP/1.1 100", b"HTTP/2 100")):
        head, _, rest = rest.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):
        return Answer(0, {}, run.stderr)
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers, rest)


def is_problem(answer, status, kind):
    try:
        told = answer.json()
    except ValueError:
        return False
    return (answer.status == status == told["status"] and answer.headers.get("content-type") == "application/problem+json"
            and told["type"] == "urn:penstock:problem:" + kind)


def count_told(n, ask, status, kind):
    """How many of n clients, four at a time, heard the refusal whole; none may be told that all is well."""
    told, other = 0, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: ask(), range(n)):
            if is_problem(answer, status, kind):
                told += 1
            else:
                assert answer.status == 0 or answer.status >= 400, (answer.status, answer.body[:300])
                other[answer.body[:60] if answer.status == 0 else answer.status] += 1
    return told, other


def expect_continue(port, path, length, extra="", host="test", method="POST", type=None):
    """Sends a head with Expect and never a body: the first answer, 100 included."""
    type = type or f"multipart/form-data; boundary={BOUNDARY}"
    with connect(port) as s:
        framing = f"Content-Length: {length}\r\n" if length is not None else "Transfer-Encoding: chunked\r\n"
        s.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {type}\r\n{framing}Expect: 100-continue\r\n{extra}\r\n".encode())
        buffer = s.recv(65536)
        if buffer.startswith(b"HTTP/1.1 100"):
            return Answer(100, {}, b"")
        return read_answer(s, buffer)
