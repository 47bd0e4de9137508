# SPDX-License-Identifier: MIT
"""How fast bodies come in: `rate` of a route and of a client hold back whoever is faster, over all workers, and `min_rate` refuses whoever
is slower, unless it is penstock that does not read."""
import json
import subprocess
import threading
import time

from lib import *
from test_ops import Admin, read_metrics

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: all, match: { path: /all }, limits: { rate: 1MiB/s }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
  - { id: each, match: { path: /each }, limits: { per_client: { rate: 1MiB/s } }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
  - { id: min, match: { path: /min }, limits: { min_rate: 4KiB/s, rate: 1MiB/s }, fields: [ { name: a, store: { to: files, key: "{uuid}" } },
      { name: b, store: { to: up, path: "/{uuid}" } } ] }
"""
RATE = 1 << 20
BURST = 0.1  # seconds


def of(client):
    return f"X-Forwarded-For: {client}\r\n"


def upload(p, path, n, client):
    """Seconds that it takes to upload so many bytes, from the first to the answer."""
    body = form(part("a", noise(n), "a"))
    begun = time.monotonic()
    answer = post(p.port, path, body, extra=of(client))
    took = time.monotonic() - begun
    assert answer.status == 201 and answer.json()["parts"][0]["size"] == n, answer.body
    return took


def together(*jobs):
    """What each returns, all at once."""
    results = [None] * len(jobs)

    def run(i, job):
        results[i] = job()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert None not in results, results
    return results


def test_a_rate_is_for_all_uploads_of_all_workers_together():
    with Upstream() as up, Admin(ROUTES, up, workers=4) as p:
        n = RATE // 2
        begun = time.monotonic()
        together(*(lambda i=i: upload(p, "/all", n, f"192.0.2.{i}") for i in range(4)))
        took = time.monotonic() - begun
        assert took >= 4 * n / RATE - BURST, took
        assert read_metrics(p)["penstock_shaped_bytes_total"] >= 3 * n
        assert len(p.files()) == 4


def test_each_client_has_a_rate_of_its_own():
    with Upstream() as up, Penstock(ROUTES, up, workers=2) as p:
        n = RATE // 2
        begun = time.monotonic()
        together(lambda: upload(p, "/each", n, "2001:db8::1"), lambda: upload(p, "/each", n, "2001:db8::2"))
        took = time.monotonic() - begun
        assert took >= 2 * n / RATE - BURST, took
        upload(p, "/each", n, "192.0.2.1")
        again = upload(p, "/each", n, "192.0.2.1")
        assert again >= n / RATE - BURST, "coming again is no way around it"


def test_who_brings_too_little_is_refused_and_who_is_held_back_is_not():
    """At the same time: one drips, one brings enough, and of one a store takes nothing until the first is refused."""
    is_refused = threading.Event()

    def script(request):
        is_refused.wait(DEADLINE)
        request.read_all()
        request.answer(201)

    with Upstream(script) as up, Penstock(ROUTES, up, workers=2) as p:

        def drip(each):
            """So much five times a second, until there is an answer, or one of the others has its."""
            body = form(part("a", noise(1 << 20), "a"))
            with connect(p.port) as s:
                s.sendall(head_of("/min", len(body)) + body[:100])
                for i in range(100, 1 << 20, each):
                    s.sendall(body[i:i + each])
                    s.settimeout(0.2)
                    with contextlib.suppress(TimeoutError):
                        return read_answer(s, s.recv(4096)).json()
                    if is_refused.is_set():
                        return {"status": 0}

        def slow():
            told = drip(100)
            is_refused.set()
            return told

        def wait_for_store():
            body = form(part("b", noise(3 << 20), "b"))
            with connect(p.port) as s:
                s.sendall(head_of("/min", len(body)) + body)
                return read_answer(s).status

        refused, enough, stored = together(slow, lambda: drip(2500), wait_for_store)
        assert (refused["status"], refused["limit"], refused["route"]) == (408, "min_rate", "min"), refused
        assert refused["detail"] == "for 10 seconds the body came more slowly than min_rate of 4096 bytes a second", refused
        assert enough["status"] == 0, enough
        assert stored == 201


def test_an_application_may_narrow_the_rate_of_one_upload():
    """And not widen it: the route's holds, too."""
    n = RATE // 4
    body = form(part("a", noise(n), "a"))
    route = ROUTES + """  - { id: asked, match: { path: "/asked/*" }, limits: { rate: 512KiB/s }, authorize: { to: up, path: "/{path.1}", sign: none },
      fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
"""

    def script(request):
        request.answer(200, extra=f"Penstock-Limit-Rate: {request.path[1:]}\r\n")

    with Upstream(script) as up, Penstock(route, up, workers=2) as p:
        for granted, rate in ((RATE // 4, RATE // 4), (RATE * 100, RATE // 2)):
            begun = time.monotonic()
            assert post(p.port, f"/asked/{granted}", body).status == 201
            took = time.monotonic() - begun
            assert took >= n / rate - BURST, (granted, took)


def test_explain_tells_what_one_request_does_not_show():
    limits = "limits: { concurrent: 9, rate: 1MiB/s, min_rate: 4KiB/s, per_client: { uploads: 3, connections: 5, rate: 512KiB/s } }"
    every = {"concurrent": 9, "per_client.uploads": 3, "per_client.connections": 5, "per_client.rate": 512 << 10, "rate": RATE, "min_rate": 4096}
    body = form(part("a", b"x", "a"))
    with Upstream() as up, Penstock(ROUTES.replace("limits: { rate: 1MiB/s }", limits).replace("limits: { per_client: { rate: 1MiB/s } }, ", ""), up) as p:

        def explain(path, *options, data=body):
            return subprocess.run([BINARY, "explain", *options, p.file, "-"], input=head_of(path, len(data)) + data, capture_output=True, check=True).stdout

        assert json.loads(explain("/all"))["depends"] == every
        assert b"\ndepends on concurrent 9, per_client.uploads 3, " in explain("/all", "--human")
        assert json.loads(explain("/min"))["depends"] == {"rate": RATE, "min_rate": 4096}
        for told in (explain("/each"), explain("/all", data=b"no form")):
            assert "depends" not in json.loads(told), told
        assert b"depends" not in explain("/each", "--human")
