# SPDX-License-Identifier: MIT
"""`limits.per_client` behind HAProxy, whichever way it knows of a route's limits: the client hears 429 before its body, and the count
is penstock's alone; or HAProxy's, too, where it counts over several of them."""
import contextlib
import re
import subprocess
import tempfile
import time

from gw import *
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: up, match: { path: /up }, limits: { per_client: { uploads: 1 } }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
"""
BODY = form(part("a", noise(2000), "a"))


def check(port):
    """One upload under way, by way of HAProxy, and then others of its client and of another one."""
    with connect(port) as s:
        s.sendall(head_of("/up", len(BODY), extra="Expect: 100-continue\r\n"))
        assert s.recv(4096).startswith(b"HTTP/1.1 100")
        for n in range(3):
            answer = expect_continue(port, "/up", len(BODY))
            assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1, (n, answer.status, answer.body)
            assert post(port, "/up", BODY).status == 429
        with connect(port, source="127.0.0.2") as other:
            other.sendall(head_of("/up", len(BODY)) + BODY)
            assert read_answer(other).status == 201, "another client"
        s.sendall(BODY)
        assert read_answer(s).status == 201
    wait_for(lambda: post(port, "/up", BODY).status == 201, "its place is free again")


def refused_by_agent(p):
    return p.log().count('"room":"spoa","msg":"refused"')


def test_who_has_all_that_he_may_is_told_before_his_body():
    for head in ("", AGENT):
        with Penstock(ROUTES, head=head) as p:
            for _, program in haproxies().items():
                with Gateway(p, program) as g:
                    before = refused_by_agent(p)
                    check(g.port)
                    assert (refused_by_agent(p) > before) == (head != ""), "the agent says it where there is one"


def test_behind_the_filter_penstock_says_it():
    with Penstock(ROUTES) as p:
        for _, program in with_filter().items():
            with Gateway(p, program, native=True) as g:
                check(g.port)


RATE = 256 << 10
SHAPED = ROUTES.replace("per_client: { uploads: 1 }", "per_client: { rate: 256KiB/s }")


def test_who_is_held_back_comes_through_whole():
    """HAProxy waits as penstock does not read, by whichever way it asks."""
    body = form(part("a", noise(RATE // 2), "a"))
    filters = []
    with contextlib.suppress(Skip):
        filters = [(program, True) for program in with_filter().values()]
    with Penstock(SHAPED, head=AGENT) as p:
        for program, native in [(program, False) for program in haproxies().values()] + filters:
            with Gateway(p, program, native=native) as g:
                begun = time.monotonic()
                assert post(g.port, "/up", body).status == 201
                assert time.monotonic() - begun >= len(body) / RATE - 0.1, "by the rate of the client's own address"


# -- over several penstocks: `penstock haproxy --per-client` ---------------------------------------------------------------

MANY = ROUTES.replace("uploads: 1", "uploads: 2") + """  - { id: free, match: { path: "/up/free" }, fields: [ { name: a, drop: true } ] }
"""


def begin(port, source=None):
    """An upload that is let in, and waits for its body."""
    s = connect(port, source=source)
    s.sendall(head_of("/up", len(BODY), extra="Expect: 100-continue\r\n"))
    answer = s.recv(4096)
    assert answer.startswith(b"HTTP/1.1 100"), answer
    return s


def end(s):
    s.sendall(BODY)
    assert read_answer(s).status == 201
    s.close()


def with_second(other):
    """A second penstock behind the backend, which takes every other upload."""
    return lambda text: re.sub(r"(    server penstock \S+)( .*)", rf"    balance roundrobin\n\1\2\n    server second 127.0.0.1:{other.port}\2", text)


def is_full(port):
    return post(port, "/up", BODY).status == 429


def assert_refused(port, source=None):
    """Both ways: HAProxy answers who waits for 100, penstock who is sending."""
    with connect(port, source=source) as s:
        s.sendall(head_of("/up", len(BODY), extra="Expect: 100-continue\r\n"))
        waits = read_answer(s)
    with connect(port, source=source) as s:
        s.sendall(head_of("/up", len(BODY)) + BODY)
        sends = read_answer(s)
    for answer in (waits, sends):
        assert is_problem(answer, 429, "too-many") and answer.headers["retry-after"] == "1", (answer.status, answer.body)


def test_one_haproxy_counts_over_two_sidecars():
    with Penstock(MANY) as p, Penstock(MANY) as other:
        for _, program in haproxies().items():
            with Gateway(p, program, options=["--per-client"], edit=with_second(other)) as g:
                wait_for(lambda g=g: g.stat("penstock", "second", "status").startswith("UP"), "both are there")
                running = [begin(g.port) for _ in range(2)]
                for _ in range(2):  # neither of the two sidecars has more than one
                    assert_refused(g.port)
                assert post(g.port, "/up/free", BODY).status in (201, 404), "another route"
                end(begin(g.port, source="127.0.0.2"))
                end(running[0])
                wait_for(lambda g=g: post(g.port, "/up", BODY).status == 201, "its place is free again")
                running[1].close()  # in the middle
                for _ in range(2):
                    wait_for(lambda g=g: post(g.port, "/up", BODY).status == 201, "so is that one")


def test_two_haproxies_count_together():
    ports = {name: free_port() for name in ("a", "b")}
    options = ["--per-client", *(word for name, port in ports.items() for word in ("--peer", f"{name}=127.0.0.1:{port}"))]
    with Penstock(MANY) as p, Penstock(MANY) as other:
        for _, program in haproxies().items():
            with Gateway(p, program, options=options, name="a") as a, Gateway(other, program, options=options, name="b") as b:
                running = [begin(a.port), begin(b.port)]
                for g in (a, b):  # each of the sidecars and of the HAProxies has one
                    wait_for(lambda g=g: is_full(g.port), "it has heard of the other's")
                    assert_refused(g.port)
                    end(begin(g.port, source="127.0.0.2"))
                for s in running:
                    end(s)
                for g in (a, b):
                    wait_for(lambda g=g: not is_full(g.port), "it has heard of their end")


def test_what_is_written_has_one_table_for_each_route_and_peer():
    with Penstock(MANY) as p, tempfile.TemporaryDirectory() as folder:

        def write(*options):
            return subprocess.run([BINARY, "haproxy", "--force", "--out", folder, *options, p.file], capture_output=True, text=True, check=False)

        for flavour, file in (([], "haproxy.cfg"), (["--native"], "haproxy.cfg"), (["--backend"], "penstock.cfg")):
            assert write(*flavour, "--per-client", "--peer", "a=127.0.0.1:1", "--peer", "b.c=[::1]:2").returncode == 0
            with open(f"{folder}/{file}", encoding="utf-8") as f:
                text = f.read()
            assert re.findall("backend penstock-clients:(.*)", text) == ["up:a", "up:b.c"]
            assert re.findall("    peer (.*)", text) == ["a '127.0.0.1:1'", "b.c '[::1]:2'"]
        for options, says in ((["--peer", "a=h:1", "--peer", "b=h:1"], "with --per-client alone"), (["--per-client", "--peer", "a=h:1"], "name all HAProxies"),
                              (["--per-client", "--peer", "a b=h:1"], "NAME=HOST:PORT is needed"), (["--per-client", "--peer", "a=h"], "NAME=HOST:PORT"),
                              (["--per-client", "--peer", "=h:1"], "NAME=HOST:PORT"), (["--per-client", "--peer", "a=h:1 x"], "NAME=HOST:PORT"),
                              (["--per-client", "--peer", "a=h:1", "--peer", "a=h:2"], "stands twice")):
            run = write(*options)
            assert run.returncode == 2 and says in run.stderr, (options, run.stderr)
        with open(p.file, "r+", encoding="utf-8") as f:
            text = f.read().replace("per_client: { uploads: 2 }", "concurrent: 2")
            f.seek(0)
            f.write(text)
            f.truncate()
        run = write("--per-client")
        assert run.returncode == 1 and "nothing to count" in run.stderr, run.stderr
