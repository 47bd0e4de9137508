# SPDX-License-Identifier: MIT
"""Whose word counts: what is forwarded is believed from trust.proxies and dropped from anyone else, in the log, in the
answer and in what goes upstream."""
from lib import *

UP = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: u, match: { path: /u }, fields: [ { name: "*", max_count: 1, store: { to: up, path: "/{request_id}" } } ] }
"""
BODY = form(part("a", b"1"))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UUID = 36


def lines(**headers):
    return "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())


def ask(p, up, extra, to=None, source=None):
    """One upload. What the log says of it, its answer, the headers that went upstream."""
    with connect(to or p.port, source=source) as s:
        s.sendall(head_of("/u", len(BODY), extra=extra) + BODY)
        answer = read_answer(s)
    assert answer.status == 201, (extra, answer.body)
    return wait_for(lambda: [r for r in p.requests() if r["id"] == answer.headers["x-request-id"]], "it is logged")[-1], answer, up.seen[-1]


def test_forwarded_headers_count_from_the_trusted_only():
    said = lines(X_Forwarded_For="192.0.2.1", Forwarded="for=192.0.2.2;proto=https", X_Request_Id="forged-id", traceparent=TRACE)
    for proxies, trusted in (("[127.0.0.1]", "127.0.0.1"), ("unix", "unix"), ("local", "127.0.0.1 127.0.0.2 unix"), ("none", ""),
                             ('["127.0.0.2", unix]', "127.0.0.2 unix"), ("0.0.0.0/0", "127.0.0.1 127.0.0.2")):
        with Upstream() as up, Penstock(UP, up, head=f"trust: {{ proxies: {proxies} }}") as p:
            for peer in ("127.0.0.1", "127.0.0.2", "unix"):
                where = {"to": p.dir + "/in.sock"} if peer == "unix" else {"source": peer}
                r, answer, went = ask(p, up, said, **where)
                if peer in trusted.split():
                    assert (r["client"], r["id"]) == ("192.0.2.1", "forged-id"), (proxies, peer, r)
                    assert went.headers["x-forwarded-for"] == "192.0.2.1" and went.headers["traceparent"] == TRACE, went.headers
                else:
                    assert r["client"] == peer and r["id"] != "forged-id" and len(r["id"]) == UUID, (proxies, peer, r)
                    assert went.headers["x-forwarded-for"] == peer and "traceparent" not in went.headers, went.headers
                    told = str(went.headers) + p.log().split('"msg":"request"')[-1] + str(answer.headers) + went.path
                    for word in ("192.0.2.", "forged", TRACE):
                        assert word not in told, (proxies, peer, word, told)
                assert went.headers["x-request-id"] == r["id"] and went.path == "/" + r["id"] and "forwarded" not in went.headers


def test_only_a_trusted_gateway_may_say_that_it_could_ask_nobody():
    said = lines(X_Penstock_Refuse="503")
    for proxies, status in (("local", 503), ("none", 201), ("[192.0.2.1]", 201)):
        with Upstream() as up, Penstock(UP, up, head=f"trust: {{ proxies: {proxies} }}") as p:
            answer = post(p.port, "/u", BODY, extra=said)
            assert answer.status == status, (proxies, answer.status, answer.body)


def test_the_client_is_the_last_hop_that_is_not_trusted():
    rows = [  # the lines that a trusted peer sends, the client
        ("X-Forwarded-For: 192.0.2.7, 192.0.2.1\r\n", "192.0.2.1"), ("X-Forwarded-For: 192.0.2.7, 10.1.1.1\r\n", "192.0.2.7"),
        ("X-Forwarded-For: 192.0.2.7, 192.0.2.1, 10.1.1.1, 10.2.2.2\r\n", "192.0.2.1"), ("X-Forwarded-For: 10.1.1.1\r\n", "10.1.1.1"),
        ("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.1.1.1\r\n", "192.0.2.1"),
        ("X-Forwarded-For: 2001:db8::7, 2001:DB8:0::1, fd00::2\r\n", "2001:db8::1"), ("X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1"),
        ("X-Forwarded-For: ::ffff:192.0.2.1, ::ffff:10.1.1.1\r\n", "192.0.2.1"), ("X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1"),
        ('Forwarded: for=192.0.2.7, For="[2001:db8::1]:80";by=x, for=10.1.1.1\r\n', "2001:db8::1"), ("Forwarded: for=unknown\r\n", "127.0.0.1"),
        ("Forwarded: for=192.0.2.7\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        # nobody vouches for what stands before something that is no address
        ("X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1"), ("X-Forwarded-For: 192.0.2.1, <script>, 10.1.1.1\r\n", "10.1.1.1"),
        ("X-Forwarded-For:\r\n", "127.0.0.1"), ("X-Forwarded-For: ,\r\n", "127.0.0.1"), ("X-Forwarded-For: 192.0.2.1 192.0.2.7\r\n", "127.0.0.1"),
        ("X-Forwarded-For: 192.0.2.1:x\r\n", "127.0.0.1"), ("X-Forwarded-For: [2001:db8::1]x\r\n", "127.0.0.1"), ("X-Forwarded-For: 999.0.2.1\r\n", "127.0.0.1"),
        (f"X-Forwarded-For: {'192.0.2.7, ' * 5000}192.0.2.1\r\n", "192.0.2.1"), (f"X-Forwarded-For: {'1' * 60000}\r\n", "127.0.0.1"),
    ]
    with Upstream() as up, Penstock(UP, up, head='trust: { proxies: [local, 10.0.0.0/8, "fd00::/8"] }') as p:
        for extra, client in rows:
            r, _, went = ask(p, up, extra)
            assert r["client"] == client and went.headers["x-forwarded-for"] == client, (extra[:200], r["client"], client)


def test_ids_and_traces_that_are_malformed_are_replaced_or_dropped():
    with Upstream() as up, Penstock(UP, up) as p:
        for value in ("", "has a blank", "x" * 129, "caf\xe9", "a\tb"):
            with connect(p.port) as s:
                s.sendall(head_of("/u", len(BODY)).replace(b"\r\n\r\n", f"\r\nX-Request-Id: {value}\r\n\r\n".encode("latin-1")) + BODY)
                assert len(read_answer(s).headers["x-request-id"]) == UUID, value
        for twice in ("X-Request-Id: a\r\nX-Request-Id: b\r\n", f"traceparent: {TRACE}\r\ntraceparent: {TRACE[:-1]}0\r\n"):
            r, _, went = ask(p, up, twice)
            assert len(r["id"]) == UUID and "traceparent" not in went.headers, (r, went.headers)
        for trace in (TRACE.upper(), TRACE + "-more", "ff" + TRACE[2:], TRACE.replace("0af7", "zzzz"), "00-" + "0" * 32 + TRACE[35:], TRACE[:-1], "x"):
            assert "traceparent" not in ask(p, up, lines(traceparent=trace))[2].headers, trace
        r, _, went = ask(p, up, lines(X_Request_Id="a" * 128, traceparent="cc" + TRACE[2:]))
        assert r["id"] == "a" * 128 and went.headers["traceparent"] == "cc" + TRACE[2:]


def test_over_ipv6_too():
    if not has_ipv6():
        raise Skip("no IPv6 on loopback here")
    port = free_port()
    for proxies, client in (("local", "192.0.2.1"), ("127.0.0.0/8", "::1"), ('"::/127"', "192.0.2.1"), ('"fd00::/8"', "::1")):
        with Upstream() as up, Penstock(UP, up, head=f"trust: {{ proxies: {proxies} }}", listen=f'"[::1]:{port}"') as p:
            r, _, went = ask(p, up, lines(X_Forwarded_For="192.0.2.1"), to=("::1", port))
            assert r["client"] == client and went.headers["x-forwarded-for"] == client, (proxies, r)


def test_the_sink_shows_what_goes_upstream_and_nothing_else():
    sink = subprocess.Popen([BINARY, "sink", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(sink.stdout.readline().rsplit(":", 1)[1])
        with Penstock(UP.replace("{up}", str(port)), head="trust: { proxies: none }") as p:
            extra = lines(X_Forwarded_For="192.0.2.1", X_Request_Id="forged", Cookie="secret=1", Authorization="Bearer x", X_Real_IP="192.0.2.9", Via="1.1 x")
            assert post(p.port, "/u", BODY, extra=extra).status == 201
            request = wait_for(p.requests, "it is logged")[0]["id"]
            block = []
            while line := sink.stdout.readline().strip():
                block.append(line)
        names = sorted(line.split(":")[0].lower() for line in block[1:-1])
        assert block[0] == f"PUT /{request}" and f"X-Request-Id: {request}" in block and "X-Forwarded-For: 127.0.0.1" in block, block
        assert names == ["accept", "content-length", "content-type", "host", "user-agent", "x-forwarded-for", "x-request-id"], block
    finally:
        sink.terminate()
        sink.wait(DEADLINE)
