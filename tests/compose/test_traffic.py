# SPDX-License-Identifier: MIT
"""Five hundred uploads at once through HAProxy: each is told what it must be, and the store holds what was told."""
import collections

from traffic import *

N = 500
HELD = 5       # limits.concurrent of the route `few`
EACH = 12      # uploads for each reason


def good_ones(n):
    """Of mixed sizes and shapes, about 190 MB."""
    sizes = [0, 1, 3_000, 16_384, 16_385, 70_000, 70_000, 300_000, 300_000, 1_000_000, 2_500_000]
    for i in range(n):
        files = [(f"a{i}", lib.noise(sizes[i % len(sizes)], i))]
        if i % 4 == 0:
            files.append((f"b{i}", lib.noise(20_000, -i)))
        if i % 40 == 0:
            files.append((f"c{i}", lib.noise(9_000_000, i)))
        yield Upload("good", files, chunk=50_000 if i % 3 == 0 else None)


def refused_ones():
    one = [("x", lib.noise(40_000, 1))]
    big = [("x", lib.noise(10 << 20 | 1, 2))]
    cut = lib.form(lib.part("file", lib.noise(40_000), "x"))[:-10]
    for i in range(EACH):
        yield Upload("no route", one, 404, path=f"/elsewhere/{i}")
        yield Upload("method", one, 405, method="PUT")
        yield Upload("no length", one, 411, path="/measured", chunk=9_000)
        yield Upload("declared too long", one, 413, length=(32 << 20) + 1 + i)
        yield Upload("too long as it comes", big, 413, chunk=60_000)
        yield Upload("no form", one, 415, type="application/json")
        yield Upload("unknown field", one, 422, more=[lib.part("nobody", b"x" * 5000, "n")])
        yield Upload("malformed", one, 400, body=cut)


class Crowd:
    """Runs the uploads, and holds each at its half until all of them are there, or answered. Those that are `held` fill
    limits.concurrent of their route: they come first, and go on when all that are one too many have been told."""

    def __init__(self, stack, uploads):
        self.stack, self.uploads, self.arrived, self.seen = stack, uploads, 0, 0
        self.all_here, self.all_told = asyncio.Event(), asyncio.Event()
        self.to_tell = sum(u.kind == "one too many" for u in uploads)

    async def half_way(self, upload, reading):
        self.arrived += 1
        if self.arrived == len(self.uploads):
            await self.see()
            self.all_here.set()
        waiting = asyncio.ensure_future(self.all_here.wait())
        await asyncio.wait([waiting, reading], return_when=asyncio.FIRST_COMPLETED, timeout=lib.DEADLINE * 3)
        assert self.all_here.is_set() or reading.done(), f"{self.arrived} of {len(self.uploads)} arrived"
        if upload.kind == "held":
            await asyncio.wait_for(self.all_told.wait(), lib.DEADLINE * 3)

    async def see(self):
        """Sockets can hold whole halves that HAProxy has yet to look at: more than half of them must come to penstock."""
        pid, loop = pid_of(self.stack.container("penstock")), asyncio.get_running_loop()
        end = loop.time() + lib.DEADLINE
        while self.seen <= N // 2 and loop.time() < end:
            self.seen = connections(pid, 8081)
            await asyncio.sleep(0.05)

    async def upload(self, upload):
        await upload.run(self.stack.port, self.half_way)
        self.to_tell -= upload.kind == "one too many"
        if self.to_tell == 0:
            self.all_told.set()

    async def run(self):
        first = [asyncio.ensure_future(self.upload(u)) for u in self.uploads if u.kind == "held"]
        while len(self.stack.unfinished()) < len(first):  # as the store has begun them, they are counted
            await asyncio.sleep(0.05)
        await asyncio.gather(*first, *[self.upload(u) for u in self.uploads if u.kind != "held"])


def all_uploads():
    some = [Upload("held", [(f"h{i}", lib.noise(400_000, i))], path="/few") for i in range(HELD)]
    some += [Upload("one too many", [("x", b"x" * 30_000)], 429, path="/few") for _ in range(EACH)]
    some += refused_ones()
    return some + list(good_ones(N - len(some)))


def check_answer(upload):
    answer = upload.answer
    assert answer is not None, f"{upload.kind}: no answer"
    assert answer.status == upload.status, (upload.kind, answer.status, answer.body[:300])
    if upload.status == 201:
        told = {f"{p['part']}-{p['filename']}": p["sha256"] for p in answer.json()["parts"]}
        assert told == upload.made, upload.kind
        return
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json" and problem["request_id"] and problem["status"] == upload.status
    assert upload.status != 429 or int(answer.headers["retry-after"]) > 0
    assert upload.status != 405 or answer.headers["allow"] == "POST"


def check_memory(stack, memory, container):
    state = inspect(container, "{{json .State}}")
    assert state["Running"] and not state["OOMKilled"], state
    peak, limit = memory.peak(), memory.limit()
    assert limit == (64 + 32) << 20, limit
    assert peak is not None, "this kernel does not say what a cgroup has used at most"
    resident = int(stack.process("penstock")["VmHWM"].split()[0]) << 10
    print(f"   cgroup: {peak / (1 << 20):.1f} MiB at most of {limit >> 20} MiB, page cache included; the process: {resident / (1 << 20):.1f} MiB")
    assert resident < limit - (4 << 20), "there is no room for the kernel's own"


def check_logs(stack, uploads):
    """Each form that was stored is a line of penstock, each of its objects one of the store, under the id that the client was told.
    HAProxy rather loses a line than waits for a reader of its stderr: how many is only said."""
    def is_logged(upload, lines):
        request_id = upload.answer.json()["request_id"]
        return request_id in lines["penstock"] and lines["storage"].count(f" 201 request_id={request_id}") == len(upload.made)

    def all_logged():
        lines = {s: stack.logs(s) for s in ("penstock", "storage")}
        left[:] = [u for u in left if not is_logged(u, lines)]
        return not left
    left = [u for u in uploads if u.told() == 201]
    wait_for(all_logged, "each upload is in the logs of all that it passed")
    gateway = stack.logs("haproxy")
    print(f"   HAProxy's log has {sum(u.answer.json()['request_id'] in gateway for u in uploads)} of {len(uploads)} ids")


def test_500_uploads_at_once_are_each_told_what_they_must():
    env = {"ROUTES": f"{ROOT}/tests/compose/traffic.yaml"}
    with Stack("penstock-test-traffic", env=env) as stack:
        container = stack.container("penstock")
        memory, uploads = Memory(container), all_uploads()
        crowd = Crowd(stack, uploads)
        asyncio.run(crowd.run())
        statuses = collections.Counter((u.kind, u.told()) for u in uploads)
        print("   " + ", ".join(f"{kind} {status}: {n}" for (kind, status), n in sorted(statuses.items(), key=str)))
        print(f"   {crowd.seen} connections to penstock when all {len(uploads)} were there")
        for upload in uploads:
            check_answer(upload)
        assert len(uploads) == N and crowd.seen > N // 2
        wanted = {path: digest for u in uploads for path, digest in u.stored().items()}
        assert stack.stored() == wanted, "the store holds what was told, and nothing else"
        wait_for(lambda: stack.unfinished() == [], "the store has let go of what was begun")
        check_logs(stack, uploads)
        check_memory(stack, memory, container)
