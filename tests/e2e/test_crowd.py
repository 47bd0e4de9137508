# SPDX-License-Identifier: MIT
"""A crowd of uploads at once, before an application that takes its time: its questions go out in turns, no worker waits for it, memory stays
within its bound, and everybody is answered. E2E_CROWD=9000 makes it as large as that, and the application as slow as a second."""
import asyncio
import contextlib
import resource
import time

from lib import *
from test_ops import Admin, get, wait_until_ready
from test_stalled import CONNECTION, allow_descriptors

CROWD = int(os.environ.get("E2E_CROWD", 300 if SMALL else 2000))
QUESTIONS = CROWD // 10
DELAY = 1 if "E2E_CROWD" in os.environ else 0.2  # seconds that each answer of the application takes

ROUTES = """state: "{{dir}}/state"
destinations:
  app: {{ type: http, url: "http://127.0.0.1:{app}", timeout: {{ connect: 20s }} }}
  none: {{ type: discard }}
routes:
  - id: asks
    match: {{ path: "/asks" }}
    authorize: {{ to: app, path: /may, timeout: {timeout} }}
    fields: [ {{ name: photo, kind: file, store: {{ to: none, key: "{{uuid}}" }} }}, {{ name: title, kind: value, forward: true }} ]
    app: {{ to: app, path: /form, sign: none, timeout: 60s, failed: {{ path: /failed }} }}
  - {{ id: open, match: {{ path: /open }}, fields: [ {{ name: "*", store: {{ to: none, key: "open-{{uuid}}" }} }} ] }}
"""
BODY = form(part("photo", noise(300), "p.jpg"), part("title", b"sea"))
HEAD = "client: {{ questions: {n}, questions_each: {n}, timeout: {{ head: 600s }} }}"  # the clients of here all connect before the first of them sends


class Slow(asyncio.Protocol):
    """The application: one connection of it. It answers after `delay` seconds."""
    asked, under_way, most, delay = {}, 0, 0, 0

    @classmethod
    def reset(cls, delay):
        cls.asked, cls.under_way, cls.most, cls.delay = {"/may": 0, "/form": 0}, 0, 0, delay

    def connection_made(self, transport):
        self.transport, self.got = transport, b""

    def data_received(self, data):
        self.got += data
        head, end, rest = self.got.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if not end or len(rest) < length:
            return
        self.got = rest[length:]
        path = head.split()[1].decode()
        Slow.asked[path] += 1
        if path == "/may":
            Slow.under_way += 1
            Slow.most = max(Slow.most, Slow.under_way)
        asyncio.get_running_loop().call_later(Slow.delay, self.answer, path)

    def answer(self, path):
        Slow.under_way -= path == "/may"
        self.transport.write(b"HTTP/1.1 204 No\r\n\r\n")


class Client(asyncio.Protocol):
    """Sends a form, and keeps what comes until there is a whole answer, or the end."""

    def __init__(self, over):
        self.over, self.got = over, b""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(head_of("/asks", len(BODY)) + BODY)

    def data_received(self, data):
        self.got += data
        if b"\r\n\r\n" in self.got and not self.over.done():
            self.over.set_result(self.got)
            self.transport.close()

    def connection_lost(self, exc):
        if not self.over.done():
            self.over.set_result(self.got)


async def send_one(port):
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    await loop.create_connection(lambda: Client(over), "127.0.0.1", port)
    return await over


def status_of(answer):
    return int(answer.split()[1]) if answer else None


async def play(p, while_asked):
    sends = [asyncio.ensure_future(send_one(p.port)) for _ in range(CROWD)]
    while Slow.under_way == 0:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(while_asked)
    return await asyncio.wait_for(asyncio.gather(*sends), 4 * DEADLINE)


@contextlib.contextmanager
def world(memory, timeout, delay=DELAY, questions=QUESTIONS):
    """penstock with an application that runs in the loop which is given, too. It takes two descriptors for each upload."""
    allow_descriptors(2 * CROWD + QUESTIONS + 1000)
    loop = asyncio.new_event_loop()
    Slow.reset(delay)
    server = loop.run_until_complete(loop.create_server(Slow, "127.0.0.1", 0, backlog=4096))
    port = server.sockets[0].getsockname()[1]
    try:
        with Admin(ROUTES.format(app=port, timeout=timeout), head=HEAD.format(n=questions), memory=f"{memory}MiB", workers=2) as p:
            wait_until_ready(p)
            yield p, loop
    finally:
        server.close()
        loop.run_until_complete(loop.shutdown_default_executor())


def upload_beside(p):
    assert post(p.port, "/open", form(part("a", b"1", "a"))).status == 201


def check_answers(answers, statuses):
    """Each is one of these, and whoever is to come again is told when."""
    got = collections.Counter(status_of(a) for a in answers)
    assert set(got) <= statuses, got
    assert all(b"\r\nretry-after: " in a.lower() for a in answers if status_of(a) == 503)
    assert Slow.asked["/form"] >= got[201], (Slow.asked, got)
    return got


def check_memory(p, idle, memory):
    grown = p.memory("VmHWM") - idle
    print(f"# {CROWD} uploads, {Slow.most} questions under way at once: {grown >> 20} MiB more than idle, {grown // CROWD} bytes each")
    if os.environ.get("E2E_TREE", "release") == "release":
        assert grown < (memory << 20) + CROWD * (CONNECTION + len(BODY)), f"{grown // CROWD} bytes each"
    wait_for(lambda: b"penstock_memory_used_bytes 0" in get(p.admin, "/metrics").body, "nothing is held any more")


def check_crowd(memory, timeout, statuses):
    with world(memory, timeout) as (p, loop):
        idle, began = p.memory("VmRSS"), time.monotonic()
        answers = loop.run_until_complete(play(p, lambda: upload_beside(p)))
        took = time.monotonic() - began
        got = check_answers(answers, statuses)
        assert Slow.most <= QUESTIONS, Slow.most
        print(f"# {dict(got)} of {CROWD} with {memory} MiB after {took:.1f} s")
        check_memory(p, idle, memory)
        return got


def test_a_crowd_before_a_slow_application_is_answered():
    """A form that asks nobody comes in meanwhile: no worker waits for the application."""
    assert check_crowd(max(64, CROWD // 40), "120s", {201})[201] == CROWD
    assert Slow.asked == {"/may": CROWD, "/form": CROWD} and Slow.most >= QUESTIONS * 9 // 10, (Slow.asked, Slow.most)


def test_a_crowd_for_which_there_is_too_little_memory_is_answered():
    assert check_crowd(max(8, CROWD // 200), "120s", {201, 503})[201] > 0


def test_a_crowd_before_an_application_that_is_silent_is_told_when_to_come_again():
    """Of those that were asked about it is 504; whoever waits for his turn is told that it did not come. So few are asked about that some
    wait however slowly they arrive."""
    with world(64, "2s", delay=600, questions=max(2, CROWD // 100)) as (p, loop):
        answers = loop.run_until_complete(play(p, lambda: upload_beside(p)))
        got = check_answers(answers, {503, 504})
        assert got[503] > 0 and got[504] > 0, got
