# SPDX-License-Identifier: MIT
"""A fake S3: FakeS3() listens on loopback, checks every signature by sigv4.py, and does what fake_store.py says, or what a test
wants of the n-th call of a kind:

    with FakeS3() as fake:
        fake.on("part", 2, status(503, "SlowDown"))     # the second UploadPart
        fake.on("complete", EVERY, lost_after)          # each Complete is done, and nobody hears of it

Kinds: put get head delete create part complete abort list_uploads list bucket_head. `fake.calls` has every call with what became
of it, in the order in which their heads came. Behaviours are functions of a Call; misbehave.py has those that are needed often."""
import contextlib
import socket
import ssl
import threading
import time
import urllib.parse

import sigv4
from fake_store import Reply, Store, error
from sigv4 import Refused

EVERY = 0
REASONS = {100: "Continue", 200: "OK", 204: "No Content"}


class Call:
    """One request. A behaviour uses read(), act(), send(), cut() and reset(), in the order that it wants to be seen."""

    def __init__(self, fake, s, reader, target, method, headers):
        self.fake, self.socket, self.reader, self.method, self.headers = fake, s, reader, method, headers
        self.path, _, self.raw_query = target.partition("?")
        self.query = {n.decode(): v.decode() for n, v in sigv4.pairs_of(self.raw_query)}
        self.began, self.body, self.is_read, self.is_acted, self.status, self.code = time.monotonic(), b"", False, False, None, None
        self.payload, self.upload, self.began_in, self.n, self.ended = None, self.query.get("uploadId"), None, 0, None
        self.key = self.find_key()
        self.kind = self.find_kind()

    def __repr__(self):
        return f"{self.kind} {self.key!r} {self.status} {self.code or ''}"

    def find(self, name):
        return next((value for other, value in self.headers if other == name), None)

    def find_key(self):
        """Path style, or the bucket in the name of the host."""
        path, host = urllib.parse.unquote_to_bytes(self.path).decode("utf-8", "surrogateescape"), (self.find("host") or "").split(":")[0]
        self.is_bucket = host.startswith(self.fake.store.bucket + ".") or path[1:].split("/")[0] == self.fake.store.bucket
        return path[1:] if host.startswith(self.fake.store.bucket + ".") else path[1:].partition("/")[2]

    def find_kind(self):
        q, method = self.query, self.method
        if not self.key:
            return {"GET": "list_uploads" if "uploads" in q else "list", "HEAD": "bucket_head"}.get(method, "unknown")
        if "uploadId" in q:
            return {"PUT": "part", "POST": "complete", "DELETE": "abort"}.get(method, "unknown")
        return {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete", "POST": "create" if "uploads" in q else "unknown"}.get(method, "unknown")

    def read(self, most=None):
        """The body, or its first bytes. False: it was cut."""
        if self.is_read:
            return True
        if self.find("expect") and not self.body:
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(self.find("content-length") or 0)
        wanted, pieces, have = length if most is None else min(most, length), [self.body], len(self.body)
        while have < wanted:
            piece = self.reader.read1(min(wanted - have, 1 << 20))
            if not piece:
                self.body = b"".join(pieces)
                return False
            pieces.append(piece)
            have += len(piece)
        self.body = b"".join(pieces)
        self.is_read = have == length
        return True

    def act(self):
        """What the store says; it has done it."""
        try:
            if not self.is_bucket:
                raise Refused(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=self.path.split("/")[1])
            with self.fake.lock:
                reply = getattr(self.fake.store, self.kind)(self)
            self.is_acted = True
        except Refused as refused:
            reply = error(refused.status, refused.code, refused.message, **refused.more)
            self.code = refused.code
        return reply

    def bytes_of(self, reply, close=False):
        body = reply.body
        lines = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'X')}", "x-amz-request-id: FAKE", *(f"{n}: {v}" for n, v in reply.headers.items())]
        if "transfer-encoding" not in reply.headers and reply.status != 204:
            lines.append(f"content-length: {len(body)}")
        lines += ["connection: close"] * close
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (b"" if self.method == "HEAD" else body)

    def send(self, reply, close=False):
        self.status = reply.status
        self.socket.sendall(self.bytes_of(reply, close))
        return "done" if close else None

    def cut(self):
        self.status = "cut"
        return "done"

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return self.cut()


def normal(call):
    if call.read():
        return call.send(call.act())
    return call.cut()


class FakeS3:
    def __init__(self, keys=None, tls=None, receive=None, **store):
        self.keys, self.store, self.lock = keys or [sigv4.Keys()], Store(**store), threading.RLock()
        self.calls, self.behaviours, self.clock, self.open = [], {}, 0, set()
        self.tls = tls and ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if tls:
            self.tls.load_cert_chain(*tls)
        self.release = threading.Event()  # for calls that hang
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        if receive:  # bytes that the kernel may take for us; unset, it takes megabytes
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def on(self, kind, n, behaviour):
        """Of the n-th call of a kind from now on, or of EVERY one."""
        with self.lock:
            self.behaviours[kind, n and n + self.count(kind)] = behaviour

    def count(self, kind):
        return sum(call.kind == kind for call in self.calls)

    def of(self, kind):
        with self.lock:
            return [call for call in self.calls if call.kind == kind]

    def refused(self):
        """Calls that penstock should never have made: those that the store itself found wrong."""
        return [c for c in self.calls if c.code not in (None, "NoSuchUpload", "NoSuchKey", "PreconditionFailed")]

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.open.add(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        plain = s
        with contextlib.suppress(OSError, ValueError):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            with s.makefile("rb", buffering=1 << 16) as reader:
                while (call := self.read_head(s, reader)) is not None:
                    try:
                        then = self.answer(call)
                    finally:
                        call.ended = time.monotonic()
                    if then == "done" or not call.is_read and int(call.find("content-length") or 0):
                        break
        self.open.discard(plain)
        for end in (lambda: s.shutdown(socket.SHUT_RDWR), s.close):
            with contextlib.suppress(OSError):
                end()

    def read_head(self, s, reader):
        lines = []
        while True:
            line = reader.readline(1 << 16)
            if not line:
                return None
            if line == b"\r\n":
                break
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        method, target, _ = lines[0].split(" ")
        headers = [(n.strip().lower(), v.strip()) for n, v in (line.split(":", 1) for line in lines[1:])]
        return Call(self, s, reader, target, method, headers)

    def answer(self, call):
        with self.lock:
            self.calls.append(call)
            call.n = self.count(call.kind)
            behaviour = self.behaviours.get((call.kind, call.n)) or self.behaviours.get((call.kind, EVERY)) or normal
            call.began_in = self.store.uploads.get(call.upload)
        try:
            self.check(call)
        except Refused as refused:
            call.code = refused.code
            call.read()
            return call.send(error(refused.status, refused.code, refused.message, **refused.more), close=True)
        return behaviour(call)

    def check(self, call):
        if call.kind == "unknown":
            raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        if call.method in ("PUT", "POST") and (call.find("content-length") is None or call.find("transfer-encoding")):
            raise Refused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        for name in ("content-length", "host", "x-amz-date", "authorization", "content-type"):
            if sum(name == other for other, _ in call.headers) > 1:
                raise Refused(400, "InvalidRequest", f"{name} came twice")
        call.payload = sigv4.check(self.keys, call.method, call.path, call.raw_query, call.headers, time.time() + self.clock)

    def close(self):
        self.release.set()
        self.listener.close()
        for s in list(self.open):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


__all__ = ["EVERY", "Call", "FakeS3", "Reply", "normal"]
