# SPDX-License-Identifier: MIT
"""What stores do now and then, for FakeS3.on(). Each is a function of a Call, or makes one."""
import re
import time

from fake_s3 import Reply, normal
from fake_store import document, error


def status(code, name, message="as the test wants it", headers=None, close=False, **more):
    """Answers so when the request is whole; the store has done nothing."""
    def behave(call):
        if not call.read():
            return call.cut()
        call.code = name
        reply = error(code, name, message, **more) if name else Reply(code)
        reply.headers.update(headers or {})
        return call.send(reply, close)
    return behave


def early(code, name):
    """Answers before the body has come."""
    def behave(call):
        call.code = name
        return call.send(error(code, name), close=True)
    return behave


def lost_after(call):
    """It is done, and the connection dies."""
    if call.read():
        call.act()
    return call.cut()


def lost_before(call):
    call.read()
    return call.cut()


def reset_after(n):
    def behave(call):
        call.read(n)
        return call.reset()
    return behave


def half_an_answer(call):
    """It is done, and its answer breaks off."""
    if not call.read():
        return call.cut()
    reply = call.act()
    data = call.bytes_of(reply)
    call.socket.sendall(data[:len(data) - max(1, len(reply.body) // 2)])
    return call.cut()


def slow(seconds):
    def behave(call):
        call.fake.release.wait(seconds)
        return normal(call)
    return behave


def hang(call):
    """Takes the request and never answers."""
    call.read()
    call.fake.release.wait()
    return call.cut()


def deaf(call):
    """Never reads the body."""
    call.fake.release.wait()
    return call.cut()


def then_normal(event):
    """Not before the test says so."""
    def behave(call):
        event.wait()
        return normal(call)
    return behave


def takes_until(event):
    """Has all of the body, and acts on it when the test says so, whether or not anybody still listens."""
    def behave(call):
        call.read()
        event.wait()
        return normal(call)
    return behave


def drip(seconds):
    """The answer comes a byte at a time."""
    def behave(call):
        if not call.read():
            return call.cut()
        reply = call.act()
        call.status = reply.status
        for byte in call.bytes_of(reply):
            call.socket.sendall(bytes([byte]))
            time.sleep(seconds)
        return None
    return behave


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def white_space(times, seconds, then=None):
    """200 at once, then spaces that keep the connection alive, then what Complete really says (or what `then` makes)."""
    def behave(call):
        if not call.read():
            return call.cut()
        call.socket.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b'<?xml version="1.0" encoding="UTF-8"?>\n'))
        for _ in range(times):
            time.sleep(seconds)
            call.socket.sendall(chunk(b" "))
        reply = then(call) if then else call.act()
        call.status = reply.status
        call.socket.sendall(chunk(re.sub(rb"^<\?xml.*?\?>\n", b"", reply.body)) + b"0\r\n\r\n")
    return behave


def error_in_200(name, after=0, seconds=0.05):
    return white_space(after, seconds, lambda call: error(200, name, "We encountered an internal error. Please try again."))


def wrong_etag(call):
    """A part is acknowledged by an ETag that the store will not know."""
    if not call.read():
        return call.cut()
    reply = call.act()
    reply.headers["etag"] = '"00000000000000000000000000000000"'
    return call.send(reply)


def wrong_sum(call):
    """The whole object has another checksum than its parts together."""
    if not call.read():
        return call.cut()
    reply = call.act()
    reply.body = re.sub(rb"<(ChecksumCRC\w+)>[^<]*<", rb"<\1>AAAAAAAAAAA=<", reply.body)
    return call.send(reply)


def wrong_sum_line(call):
    """What it has got has another checksum, it says; which is so."""
    if not call.read():
        return call.cut()
    reply = call.act()
    reply.headers["x-amz-checksum-crc32c"] = "AAAAAA=="
    return call.send(reply)


def without_etag(call):
    if not call.read():
        return call.cut()
    reply = call.act()
    reply.headers.pop("etag", None)
    return call.send(reply)


def body_instead(body, code=200):
    """Another body than S3's: it is done all the same."""
    def behave(call):
        if not call.read():
            return call.cut()
        call.act()
        return call.send(Reply(code, {"content-type": "application/xml"}, body), close=True)
    return behave


def huge(name, n):
    """An element that never ends."""
    return body_instead(document(name, f"<UploadId>{'x' * n}</UploadId><ETag>{'y' * n}</ETag>").body)


def not_http(call):
    call.read()
    call.socket.sendall(b"\0\1\2 this is no HTTP\r\n\r\n")
    return call.cut()
