# SPDX-License-Identifier: MIT
"""Uploads for the tests of traffic, faults and replacement: what each sends, what it must be told, what must lie in the
store for it. Raw HTTP/1.1, so that each byte's time is ours."""
import asyncio
import glob

import lib
from stack import *

HEADS_END = b"\r\n\r\n"


class Upload:
    """One form. `files`: field or (field, file name) -> bytes, in order. `status`: what it must be told."""

    def __init__(self, kind, files, status=201, path="/upload", chunk=None, **how):
        self.kind, self.status, self.path, self.answer = kind, status, path, None
        parts = [lib.part("file", data, name) for name, data in files]
        self.made = {f"{i}-{name}": sha256(data) for i, (name, data) in enumerate(files, 1)}
        self.body = how.pop("body", None) or lib.form(*parts, *how.pop("more", []))
        self.chunk = chunk
        self.head = lib.head_of(path, None if chunk else how.pop("length", len(self.body)), **how)

    def bytes(self):
        """Everything that goes out, and where its half is."""
        whole = self.head + (lib.chunked(self.body, self.chunk) if self.chunk else self.body)
        return whole, len(self.head) + (len(whole) - len(self.head)) // 2

    def told(self):
        return self.answer.status if self.answer is not None else None

    def stored(self):
        """Path -> SHA-256 of what it says that it has stored: all of it after a 201, else nothing."""
        if self.told() != 201:
            return {}
        return {f"{self.answer.json()['request_id']}/{name}": digest for name, digest in self.made.items()}

    async def run(self, port, half_way):
        """`half_way` is awaited between the halves; who is answered before may leave the second one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            whole, half = self.bytes()
            reading = asyncio.ensure_future(read_answer(reader))
            await send(writer, whole[:half])
            await half_way(self, reading)
            await send(writer, whole[half:])
            self.answer = await asyncio.wait_for(reading, lib.DEADLINE * 4)
        finally:
            writer.close()


async def send(writer, data):
    """A refused client may be cut while it sends: its answer is there all the same."""
    try:
        writer.write(data)
        await writer.drain()
    except ConnectionError:
        pass


async def read_answer(reader):
    """One final answer; None: the connection ended before one came."""
    try:
        head = await reader.readuntil(HEADS_END)
        while head.startswith(b"HTTP/1.1 100"):
            head = await reader.readuntil(HEADS_END)
        lines = head[:-4].decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Answer(int(lines[0].split()[1]), headers, body)


# -- what the kernel says of a container ------------------------------------------------------------------

class Memory:
    """What a container's cgroup has used, in bytes: all that its limit counts. With version 2 of cgroups that includes the
    kernel's socket buffers, with version 1 it does not."""

    def __init__(self, container):
        self.folder = next(iter(glob.glob(f"/sys/fs/cgroup/memory/docker/{container}") + glob.glob(f"/sys/fs/cgroup/docker/{container}") +
                                glob.glob(f"/sys/fs/cgroup/system.slice/docker-{container}.scope")), None)
        if self.folder is None:
            raise Skip("THE CGROUP OF A CONTAINER IS NOT TO BE FOUND: its memory was not measured")

    def read(self, *names):
        """The first that is there."""
        for name in names:
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as f:
                    return int(f.read().split()[0])
        return None

    def peak(self):
        return self.read("memory.max_usage_in_bytes", "memory.peak")

    def limit(self):
        return self.read("memory.limit_in_bytes", "memory.max")


def connections(pid, port, state="01"):
    """TCP connections to that port in the network of a process: those that are established, or 0A: that listen."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return sum(int(r[1].split(":")[1], 16) == port and r[3] == state for r in rows)


def pid_of(container):
    return inspect(container, "{{json .State.Pid}}")
