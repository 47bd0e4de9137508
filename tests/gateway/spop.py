# SPDX-License-Identifier: MIT
"""A scripted HAProxy: SPOP 2.0 from its side, frame by frame, with every mistake it should not make."""
import struct

from lib import BOUNDARY, connect

HELLO, DISCONNECT, NOTIFY, AGENT_HELLO, AGENT_DISCONNECT, ACK = 1, 2, 3, 101, 102, 103
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def varint(n):
    if n < 240:
        return bytes([n])
    out = bytearray([(n & 15) | 240])
    n = (n - 240) >> 4
    while n >= 128:
        out.append((n & 127) | 128)
        n = (n - 128) >> 7
    out.append(n)
    return bytes(out)


def take_varint(data, at):
    value, shift, at = data[at], 4, at + 1
    if value < 240:
        return value, at
    while True:
        byte = data[at]
        value += byte << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at


def string(text):
    text = text.encode() if isinstance(text, str) else text
    return varint(len(text)) + text


def typed(value):
    if value is None:
        return b"\0"
    if value is True or value is False:
        return bytes([1 | value << 4])
    if isinstance(value, int):
        return b"\3" + varint(value)
    if isinstance(value, bytes):  # an address
        return bytes([6 if len(value) == 4 else 7]) + value
    return b"\x08" + string(value)


def take_typed(data, at):
    kind, at = data[at], at + 1
    if kind & 15 == 1:
        return bool(kind >> 4), at
    if kind & 15 in (2, 3, 4, 5):
        return take_varint(data, at)
    n, at = take_varint(data, at)
    return data[at:at + n].decode(), at + n


def pairs(**values):
    return b"".join(string(k.replace("_", "-")) + typed(v) for k, v in values.items())


def frame(kind, payload=b"", stream=0, number=0, flags=1):
    body = bytes([kind]) + struct.pack(">I", flags) + varint(stream) + varint(number) + payload
    return struct.pack(">I", len(body)) + body


def hello(size=16380, **more):
    return frame(HELLO, pairs(supported_versions="2.0", max_frame_size=size, capabilities="pipelining,async", **more))


QUESTION = {"id": "id-1", "method": "POST", "version": "1.1", "target": "/d", "host": "test", "hosts": 1, "type": FORM, "types": 1,
            "length": "100", "lengths": 1, "coding": None, "codings": 0, "encoding": None, "encodings": 0, "expect": None, "expects": 0}


def message(name="penstock-admit", **change):
    arguments = {**QUESTION, **change}
    return string(name) + bytes([len(arguments)]) + b"".join(string(k) + typed(v) for k, v in arguments.items())


def notify(stream=1, number=1, **change):
    return frame(NOTIFY, message(**change), stream, number)


class Frame:
    def __init__(self, data):
        self.kind, self.flags = data[0], struct.unpack(">I", data[1:5])[0]
        self.stream, at = take_varint(data, 5)
        self.number, at = take_varint(data, at)
        self.payload, self.vars = data[at:], {}
        if self.kind == ACK:
            while at < len(data):
                assert data[at:at + 3] == b"\1\3\2", "an action other than set-var of a transaction"
                n, at = take_varint(data, at + 3)
                name, at = data[at:at + n].decode(), at + n
                self.vars[name], at = take_typed(data, at)
        else:
            while at < len(data):
                n, at = take_varint(data, at)
                name, at = data[at:at + n].decode(), at + n
                self.vars[name], at = take_typed(data, at)


class Peer:
    """One connection to the agent."""

    def __init__(self, path, greet=True):
        self.socket = connect(path)
        self.buffer = b""
        if greet:
            self.send(hello())
            assert self.read().kind == AGENT_HELLO

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """The next frame; None: the agent has closed (or reset, which means the same)."""
        try:
            while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack(">I", self.buffer[:4])[0]:
                piece = self.socket.recv(65536)
                if not piece:
                    assert not self.buffer, "half a frame, then the end"
                    return None
                self.buffer += piece
        except ConnectionError:
            return None
        n = 4 + struct.unpack(">I", self.buffer[:4])[0]
        data, self.buffer = self.buffer[4:n], self.buffer[n:]
        return Frame(data)

    def ask(self, **change):
        self.send(notify(**change))
        return self.read()

    def ends_with(self, status):
        """DISCONNECT with this status, and then the end."""
        last = self.read()
        assert last is not None and last.kind == AGENT_DISCONNECT and last.vars["status-code"] == status, last and (last.kind, last.vars)
        assert self.read() is None
        self.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


