# SPDX-License-Identifier: MIT
"""Bodies that are one file, behind each HAProxy: rules alone, the agent and the filter take and refuse what penstock does."""
import itertools

from gw import *
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: put, match: { path: "/files/*", method: [PUT, POST] }, body: { raw: file }, limits: { body: 1KiB }, fields: [ { name: file, max_size: 900, store: { to: files, key: "put/{uuid}" } } ] }
  - { id: also, match: { host: h, path: "/also/**", method: PUT }, body: { raw: x }, limits: { body: none, length: required }, fields: [ { name: "*", store: { to: files, key: "also/{uuid}" } } ] }
  - { id: forms, match: { path: "/files/*", method: PATCH }, fields: [ { name: "*", store: { to: files, key: "forms/{uuid}" } } ] }
  - { id: more, match: { path: "/**", method: POST }, limits: { body: 1KiB }, fields: [ { name: "*", store: { to: files, key: "more/{uuid}" } } ] }
"""
FORM = form(part("a", b"1"))
TYPES = (None, "", "image/png", "application/x-www-form-urlencoded", f"multipart/form-data; boundary={BOUNDARY}", "Multipart/Form-Data",
         "multipart/mixed; boundary=B", "a/b\r\nContent-Type: a/b")
PLACES = (("PUT", "/files/a"), ("POST", "/files/a"), ("PATCH", "/files/a"), ("GET", "/files/a"), ("PUT", "/also/a/b"), ("POST", "/also/a"), ("PUT", "/nope"),
          ("POST", "/files/%61"), ("PUT", "/files/a%2Fb"))
NAMES = ("", "Content-Disposition: attachment; filename=b\r\n", "Content-Disposition: attachment; filename=b; filename=c\r\n", "Content-Encoding: gzip\r\n")
BODIES = (b"", b"x", FORM, b"x" * 900, b"x" * 901, b"x" * 1024, b"x" * 1025)


def head(method, path, type, extra, framing):
    type = "" if type is None else f"Content-Type: {type}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n{type}{framing}{extra}\r\n".encode()


def said(answer):
    """What matters of an answer: status, Allow, kind of refusal and limit, the route that stored and what of it."""
    if answer is None:
        return None
    told = answer.json() if answer.body else {}
    parts = [(part["target"].split("/")[0], part["filename"], part["type"], part["size"]) for part in told.get("parts", [])]
    return answer.status, ", ".join(sorted(answer.headers.get("allow", "").split(", "))), told.get("type", "").split(":")[-1], parts


def send(port, method, path, type, extra, body, how):
    framing = "Transfer-Encoding: chunked\r\n" if how == "chunked" else f"Content-Length: {len(body)}\r\n"
    with connect(port) as s:
        if how == "waits":
            s.sendall(head(method, path, type, "Expect: 100-continue\r\n" + extra, framing))
            first = s.recv(65536)
            if not first.startswith(b"HTTP/1.1 100"):
                return said(read_answer(s, first))
            s.sendall(body)
            return said(read_answer(s, first))
        s.sendall(head(method, path, type, extra, framing) + (chunked(body, 333) if how == "chunked" else body))
        return said(read_answer(s))


def requests():
    every = list(itertools.product(PLACES, TYPES, NAMES, BODIES, ("straight", "chunked", "waits")))
    random.Random(11).shuffle(every)
    return [(*place, type, extra, body, how) for place, type, extra, body, how in every[:rounds(600)]]


def has_hidden_fault(request):
    """One that a rule of HAProxy does not see, so that of two faults it tells the other."""
    _, path, type, extra, body, _ = request
    no_boundary = type == "Multipart/Form-Data" and (request[0], path[:6]) not in (("PUT", "/files"), ("POST", "/files"))
    return len(body) > 1024 and (extra.startswith("Content-Encoding") or (type is not None and "\r\n" in type) or no_boundary)


def check_alike(penstock, g, rules_alone=False):
    different, stored = [], 0
    for request in requests():
        if rules_alone and has_hidden_fault(request):
            continue
        straight, through = send(penstock.port, *request), send(g.port, *request)
        stored += straight is not None and straight[0] == 201
        if straight != through:
            different.append(f"{str(request)[:160]}: straight {straight}, through {through}")
    assert not different, f"{len(different)}:\n" + "\n".join(different[:12]) + "\n" + g.log()[-1000:]
    assert stored > 0


def test_rules_alone_take_and_refuse_as_penstock_does():
    with Penstock(ROUTES) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                check_alike(p, g, rules_alone=True)


def test_the_agent_takes_and_refuses_as_penstock_does():
    with Penstock(ROUTES, head=AGENT) as p:
        for program in haproxies().values():
            with Gateway(p, program) as g:
                check_alike(p, g)


def test_the_filter_takes_and_refuses_as_penstock_does():
    with Penstock(ROUTES) as p:
        for program in with_filter().values():
            with Gateway(p, program, native=True) as g:
                check_alike(p, g)


def test_who_waits_for_100_hears_of_a_form_from_the_gateway():
    """Penstock has not seen those that HAProxy may answer."""
    form_type = f"multipart/form-data; boundary={BOUNDARY}"
    for with_agent in ("", AGENT):
        with Penstock(ROUTES, head=with_agent) as p, Gateway(p) as g:
            for path, type, status in (("/files/a", form_type, 415), ("/files/a", "image/png", 100)):
                assert expect_continue(g.port, path, 5, method="PUT", type=type).status == status, (path, type)
            answer = expect_continue(g.port, "/files/a", 1025, method="PUT", type="image/png")
            assert is_problem(answer, 413, "too-large"), answer.status
            wait_for(lambda: len(p.requests()) == 1, "the one that was let in and left")
            assert p.requests()[0]["status"] == 499, p.requests()
