# SPDX-License-Identifier: MIT
"""Refusals that arrive: who says no, through which HAProxy, over which HTTP, and how many of 60 clients that send 5 MB
without Expect hear it. Where penstock answers it must be all of them."""
import threading

from gw import *
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  broken: { type: http, url: "http://127.0.0.1:{up}" }
routes:
  - { id: head, match: { path: /head }, limits: { body: 1MiB }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: part, match: { path: /part }, fields: [ { name: "*", max_size: 3MiB, store: { to: files, key: "{uuid}" } } ] }
  - { id: body, match: { path: /body }, limits: { body: 3MiB }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: broken, match: { path: /broken }, fields: [ { name: "*", store: { to: broken, path: "/{uuid}" } } ] }
  - { id: few, match: { path: /few }, limits: { body: 64MiB, discard: 16MiB }, fields: [ { name: a, store: { to: files, key: "{uuid}" } } ] }
"""
CLIENTS = 60


def reset_in_the_middle(request):
    request.read_bytes(1_000_000)
    return request.reset()


class Bench:
    """A penstock with these routes, a destination that breaks, and a form of 5 MB in a file."""

    def __init__(self, head=AGENT):
        self.upstream = Upstream(script=reset_in_the_middle)
        self.penstock = Penstock(ROUTES, upstream=self.upstream, head=head, workers=2)
        self.form = self.penstock.dir + "/form"
        with open(self.form, "wb") as f:
            f.write(form(part("a", noise(5_000_000), "a.bin")))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.penstock.stop(check=kind is None)
        self.upstream.close()

    def told(self, port, case, http2=False):
        path, length, status, kind = case
        n = rounds(CLIENTS)
        told, other = count_told(n, lambda: curl(port, path, self.form, http2=http2, length=length), status, kind)
        visible = [name for name in self.penstock.files() if not os.path.basename(name).startswith(".penstock-")]
        assert not visible, "something is visible of an upload that was refused"
        wait_for(lambda: not self.penstock.files(), "what was begun of them is gone")
        return told, n, other


#                   path, with a length, status, kind
BY_HEAD = ("/head", True, 413, "too-large")
IN_BODY = ("/part", True, 413, "too-large")
IN_CHUNKED_BODY = ("/body", False, 413, "too-large")
BY_DESTINATION = ("/broken", True, 502, "upstream")


def say(who, where, told, n, other):
    print(f"   {who} | {where} | {told}/{n}{'  ' + str(dict(other)) if other else ''}", flush=True)


def everywhere(bench, who, case, must=True, programs=None, **gateway):
    """Through each HAProxy, over both versions of HTTP."""
    for version, program in (programs or haproxies()).items():
        with Gateway(bench.penstock, program, **gateway) as g:
            for http2 in (False, True):
                told, n, other = bench.told(g.port, case, http2)
                say(who, f"HAProxy {version}, HTTP/{2 if http2 else 1.1}", told, n, other)
                assert told == n or not must, (told, other, g.log()[-1500:])


def test_straight_to_penstock_all_hear_it():
    with Bench() as b:
        for who, case in (("by the head", BY_HEAD), ("in the body", IN_BODY), ("in a chunked body", IN_CHUNKED_BODY),
                          ("by a destination that broke", BY_DESTINATION)):
            told, n, other = b.told(b.penstock.port, case)
            say(who, "straight, HTTP/1.1", told, n, other)
            assert told == n, (who, other)


def test_refused_by_the_agent_all_hear_it_from_penstock():
    with Bench() as b:
        everywhere(b, "agent before the body", BY_HEAD)
        wait_for(lambda: b.penstock.log().count('"room":"spoa","msg":"refused"') >= rounds(CLIENTS), "the agent had said no")


def test_refused_by_penstock_from_the_head_all_hear_it():
    with Bench(head="") as b:
        everywhere(b, "penstock by the head", BY_HEAD)


def test_refused_by_penstock_in_the_body_all_hear_it():
    with Bench() as b:
        everywhere(b, "penstock in the body, after 3 MB", IN_BODY)
        everywhere(b, "penstock in the body, no length", IN_CHUNKED_BODY)


def test_refused_by_a_destination_that_broke_all_hear_it():
    with Bench() as b:
        everywhere(b, "a destination that broke after 1 MB", BY_DESTINATION)


def test_refused_by_the_filter_all_hear_it():
    with Bench() as b:
        everywhere(b, "filter before the body", BY_HEAD, programs=with_filter(), native=True)
        everywhere(b, "filter in the body", IN_CHUNKED_BODY, programs=with_filter(), native=True)


def test_over_tls_all_hear_it():
    with Bench() as b:
        pem = b.penstock.dir + "/site.pem"
        make_certificate(pem)
        for version, program in haproxies().items():
            with Gateway(b.penstock, program, bind=f" ssl crt {pem} alpn h2,http/1.1") as g:
                for http2 in (False, True):
                    told, other = count_told(rounds(20), lambda: curl(g.port, "/part", b.form, http2=http2, tls=True), 413, "too-large")
                    say("penstock in the body", f"HAProxy {version}, TLS, HTTP/{2 if http2 else 1.1}", told, rounds(20), other)
                    assert told == rounds(20), other


def make_certificate(pem):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", pem + ".key",
                    "-out", pem + ".crt"], capture_output=True, check=True)
    with open(pem, "wb") as f:
        for name in (".crt", ".key"):
            with open(pem + name, "rb") as one:
                f.write(one.read())


def test_what_haproxy_answers_itself_is_counted():
    """Not how it is shipped: HAProxy answers everybody. What is lost then is why the shipped configuration does not."""
    def always(text):
        return text.replace("acl may_answer var(txn.upload.waits) -m bool", "acl may_answer always_true")

    def never_passed_on(text):
        return re.sub(r"\.if version_atleast.*?\.endif\n", "", text, flags=re.S)

    with Bench() as b:
        everywhere(b, "rules of HAProxy (not as shipped)", BY_HEAD, must=False, edit=always)
        with contextlib.suppress(Skip):
            filters = with_filter()
            everywhere(b, "filter before the body (not as shipped)", BY_HEAD, must=False, programs=filters, native=True, edit=never_passed_on)
            everywhere(b, "filter in the body (not as shipped)", IN_CHUNKED_BODY, must=False, programs=filters, native=True, edit=never_passed_on)


def test_without_an_agent_all_hear_it_from_penstock():
    def no_agent(text):
        return re.sub(r"server agent \S+ check", f"server agent 127.0.0.1:{free_port()} check", text)

    with Bench() as b:
        everywhere(b, "no agent", ("/part", True, 503, "busy"), wait="DOWN", edit=no_agent)
        for program in haproxies().values():
            with Gateway(b.penstock, program, wait="DOWN", edit=no_agent) as g:
                answer = expect_continue(g.port, "/few", 5_000_000)
                assert is_problem(answer, 503, "busy") and answer.headers["retry-after"] == "1", answer.body
        b.penstock.process.terminate()
        b.penstock.process.wait(DEADLINE)  # all that it saw is logged now
        assert not [r for r in b.penstock.requests() if r["target"] == "/few"], "penstock saw a request of one who waits"


def test_who_waits_for_100_hears_it_from_haproxy_and_penstock_never_knows():
    with Bench() as b:
        for program in haproxies().values():
            with Gateway(b.penstock, program) as g:
                for _ in range(rounds(CLIENTS)):
                    answer = expect_continue(g.port, "/head", 5_000_000)
                    assert is_problem(answer, 413, "too-large"), (answer.status, answer.body)
        assert not b.penstock.requests()


class Relay:
    """Passes connections on to a port and counts the bytes that go there."""

    def __init__(self, port):
        self.to, self.bytes, self.listener = port, 0, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, far = self.listener.accept()[0], connect(self.to)
                threading.Thread(target=self.pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self.pump, args=(far, near, False), daemon=True).start()

    def pump(self, source, target, counts):
        try:
            while data := source.recv(65536):
                target.sendall(data)
                self.bytes += counts * len(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (source, target):  # whoever still sends learns that nobody reads
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)


def held_by_sockets():
    """Bytes that the kernel may hold of a TCP connection, between the one who sends and the one who reads."""
    most = 0
    for name in ("tcp_rmem", "tcp_wmem"):
        with open(f"/proc/sys/net/ipv4/{name}", encoding="ascii") as f:
            most += int(f.read().split()[2])
    return most


def flood(port, path, most):
    """Sends a chunked form for as long as somebody reads it: how many bytes went away, and the answer. Once that is here, one
    second without a reader is the end."""
    block = b"10000\r\n" + noise(65536) + b"\r\n"
    opening = part("b", b"")[:-2]
    with connect(port) as s:
        s.sendall(head_of(path) + b"%x\r\n" % len(opening) + opening + b"\r\n")
        answer, sent, ends = [], 0, time.monotonic() + DEADLINE
        reader = threading.Thread(target=lambda: answer.append(read_answer(s)), daemon=True)
        reader.start()
        with contextlib.suppress(OSError):
            while sent < most and time.monotonic() < ends:
                if has_room(s, 1):
                    sent += s.send(block[sent % len(block):])
                elif answer:
                    break
        reader.join(DEADLINE)
    return sent, answer[0]


def test_what_penstock_reads_after_a_refusal_is_bounded():
    """`limits.discard` is 16 MiB; what sockets hold comes on top. HAProxy itself reads on for as long as the client sends
    (HTTP/1.1, from 3.0 on): it has to, or the answer would be lost, and it costs nobody else anything."""
    bound = max(48 << 20, (20 << 20) + held_by_sockets())
    most = bound + (80 << 20)
    with Bench() as b:
        for name, program in [("straight", None), *haproxies().items()]:
            relay = Relay(b.penstock.port)
            if program is None:
                sent, answer = flood(relay.port, "/few", most)
            else:
                edit = lambda text, to=relay.port: re.sub(r"server penstock \S+ check.*", f"server penstock 127.0.0.1:{to}", text)
                with Gateway(b.penstock, program, edit=edit, wait=False) as g:
                    sent, answer = flood(g.port, "/few", most)
            relay.listener.close()
            print(f"   {name}: the client sent {sent / 1e6:.0f} MB, penstock was sent {relay.bytes / 1e6:.1f} MB", flush=True)
            assert answer is not None and is_problem(answer, 422, "rule"), answer and (answer.status, answer.body)
            assert relay.bytes < bound, relay.bytes
