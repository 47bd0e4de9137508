# SPDX-License-Identifier: MIT
"""Rules of the user's own, in the marked place of what `penstock haproxy` writes, and in a frontend of his own in front of
the backends that it writes: whom they refuse hears it, and takes nobody's place."""
import itertools
import threading


from gw import *
from lib import *
from test_refusals import ROUTES, Bench, make_certificate, say

PEOPLE = "\nuserlist people\n    user anna insecure-password secret\n"
REFUSES = """    http-request set-var(txn.upload.refuse) int(401) if !{ http_auth(people) }
    http-request set-var-fmt(txn.upload.challenge) 'Basic realm="uploads"'
"""
DENIES = "    http-request deny deny_status 401 if !{ http_auth(people) }\n"
END = "    # ---- end of your own rules\n"
ANNA = "Authorization: Basic YW5uYTpzZWNyZXQ="
SITE = """
defaults
    mode http
    timeout client 60s
    timeout server 30s
    timeout connect 2s

frontend site
    bind {listen}
    acl is_upload path_beg /head /part /body /few
{rules}    use_backend penstock if is_upload
    default_backend app

backend app
    http-request return status 200 content-type text/plain string app
"""


def with_rules(rules):
    return lambda text: text.replace(END, rules + END) + PEOPLE


class Site(Gateway):
    """A HAProxy of somebody's own, with the rules in its frontend, beside DIR/penstock.cfg."""

    def __init__(self, penstock, program=None, rules="", **gateway):
        self.rules = "".join(line + " if is_upload\n" if " if " not in line else line.replace(" if ", " if is_upload ") + "\n"
                             for line in rules.splitlines())
        super().__init__(penstock, program, **gateway)

    def write(self, penstock):
        run = subprocess.run([BINARY, "haproxy", "--force", "--out", self.dir, "--backend"] + (["--native"] if self.native else []) + [penstock.file],
                             capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        with open(self.dir + "/penstock.cfg", encoding="utf-8") as f:
            self.text = f.read()
        self.cfg = self.dir + "/site.cfg"
        with open(self.cfg, "w", encoding="utf-8") as f:
            f.write(f"global\n    log stderr format raw local0 info\n    stats socket '{self.dir}/stats.sock' level admin\n"
                    + SITE.format(listen=self.listen, rules=self.rules) + PEOPLE)
        self.patient()

    def files(self):
        return [self.cfg, self.dir + "/penstock.cfg"]


def gateways(penstock, rules, **how):
    """Each HAProxy, with the agent and with the filter inside, both as it is written whole and as a backend of somebody's own."""
    programs = [(version, program, False) for version, program in haproxies().items()]
    with contextlib.suppress(Skip):
        programs += [(version, program, True) for version, program in with_filter().items()]
    for version, program, native in programs:
        name = f"HAProxy {version}{' with the filter' if native else ''}"
        with Gateway(penstock, program, native=native, edit=with_rules(rules), **how) as g:
            yield name + ", whole", g
        with Site(penstock, program, rules=rules, native=native, **how) as g:
            yield name + ", backends", g


def told(bench, port, n, tls=False, http2=False, **how):
    """How many of n clients that send 5 MB hear 401 with its challenge."""
    heard = []

    def ask():
        answer = curl(port, "/part", bench.form, http2=http2, tls=tls, **how)
        heard.append(answer.headers.get("www-authenticate"))
        return answer

    count, other = count_told(n, ask, 401, "unauthorized")
    assert set(heard) <= {'Basic realm="uploads"', None}, heard
    assert heard.count(None) == n - count, heard
    return count, other


def test_whom_a_rule_refuses_hears_it():
    """Clients that send 5 MB without Expect, with a length and without, and one that waits for 100."""
    with Bench() as b:
        for name, g in gateways(b.penstock, REFUSES):
            for http2, length in itertools.product((False, True), (True, False)):
                n = rounds(20)
                count, other = told(b, g.port, n, http2=http2, length=length)
                say("a rule of the user's own", f"{name}, HTTP/{2 if http2 else 1.1}", count, n, other)
                assert count == n, (name, other, g.log()[-1500:])
            waits = expect_continue(g.port, "/part", 5_000_000)
            assert is_problem(waits, 401, "unauthorized") and waits.headers["www-authenticate"] == 'Basic realm="uploads"', waits.body
            assert waits.json()["request_id"] == waits.headers["x-request-id"] != "", waits.headers
        assert not b.penstock.files()
        told_401 = [r for r in b.penstock.requests() if r["status"] == 401]
        assert told_401 and not [r for r in b.penstock.requests() if r["status"] != 401], "penstock refused them and nothing else"
        assert b.penstock.log().count('"room":"spoa"') == b.penstock.log().count('"room":"spoa","msg":"listening"'), "the agent was not asked"


def test_whom_a_rule_lets_in_is_in():
    body = form(part("a", noise(100_000)))
    with Bench() as b:
        for n, (name, g) in enumerate(gateways(b.penstock, REFUSES)):
            answer = post(g.port, "/few", body, extra=ANNA + "\r\n")
            assert answer.status == 201 and answer.json()["request_id"] == answer.headers["x-request-id"], (name, answer.body)
            assert len(b.penstock.files()) == n + 1
            assert expect_continue(g.port, "/few", 100, extra=ANNA + "\r\n").status == 100, name


def test_over_tls_it_arrives_too():
    with Bench() as b:
        pem = b.penstock.dir + "/site.pem"
        make_certificate(pem)
        for name, g in gateways(b.penstock, REFUSES, bind=f" ssl crt {pem} alpn h2,http/1.1"):
            for http2 in (False, True):
                count, other = told(b, g.port, rounds(10), tls=True, http2=http2)
                assert count == rounds(10), (name, http2, other)


def test_a_deny_of_haproxys_is_counted():
    """Not what the pages show: HAProxy answers those who are sending. Some never hear it, which is why."""
    with Bench() as b:
        for version, program in haproxies().items():
            with Gateway(b.penstock, program, edit=with_rules(DENIES)) as g:
                for http2 in (False, True):
                    n = rounds(20)
                    heard = sum(curl(g.port, "/part", b.form, http2=http2).status == 401 for _ in range(n))
                    say("http-request deny (not as shown)", f"HAProxy {version}, HTTP/{2 if http2 else 1.1}", heard, n, None)


def test_any_other_number_is_no_admission():
    with Bench() as b:
        for rules, status in (("    http-request set-var(txn.upload.refuse) int(418)\n", 503), ("    http-request set-var(txn.upload.refuse) str(x)\n", 503),
                              ("    http-request set-var(txn.upload.refuse) int(403)\n", 403), ("    http-request set-var(txn.upload.refuse) int(429)\n", 429)):
            for _, g in gateways(b.penstock, rules):
                answer = post(g.port, "/few", form(part("a", b"1")))
                assert answer.status == status and (status == 403) == ("retry-after" not in answer.headers), (rules, answer.status, answer.body)
        assert not b.penstock.files()


def test_who_is_refused_takes_nobodys_place():
    """Strangers all the time, both that wait for 100 and that send, and a route for two at once: whoever may come in does."""
    few = ROUTES.replace("limits: { body: 64MiB, discard: 16MiB }", "limits: { concurrent: 2 }")
    body = form(part("a", b"1"))
    with Upstream() as u, Penstock(few, upstream=u, head=AGENT, workers=2) as p:
        for rules in (REFUSES, DENIES):
            for name, g in gateways(p, rules):
                ends = threading.Event()

                def strangers(port=g.port, ends=ends):
                    while not ends.is_set():
                        with contextlib.suppress(OSError, AssertionError):
                            expect_continue(port, "/few", 100)
                            post(port, "/few", body)

                threads = [threading.Thread(target=strangers) for _ in range(3)]
                for t in threads:
                    t.start()
                try:
                    statuses = [post(g.port, "/few", body, extra=ANNA + "\r\n").status for _ in range(rounds(50))]
                    waits = [expect_continue(g.port, "/few", 100, extra=ANNA + "\r\n").status for _ in range(1)]
                finally:
                    ends.set()
                    for t in threads:
                        t.join()
                assert set(statuses) == {201} and waits == [100], (name, rules, statuses, waits)


def test_a_forged_refusal_or_challenge_does_not_arrive():
    with Bench() as b:
        for name, g in gateways(b.penstock, "    http-request set-var(txn.upload.refuse) int(403) if { hdr(x-no) 1 }\n"):
            answer = post(g.port, "/few", form(part("a", b"1")), extra="X-Penstock-Refuse: 401\r\nX-Request-Id: forged\r\n")
            assert answer.status == 201, (name, answer.body)
            assert answer.headers["x-request-id"] != "forged"
