#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""authorize.py [ROUNDS] - what an application costs that is asked first (`authorize`) and told of each form (`app`): the time to `100 Continue`
with one that takes 20 ms, and penstock's CPU for a small form that goes to a store by PUT, of 32 clients whose connections are kept, beside
one without. Prints a line each; PENSTOCK names the binary, and TMPDIR is the disk of the journal."""
import asyncio
import os
import sys
import tempfile
import threading
import time
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../e2e")]
import programs  # noqa: E402  pylint: disable=wrong-import-position
from lib import BINARY, Penstock, connect, form, head_of, part, read_answer  # noqa: E402  pylint: disable=wrong-import-position
from measure import in_turns  # noqa: E402  pylint: disable=wrong-import-position

ROUTES = """
destinations:
  app: {{ type: http, url: "http://127.0.0.1:{port}" }}
  none: {{ type: discard }}
routes:
  - {{ id: asks, match: {{ path: /asks }}, authorize: {{ to: app, path: "/{{header.x-delay}}" }}, fields: [ {{ name: "*", store: {{ to: none, key: "{{uuid}}" }} }} ] }}
  - {{ id: plain, match: {{ path: /plain }}, fields: [ {{ name: "*", store: {{ to: none, key: "{{uuid}}" }} }} ] }}
"""
FORM = form(part("a", b"x" * 300), part("b", b"y" * 300))

STORE = '{{ type: http, url: "http://127.0.0.1:{drain}", undo: DELETE }}\n  app: {{ type: http, url: "http://127.0.0.1:%d"%s }}'
FIELDS = 'fields: [ { name: "f*", kind: file, store: { to: drain, path: "/{uuid}" } }, { name: "v*", kind: value, %s: true } ]\n    response: { json: none }'
ASKS = "\n    authorize: { to: app, path: /may }"
TELLS = '\n    app: { to: app, path: /told, form: json, sign: { key: "a key of a bench" }, failed: { path: /failed } }'
ROWS = (("neither", FIELDS % "drop", ""), ("asks", FIELDS % "drop" + ASKS, ""), ("tells", FIELDS % "forward" + TELLS, ""),
        ("both", FIELDS % "forward" + ASKS + TELLS, ""), ("both, reuse: always", FIELDS % "forward" + ASKS + TELLS, ", reuse: always"))


async def serve(reader, writer):
    while head := await reader.readuntil(b"\r\n\r\n"):
        await asyncio.sleep(int(head.split()[1][1:] or 0) / 1000)
        writer.write(b"HTTP/1.1 204 No\r\n\r\n")


def start():
    loop, ready = asyncio.new_event_loop(), threading.Event()
    ports = []

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()
    loop.set_exception_handler(lambda *_: None)
    threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True).start()
    ready.wait()
    return ports[0]


def first_byte(p, path, delay, n):
    times = []
    for _ in range(n):
        with connect(p.port) as s:
            began = time.perf_counter()
            s.sendall(head_of(path, len(FORM), extra=f"Expect: 100-continue\r\nX-Delay: {delay}\r\n"))
            assert s.recv(12) == b"HTTP/1.1 100"
            times.append(time.perf_counter() - began)
            s.recv(100)
            s.sendall(FORM)
            assert read_answer(s).status == 201
    times.sort()
    return [times[n * q // 100] * 1000 for q in (50, 90)]


def small_forms(rounds):
    """The store throws bodies away, and so does the application, which says yes to all."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        args = types.SimpleNamespace(penstock=BINARY, load=programs.build(folder, "load"))
        started, (store, drain), (app, port) = [], programs.drain(folder), programs.drain(folder)
        try:
            for i, (name, route, more) in enumerate(ROWS):
                started.append(programs.penstock(args, folder, f"row-{i}", drain, route, 64, head=f"state: {folder}/state{i}",
                                                 to="drain: " + STORE % (port, more)))
                started[-1].name = name
            in_turns(args, started, 1, connections=32, uploads=2, size=8192, values=3)
            return in_turns(args, started, rounds, connections=32, uploads=80, size=8192, values=3)
        finally:
            for process in (*started, store, app):
                process.stop() if process in started else process.kill()


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with Penstock(ROUTES.format(port=start())) as p:
        for path, delay in (("/plain", 0), ("/asks", 0), ("/asks", 20)):
            p50, p90 = first_byte(p, path, delay, n)
            print(f"to 100 Continue: {path}, an application that takes {delay} ms: p50 {p50:.2f} ms, p90 {p90:.2f} ms")
    rows = small_forms(max(1, n // 40))
    for name, row in rows.items():
        print(f"CPU of a small form: {name}: {row['cpu_us']:.0f} us, {row['cpu_us'] / rows['neither']['cpu_us']:.2f} times; failures: {row['failures']}")


if __name__ == "__main__":
    main()
