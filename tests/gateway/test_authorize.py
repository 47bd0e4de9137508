# SPDX-License-Identifier: MIT
"""Agent and filter leave it to penstock to ask an application: once for each upload, however it comes. Who waits for 100 sends nothing,
and a refusal reaches who does not wait."""
import application

from gw import *
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  app: { type: http, url: "http://127.0.0.1:{app}" }
routes:
  - id: a
    match: { path: "/a/*" }
    authorize: { to: app, path: "/may/{path.1}", timeout: 60s }
    limits: { body: 64MiB }
    fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ]
"""
CLIENTS = 60


def decide(handler):
    return (204, [], b"") if handler.path == "/may/yes" else (403, [("Content-Type", "application/problem+json")], \
        b'{"type":"urn:penstock:problem:no","status":403}')


class Bench:
    """A penstock that asks, and a form of 5 MB in a file."""

    def __enter__(self):
        self.app = application.Application(decide)
        self.penstock = Penstock(ROUTES.replace("{app}", str(self.app.port)), head=AGENT, workers=2)
        self.form = self.penstock.dir + "/form"
        with open(self.form, "wb") as f:
            f.write(form(part("a", noise(5_000_000), "a.bin")))
        return self

    def __exit__(self, kind, value, trace):
        self.penstock.stop(check=kind is None)
        self.app.close()

    def paths(self):
        return [path for _, path, _ in self.app.asked]


def through_each(bench, programs, **gateway):
    for version, program in programs.items():
        with Gateway(bench.penstock, program, **gateway) as g:
            for http2 in (False, True):
                yield f"HAProxy {version}, HTTP/{2 if http2 else 1.1}", g, http2


def check(programs, **gateway):
    n = rounds(CLIENTS)
    with Bench() as b:
        for where, g, http2 in through_each(b, programs(), **gateway):
            del b.app.asked[:]
            told, other = count_told(n, lambda: curl(g.port, "/a/no", b.form, http2=http2, length=True), 403, "no")
            print(f"   {where}: {told}/{n} {dict(other)}, {len(b.app.asked)} questions", flush=True)
            assert told == n and b.paths() == ["/may/no"] * n, (where, other, len(b.app.asked), g.log()[-1500:])
            assert b.penstock.files() == {}
            answer = curl(g.port, "/a/yes", b.form, http2=http2, length=True)
            assert answer.status == 201 and b.paths()[n:] == ["/may/yes"], (where, answer, b.paths()[n:])
            wait_for(lambda: len(b.penstock.files()) == 1, "the file")
            for name in b.penstock.files():
                os.unlink(os.path.join(b.penstock.out, name))


def test_the_agent_leaves_it_to_penstock():
    check(haproxies)


def test_the_filter_leaves_it_to_penstock():
    check(with_filter, native=True)


def test_who_waits_for_100_sends_no_byte():
    with Bench() as b:
        for where, g, http2 in through_each(b, haproxies()):
            if http2:
                continue
            with connect(g.port) as s:
                s.sendall(head_of("/a/no", 5_000_000, extra="Expect: 100-continue\r\n"))
                answer = read_answer(s)
                assert answer.status == 403, (where, answer.status)
            line = wait_for(lambda: [x for x in b.penstock.requests() if x["status"] == 403], "a line of the log")[-1]
            assert line["bytes"] == 0 and b.paths() == ["/may/no"], line
            del b.app.asked[:]
