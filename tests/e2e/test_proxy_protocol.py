# SPDX-License-Identifier: MIT
"""The PROXY protocol: exactly its header is taken, from those who are trusted its word, and from nobody more."""
import ipaddress

from front import *

UP = """destinations:
  up: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: u, match: { path: /u }, fields: [ { name: "*", max_count: 1, store: { to: up, path: "/{uuid}" } } ] }
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BODY = form(part("a", b"1"))
REQUEST = head_of("/u", len(BODY)) + BODY
CLOSING = head_of("/u", len(BODY), extra="Connection: close\r\n") + BODY


def v2(command=0x21, family=0x11, addresses=b"", tlvs=b"", length=None):
    data = addresses + tlvs
    return SIGNATURE + struct.pack(">BBH", command, family, len(data) if length is None else length) + data


def pair(source="192.0.2.1", target="192.0.2.2", ports=(4711, 443)):
    return b"".join(ipaddress.ip_address(a).packed for a in (source, target)) + struct.pack(">HH", *ports)


def tlv(kind, data):
    return struct.pack(">BH", kind, len(data)) + data


class Behind(Penstock):
    """With a listener for PROXY headers, and one on a unix socket, beside the usual two."""

    def __init__(self, routes, up, head="", **how):
        self.proxy_port = free_port()
        listen = f'{{ addr: "127.0.0.1:{self.proxy_port}", proxy_protocol: true }}, {{ addr: "unix:{{dir}}/proxy.sock", proxy_protocol: true }}'
        super().__init__(routes, up, head=head, listen=listen, **how)


def send(to, data, step=None, source=None):
    """Everything that comes back until the end; step: so many bytes at a time."""
    with connect(to, source=source) as s:
        if s.family != socket.AF_UNIX:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        got = b""
        with contextlib.suppress(ConnectionError):
            step = step or len(data) or 1
            for at in range(0, len(data), step):
                s.sendall(data[at:at + step])
            while piece := s.recv(65536):
                got += piece
        return got


def client_of(p, to, header, request=CLOSING, **how):
    """What the log calls the client of one request behind this header."""
    before = len(p.requests())
    got = send(to, header + request, **how)
    assert got.startswith(b"HTTP/1.1 201"), (header, got)
    return wait_for(lambda: p.requests()[before:], "it is logged")[0]["client"]


GOOD = [  # the header, the client (None: the one who connects)
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n", "192.0.2.1"), (b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", "2001:db8::1"),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1"), (b"PROXY UNKNOWN\r\n", "unknown"),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "unknown"),
    (v2(addresses=pair()), "192.0.2.1"), (v2(family=0x21, addresses=pair("2001:db8::1", "::1")), "2001:db8::1"),
    (v2(addresses=pair(), tlvs=tlv(1, b"h2") + tlv(2, b"test") + tlv(4, b"\0" * 7) + tlv(5, b"id") + tlv(0xe0, b"x" * 3000)), "192.0.2.1"),
    (v2(family=0x21, addresses=pair("2001:db8::1", "::1"), tlvs=tlv(0x20, b"\1\0\0\0\0" + tlv(0x21, b"TLSv1.3"))), "2001:db8::1"),
    (v2(0x20, 0), None), (v2(0x20, 0x11, pair()), None), (v2(0x20, 0, b"", tlv(4, b"pad")), None), (v2(0x21, 0), "unknown"),
    (v2(0x21, 0x31, b"/run/a".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0")), "unknown"),
]
BAD = [
    b"", b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 70000 443\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", b"PROXY TCP4 2001:db8::1 ::1 1 2\r\n", b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
    b"PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY TCP4 " + b"1" * 100 + b" 192.0.2.2 1 2\r\n", b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n", noise(600), SIGNATURE[:-1] + b"X" + b"\x21\x11\0\x0c" + pair(),
    v2(0x11, addresses=pair()), v2(0x22, addresses=pair()), v2(addresses=pair()[:11]), v2(family=0x12, addresses=pair()), v2(family=0x41, addresses=pair()),
    v2(length=65535), v2(addresses=pair(), tlvs=tlv(0xe0, b"x" * 5000)),
]


def test_headers_of_both_versions_are_taken_exactly():
    with Upstream() as up, Behind(UP, up) as p:
        for to, own in ((p.proxy_port, "127.0.0.1"), (p.dir + "/proxy.sock", "unix")):
            for header, client in GOOD:
                for step in (None, 1, len(header), len(header) + 1):
                    if step == 1 and len(header) > 1000 and SMALL:
                        continue
                    assert client_of(p, to, header, step=step) == (client or own), (to, header, step)
                assert up.seen[-1].headers["x-forwarded-for"] == (client or own)


def test_one_header_counts_for_every_request_of_its_connection():
    with Upstream() as up, Behind(UP, up) as p:
        assert send(p.proxy_port, GOOD[0][0] + REQUEST * 2 + CLOSING).count(b"HTTP/1.1 201") == 3
        wait_for(lambda: len(p.requests()) == 3, "they are logged")
        assert {r["client"] for r in p.requests()} == {"192.0.2.1"}
        assert b"201" not in send(p.proxy_port, GOOD[0][0] * 2 + CLOSING)  # a second one is a request that is none


def test_anything_else_is_closed_without_an_answer():
    with Upstream() as up, Behind(UP, up) as p:
        for header in BAD:
            for step in (None, 1):
                got = send(p.proxy_port, header + CLOSING, step)
                assert got == b"", (header, step, got)
        assert p.requests() == [] and up.seen == []
        assert client_of(p, p.proxy_port, GOOD[0][0]) == "192.0.2.1"


def test_a_header_that_does_not_come_is_not_waited_for_long():
    with Upstream() as up, Behind(UP, up, head="client: { timeout: { head: 300ms } }") as p:
        for begun in (b"", b"PROXY TCP4", GOOD[0][0][:-1], SIGNATURE, v2(addresses=pair())[:-1], GOOD[0][0], GOOD[0][0] + b"POST /u HT"):
            assert send(p.proxy_port, begun) == b"", begun


def test_without_proxy_protocol_it_is_refused():
    with Upstream() as up, Behind(UP, up, head="client: { timeout: { head: 1s } }") as p:
        for header in (GOOD[0][0], b"PROXY UNKNOWN\r\n", v2(addresses=pair()), v2(0x20, 0)):
            for to in (p.port, p.dir + "/in.sock"):
                got = send(to, header + CLOSING)
                assert b"201" not in got, (header, got)
        assert p.requests() == [] and up.seen == []


def headers_naming(client):
    """None: LOCAL, which version 1 has not; "": somebody without an address."""
    if client is None:
        return [v2(0x20, 0)]
    if client == "":
        return [b"PROXY UNKNOWN\r\n", v2(0x21, 0), v2(0x21, 0x31, b"/run/a".ljust(216, b"\0"))]
    return [v2(addresses=pair(client)), f"PROXY TCP4 {client} 192.0.2.2 1 2\r\n".encode()]


def test_both_the_sender_and_the_one_he_names_must_be_trusted():
    forged = "X-Request-Id: forged\r\nX-Forwarded-For: 198.51.100.1\r\nConnection: close\r\n"
    request = head_of("/u", len(BODY), extra=forged) + BODY
    rows = [  # trust.proxies, who connects, whom the header names, the client, are the request's headers believed
        ("[127.0.0.1]", "127.0.0.1", "192.0.2.1", "192.0.2.1", False),  # the usual: a proxy that passes bytes on, headers of the client
        ("[127.0.0.1]", "127.0.0.2", "192.0.2.1", "127.0.0.2", False),  # anyone who reaches the listener
        ("[127.0.0.1]", "127.0.0.2", "127.0.0.1", "127.0.0.2", False),  # and claims to be one who is trusted
        ("[127.0.0.1, 192.0.2.0/24]", "127.0.0.1", "192.0.2.1", "198.51.100.1", True),  # a proxy of ours behind a proxy of ours
        ("[192.0.2.0/24]", "127.0.0.1", "192.0.2.1", "127.0.0.1", False), ("none", "127.0.0.1", "192.0.2.1", "127.0.0.1", False),
        ("[127.0.0.1]", "127.0.0.1", None, "198.51.100.1", True),  # LOCAL: the proxy speaks for itself
        ("[127.0.0.1]", "127.0.0.2", None, "127.0.0.2", False),
        ("[127.0.0.1]", "127.0.0.1", "", "unknown", False),  # somebody of whom the proxy knows nothing
        ("local", "127.0.0.1", "", "unknown", False), ("[127.0.0.1]", "127.0.0.2", "", "127.0.0.2", False),
    ]
    for proxies, source, named, client, believed in rows:
        with Upstream() as up, Behind(UP, up, head=f"trust: {{ proxies: {proxies} }}") as p:
            for header in headers_naming(named):
                assert client_of(p, p.proxy_port, header, request, source=source) == client, (proxies, source, named)
                assert (p.requests()[-1]["id"] == "forged") == believed, (proxies, source, named)
                assert ("198.51.100.1" in str(up.seen[-1].headers)) == believed
            assert ("not believed" in p.log()) == (named is not None and client == source)


def test_real_haproxy_sends_both_versions():
    how = ["send-proxy", "send-proxy-v2", "send-proxy-v2 check check-send-proxy inter 100ms",
           "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key", "send-proxy-v2-ssl-cn"]
    with Upstream() as up, Behind(UP, up) as p:
        for to in (f"127.0.0.1:{p.proxy_port}", f"unix@{p.dir}/proxy.sock"):
            for options in how:
                with Haproxy(to, options, mode="tcp") as h:  # the client's address, though the bytes are only passed on
                    for source in ("127.0.0.7", "127.0.0.8"):
                        assert client_of(p, h.port, b"", source=source) == source, (to, options)
                    assert "DOWN" not in h.log(), h.log()
        with Haproxy(f"127.0.0.1:{p.proxy_port}", "send-proxy-v2", "    option forwardfor\n    unique-id-format %[uuid]") as h:
            assert client_of(p, h.port, b"", source="127.0.0.7") == "127.0.0.7"
        with Haproxy(f"127.0.0.1:{p.port}", "send-proxy-v2") as h:  # to a listener that knows nothing of it
            assert b"201" not in send(h.port, CLOSING)


def test_real_haproxy_over_ipv6():
    if not has_ipv6():
        raise Skip("no IPv6 on loopback here")
    with Upstream() as up, Behind(UP, up) as p:
        for options in ("send-proxy", "send-proxy-v2"):
            port = free_port()
            with Haproxy(f"127.0.0.1:{p.proxy_port}", options, mode="tcp", bind=f"\n    bind [::1]:{port}"):
                assert client_of(p, ("::1", port), b"") == "::1", options


def test_real_curl_sends_it():
    if shutil.which("curl") is None:
        raise Skip("curl is not here")
    with Upstream() as up, Behind(UP, up, head="trust: { proxies: [127.0.0.1, 127.0.0.9] }") as p:
        for source, extra in (("127.0.0.1", ["-H", "X-Request-Id: from-curl"]), ("127.0.0.9", [])):
            command = ["curl", "-sS", "--max-time", str(DEADLINE), "--interface", source, "--haproxy-protocol", "-F", "a=1", *extra, f"http://127.0.0.1:{p.proxy_port}/u"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            answer = json.loads(done.stdout)
            assert answer["status"] == 201, done
            r = wait_for(lambda: [r for r in p.requests() if r["id"] == answer["request_id"]], "it is logged")[0]
            assert r["client"] == source
        assert p.requests()[0]["id"] == "from-curl"
        # a plain curl is no PROXY header
        assert subprocess.run(["curl", "-s", "-F", "a=1", f"http://127.0.0.1:{p.proxy_port}/u"], capture_output=True).returncode in (52, 55, 56)


def test_the_gateway_that_is_written_goes_to_a_listener_without_it():
    with Upstream() as up, Behind(UP, up) as p:
        out = os.path.join(p.dir, "gw")
        for listen, server in ((f'[{{ addr: ":{p.proxy_port}", proxy_protocol: true }}, ":{p.port}"]', f"server penstock '127.0.0.1:{p.port}' check inter 2s\n"),
                               (f'{{ addr: ":{p.proxy_port}", proxy_protocol: true }}', f"server penstock '127.0.0.1:{p.proxy_port}' check inter 2s send-proxy-v2 ")):
            with open(p.file, encoding="utf-8") as f:
                text = "\n".join(f"listen: {listen}" if line.startswith("listen:") else line for line in f.read().splitlines())
            path = os.path.join(p.dir, "other.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            subprocess.run([BINARY, "haproxy", "--out", out, path], check=True, capture_output=True)
            with open(os.path.join(out, "haproxy.cfg"), encoding="utf-8") as f:
                assert server in f.read(), server


def test_a_drain_does_not_wait_for_headers():
    with Upstream() as up, Behind(UP, up) as p:
        with connect(p.proxy_port) as s:
            s.sendall(b"PROXY TCP4")
            assert client_of(p, p.proxy_port, GOOD[0][0]) == "192.0.2.1"  # so the one before is known
            p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(20) == 0
