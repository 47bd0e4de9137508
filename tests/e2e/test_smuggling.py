# SPDX-License-Identifier: MIT
"""Requests that two parsers might read differently. Each is sent straight to penstock, and through HAProxy with a tap
between the two: it is refused, or what penstock took is what its sender meant and what HAProxy forwarded."""
import re

from front import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: "/d/*/*" }, limits: { body: 64KiB }, fields: [ { name: "*", max_count: 1, store: { to: files, key: "{path.1}-{path.2}" } } ] }
"""
IDLE = "client: { timeout: { idle: 1s } }"  # ends what waits for bytes that never come
TYPE = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
FIRST, SECOND, BOTH = ["first"], ["second"], ["first", "second"]
REFUSED = []
EITHER = [FIRST, REFUSED]


def body(name):
    return form(part("a", f"this is {name}".encode(), name))


N = len(body("first"))
C = chunked(body("first"), 50)
HALF = b"%x\r\n%s" % (50, body("first")[:50])  # of the chunks: the first one, without the CR LF behind it
REST = chunked(body("first")[50:], 50)
CL, TE = f"Content-Length: {N}\r\n", "Transfer-Encoding: chunked\r\n"


def whole(row, name):
    """One that is in a body has a line that no text before a form may have, or it would be such a text: skipped, and rightly."""
    unskipped = "--x: 1\r\n" if name == "smuggled" else ""
    return f"POST /d/{row}/{name} HTTP/1.1\r\nHost: test\r\n{unskipped}{TYPE}Content-Length: {len(body(name))}\r\n\r\n".encode() + body(name)


def chunks_before(n):
    """Chunks that are over after n bytes of the same stream, for who goes by Content-Length instead."""
    return b"0\r\n\r\n".ljust(n, b"\r")


def say(headers, data=None, line="POST /d/ROW/first HTTP/1.1", host="Host: test\r\n", end="\r\n"):
    """The bytes of a row; headers before the others, so that none is the last line by chance."""
    headers = headers.encode("latin-1") if isinstance(headers, str) else headers
    return line.encode("latin-1") + b"\r\n" + headers + (host + TYPE + end).encode() + (body("first") if data is None else data)


# What it is; the bytes, ROW being its own name; what penstock takes of it when they come straight, or a list of such
# where that depends on libmicrohttpd's version (its chunks cannot be seen from outside); the same behind HAProxy,
# which may mend what it forwards: by default anything, for it is compared with what was forwarded. A request `second`
# follows each body, and one that closes. Those named `smuggled` are inside of bodies and never one of their own.
BEHIND = [REFUSED, FIRST, SECOND, BOTH]
ROWS = [
    ("a length", say(CL), BOTH),
    ("chunks", say(TE, C), BOTH),
    ("chunked in any case", say("transfer-ENCODING: ChUnKeD\r\n", C), BOTH),
    ("a tab after the colon", say("Transfer-Encoding:\tchunked\r\n", C), BOTH),
    ("no blank after the colon", say(f"Content-Length:{N}\r\n"), BOTH),
    ("blanks before a length", say(f"Content-Length:  \t {N}\r\n"), BOTH),
    ("blanks behind a length", say(f"Content-Length: {N} \t\r\n"), [BOTH, REFUSED]),
    ("zeros before a length", say(f"Content-Length: 000{N}\r\n"), BOTH),
    ("a length in a header of another name", say(CL + "Content_Length: 3\r\nX-Content-Length: 3\r\n"), BOTH),
    ("a coding in a header of another name", say(CL + "Transfer_Encoding: chunked\r\nTransferEncoding: chunked\r\n"), BOTH),
    ("Connection names the length", say(CL + "Connection: keep-alive, Content-Length\r\n"), BOTH),
    ("an upgrade to HTTP/2", say(CL + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), BOTH),
    ("a body sent without waiting for 100", say(CL + "Expect: 100-continue\r\n"), BOTH),
    ("trailers", say(TE, C[:-2] + b"X-Trailer: 1\r\n\r\n"), BOTH),
    ("trailers that would frame", say(TE, C[:-2] + b"Content-Length: 7\r\nTransfer-Encoding: identity\r\nHost: evil\r\n\r\n"), [BOTH, REFUSED]),
    ("a last chunk with many zeros", say(TE, C[:-5] + b"00000\r\n\r\n"), BOTH),
    ("sizes of chunks in capitals and with zeros", say(TE, b"000" + C.upper()[:4] + C[4:]), BOTH),
    # -- both framings
    ("length and chunks", say(CL + TE, C), REFUSED),
    ("chunks and length", say(TE + CL, C), REFUSED),
    ("length 0 and chunks", say("Content-Length: 0\r\n" + TE, C), REFUSED),
    ("a length that covers chunks that end sooner", lambda row: say(
        f"Content-Length: {5 + len(whole(row, 'smuggled'))}\r\n" + TE, b"0\r\n\r\n" + whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("a length that ends before the chunks", lambda row: say(
        "Content-Length: 4\r\n" + TE, b"%x\r\n%s\r\n0\r\n\r\n" % (len(whole(row, "smuggled")), whole(row, "smuggled"))), REFUSED, [REFUSED]),
    # -- Transfer-Encoding
    ("blank before the colon of the coding", say("Transfer-Encoding : chunked\r\n" + CL), REFUSED),
    ("tab before the colon of the coding", say("Transfer-Encoding\t: chunked\r\n" + CL), REFUSED),
    ("blank before the colon, and chunks", say("Transfer-Encoding : chunked\r\n", C), REFUSED),
    ("first line begins with a blank", say(" Transfer-Encoding: chunked\r\n" + CL), REFUSED),
    ("folded coding", say("Transfer-Encoding:\r\n chunked\r\n", C), REFUSED),
    ("folded coding beside a length", say(CL + "Transfer-Encoding:\r\n\tchunked\r\n", C), REFUSED),
    ("coding in a folded line", say("X: y\r\n Transfer-Encoding: chunked\r\n" + CL), REFUSED),
    ("a blank behind chunked", say("Transfer-Encoding: chunked \r\n", C), REFUSED),
    ("a tab behind chunked", say("Transfer-Encoding: chunked\t\r\n", C), REFUSED),
    ("blanks behind chunked, and a body without chunks", say("Transfer-Encoding: chunked \t \r\n"), REFUSED),
    ("chunked twice in one line", say("Transfer-Encoding: chunked, chunked\r\n", C), REFUSED),
    ("gzip, chunked", say("Transfer-Encoding: gzip, chunked\r\n", C), REFUSED),
    ("chunked, identity", say("Transfer-Encoding: chunked, identity\r\n", C), REFUSED),
    ("chunked and a comma", say("Transfer-Encoding: chunked,\r\n", C), REFUSED),
    ("identity beside a length", say("Transfer-Encoding: identity\r\n" + CL), REFUSED),
    ("an unknown coding beside a length", say("Transfer-Encoding: xchunked\r\n" + CL), REFUSED),
    ("chunked with a parameter", say("Transfer-Encoding: chunked;q=1\r\n", C), REFUSED),
    ("chunked in quotes", say('Transfer-Encoding: "chunked"\r\n', C), REFUSED),
    ("no coding at all in the coding", say("Transfer-Encoding:\r\n" + CL), REFUSED),
    ("coding said twice", say(TE + TE, C), REFUSED),
    ("chunked, then identity", say(TE + "Transfer-Encoding: identity\r\n", C), REFUSED),
    ("identity, then chunked", say("Transfer-Encoding: identity\r\n" + TE, C), REFUSED),
    ("a vertical tab before chunked", say("Transfer-Encoding: \x0bchunked\r\n", C), REFUSED),
    ("a form feed behind chunked", say("Transfer-Encoding: chunked\x0c\r\n", C), REFUSED),
    ("a byte over 127 in the coding", say("Transfer-Encoding: chunked\xa0\r\n" + CL), REFUSED),
    # -- Content-Length
    ("one length twice", say(CL + CL), REFUSED),
    ("two lengths", say(CL + "Content-Length: 5\r\n"), REFUSED),
    ("length 0, then another", say("Content-Length: 0\r\n" + CL), REFUSED),
    ("length 0, then one that covers a request", lambda row: say(
        f"Content-Length: 0\r\nContent-Length: {len(whole(row, 'smuggled'))}\r\n", whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("length 00, then one that covers a request", lambda row: say(
        f"Content-Length: 00\r\nContent-Length: {len(whole(row, 'smuggled'))}\r\n", whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("a list of equal lengths", say(f"Content-Length: {N}, {N}\r\n"), REFUSED),
    ("a list of lengths", say(f"Content-Length: {N}, 5\r\n"), REFUSED),
    ("a plus before the length", say(f"Content-Length: +{N}\r\n"), REFUSED),
    ("a minus before the length", say(f"Content-Length: -{N}\r\n"), REFUSED),
    ("a length in hex", say(f"Content-Length: {N:#x}\r\n"), REFUSED),
    ("two numbers in the length", say(f"Content-Length: {N} {N}\r\n"), REFUSED),
    ("a fraction", say(f"Content-Length: {N}.0\r\n"), REFUSED),
    ("an exponent", say("Content-Length: 1e2\r\n"), REFUSED),
    ("no length in the length", say("Content-Length:\r\n"), REFUSED),
    ("a length of 2^64 more", say(f"Content-Length: {(1 << 64) + N}\r\n"), REFUSED),
    ("a length of 2^32 more", say(f"Content-Length: {(1 << 32) + N}\r\n"), REFUSED),
    ("a length of 2^64 - 1", say(f"Content-Length: {(1 << 64) - 1}\r\n"), REFUSED),
    ("blank before the colon of the length", say(f"Content-Length : {N}\r\n"), REFUSED),
    ("a folded length", say(f"Content-Length: {str(N)[0]}\r\n {str(N)[1:]}\r\n"), REFUSED),
    ("no length and no chunks", say(""), [REFUSED, SECOND]),
    # -- chunks
    ("size of a chunk with 0x", say(TE, b"0x" + C), REFUSED),
    ("blank before the size", say(TE, b" " + C), REFUSED),
    ("blank behind the size", say(TE, C.replace(b"\r\n", b" \r\n", 1)), [BOTH, REFUSED]),
    ("minus before the size", say(TE, b"-" + C), REFUSED),
    ("plus before the size", say(TE, b"+" + C), REFUSED),
    ("junk behind the size", say(TE, C.replace(b"\r\n", b"zz\r\n", 1)), REFUSED),
    ("a size of 2^64 more", say(TE, b"100000000000000" + C.rjust(len(C), b"0")), REFUSED),
    ("the largest size", say(TE, b"ffffffffffffffff\r\n" + body("first")), REFUSED),
    ("no size", say(TE, b"\r\n" + body("first") + b"\r\n0\r\n\r\n"), REFUSED),
    ("an extension", say(TE, C.replace(b"\r\n", b";a=1\r\n", 1)), [BOTH, REFUSED]),
    ("an extension in quotes", say(TE, C.replace(b"\r\n", b';a="b;c"\r\n', 1)), [BOTH, REFUSED]),
    ("an extension that ends with LF", lambda row: say(
        TE, b"2;\nxx\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(whole(row, "smuggled")), whole(row, "smuggled"))), [REFUSED], [REFUSED, SECOND]),
    ("LF behind a size", say(TE, C.replace(b"\r\n", b"\n", 1)), [BOTH, REFUSED]),
    ("CR behind a size", say(TE, C.replace(b"\r\n", b"\r", 1)), REFUSED),
    ("no CR LF behind a chunk", say(TE, HALF + REST), REFUSED),
    ("LF behind a chunk", say(TE, HALF + b"\n" + REST), [BOTH, REFUSED]),
    ("CR behind a chunk", say(TE, HALF + b"\r" + REST), REFUSED),
    ("two bytes too many in a chunk", say(TE, HALF + b"xx\r\n" + REST), REFUSED),
    ("a trailer that is no header", say(TE, C[:-2] + b"no colon\r\n\r\n"), [REFUSED, SECOND]),
    ("no end behind the last chunk", say(TE, C[:-2]), [REFUSED]),
    # -- lines
    ("all lines end with LF", say(CL, b"").replace(b"\r\n", b"\n") + body("first"), REFUSED),
    ("one line ends with LF", say("X: y\n" + TE, C), REFUSED),
    ("LF before a second framing", say(CL + "X: y\nTransfer-Encoding: chunked\r\n", C), REFUSED),
    ("CR before a second framing", say(CL + "X: y\rTransfer-Encoding: chunked\r\n", C), REFUSED),
    ("the request line ends with LF", say(CL).replace(b"\r\n", b"\n", 1), REFUSED),
    ("the last line ends with LF", say(CL, b"", end="X: y\n\r\n") + body("first"), REFUSED),
    ("the head ends with LF", say(CL, b"", end="\n") + body("first"), REFUSED),
    ("the head ends with LF LF", say(CL, b"", end="X: y\n\n") + body("first"), REFUSED),
    ("a line that is CR CR LF", say("X: y\r\r\n" + CL), REFUSED),
    ("a NUL in a name", say("X\0Y: z\r\n" + CL), REFUSED),
    ("a NUL in a value", say("X: y\0z\r\n" + CL), REFUSED),
    ("a NUL behind chunked", say("Transfer-Encoding: chunked\0x\r\n", C), REFUSED),
    ("a NUL behind a length", say(f"Content-Length: {N}\0{N}\r\n"), REFUSED),
    ("a line that begins with NUL", lambda row: say("X: y\r\n\0Z: " + "z" * 40 + "\r\n" + CL, b""), REFUSED, [REFUSED]),
    ("NULs for a blank line", lambda row: say(b"X: y\r\n\0\r\n" + whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("a NUL in the target", say(CL, line="POST /d/ROW/first\0x HTTP/1.1"), REFUSED),
    ("no name before the colon", say(": x\r\n" + CL), REFUSED),
    ("a line without a colon", say("garbage\r\n" + CL), REFUSED),
    ("a name in brackets", say("(X): y\r\n" + CL), REFUSED),
    ("a DEL in a value", say("X: y\x7f\r\n" + CL), REFUSED),
    # -- request line, version, host
    ("empty lines before", b"\r\n\r\n" + say(CL), [BOTH, REFUSED]),
    ("two blanks in the line", say(CL, line="POST  /d/ROW/first HTTP/1.1"), REFUSED),
    ("two blanks before the version", say(CL, line="POST /d/ROW/first  HTTP/1.1"), REFUSED),
    ("a tab in the line", say(CL, line="POST\t/d/ROW/first HTTP/1.1"), REFUSED),
    ("a tab in the target", say(CL, line="POST /d/ROW/fir\tst HTTP/1.1"), REFUSED),
    ("a blank behind the version", say(CL, line="POST /d/ROW/first HTTP/1.1 "), REFUSED),
    ("a blank in the target", say(CL, line="POST /d/ROW/first x HTTP/1.1"), REFUSED),
    ("HTTP/0.9", say(CL, line="POST /d/ROW/first"), REFUSED),
    ("HTTP/1.0 with a length", say(CL + "Connection: keep-alive\r\n", line="POST /d/ROW/first HTTP/1.0"), BOTH),
    ("HTTP/1.0 with chunks", say(TE, C, line="POST /d/ROW/first HTTP/1.0"), REFUSED),
    ("HTTP/1.2", say(CL, line="POST /d/ROW/first HTTP/1.2"), [BOTH, REFUSED]),
    ("HTTP/2.0", say(CL, line="POST /d/ROW/first HTTP/2.0"), REFUSED),
    ("HTTP/1.10", say(CL, line="POST /d/ROW/first HTTP/1.10"), REFUSED),
    ("http/1.1", say(CL, line="POST /d/ROW/first http/1.1"), REFUSED),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + say(CL), REFUSED),
    ("a PROXY header", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + say(CL), REFUSED),
    ("a method in small letters", say(CL, line="post /d/ROW/first HTTP/1.1"), REFUSED),
    ("GET with a body", say(CL, line="GET /d/ROW/first HTTP/1.1"), REFUSED),
    ("an absolute target", say(CL, line="POST http://test/d/ROW/first HTTP/1.1"), BOTH),
    ("an absolute target of another host", say(CL, line="POST http://other/d/ROW/first HTTP/1.1"), REFUSED),
    ("two hosts", say("Host: other\r\n" + CL), REFUSED),
    ("one host twice", say("Host: test\r\n" + CL), REFUSED),
    ("no host", say(CL, host=""), REFUSED),
    ("a list of hosts", say(CL, host="Host: test, other\r\n"), REFUSED),
    ("a list of hosts without a blank", say(CL, host="Host: evil.com,test\r\n"), REFUSED),
    ("any host", say(CL, host="Host: *\r\n"), REFUSED),
    ("half a bracket", say(CL, host="Host: [::1\r\n"), REFUSED),
    ("a host with two colons", say(CL, host="Host: a:b:c\r\n"), REFUSED),
    ("a port in hex", say(CL, host="Host: test:0x50\r\n"), REFUSED),
    ("a host in two labels too many", say(CL, host="Host: test..\r\n"), REFUSED),
    ("a list as the target's host", say(CL, line="POST http://evil.com,test/d/ROW/first HTTP/1.1", host="Host: evil.com,test\r\n"), REFUSED),
    ("a host with a path", say(CL, host="Host: test/x\r\n"), REFUSED),
    # -- bodies that are refused and look like requests
    ("a request as the body of one without a route", lambda row: say(
        f"Content-Length: {len(whole(row, 'smuggled'))}\r\n", whole(row, "smuggled"), line="POST /nowhere/ROW/first HTTP/1.1"), REFUSED),
    ("a request as the body of one that is too long", lambda row: say("Content-Length: 70000\r\n", whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("the same, waiting for 100 and not waiting", lambda row: say(
        "Content-Length: 70000\r\nExpect: 100-continue\r\n", whole(row, "smuggled")), REFUSED, [REFUSED]),
    ("a request as a malformed form", lambda row: say(f"Content-Length: {len(whole(row, 'smuggled'))}\r\n", whole(row, "smuggled")), [REFUSED, SECOND]),
    ("a body longer than its length", lambda row: say("Content-Length: 10\r\n", b"x" * 10 + whole(row, "first")), [REFUSED, BOTH]),
]


def bytes_of(row, data):
    data = data(row) if callable(data) else data
    end = f"GET /nowhere/{row}/end HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode()
    return data.replace(b"ROW", row.encode()) + whole(row, "second") + end


def exchange(port, data):
    """Sends all, reads until the connection is over or is said to be. The statuses that came back."""
    got = b""
    with connect(port) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
        with contextlib.suppress(ConnectionError):
            while b"connection: close" not in got.lower() and (piece := s.recv(65536)):
                got += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", got)]


def taken(p, row):
    found = {name.partition("-")[2]: data for name, data in p.files().items() if name.startswith(row + "-")}
    for name, data in found.items():
        assert data == f"this is {name}".encode(), f"{row}: {name} has {data}"
    return sorted(found)


def seen(p, row):
    return [r for r in p.requests() if f"/{row}/" in r["target"]]


def listed(wanted):
    return wanted if wanted and isinstance(wanted[0], list) else [wanted]


def test_straight_they_are_refused_or_read_as_meant():
    wrong = []
    with Penstock(ROUTES, head=IDLE) as p:
        for i, (what, data, wanted, *_) in enumerate(ROWS):
            row = f"R{i}r"
            statuses = exchange(p.port, bytes_of(row, data))
            got, asked = taken(p, row), [r["target"] for r in seen(p, row)]
            final = [s for s in statuses if s != 100]
            if got not in listed(wanted):
                wrong.append(f"{what}: took {got}, wanted {wanted}; said {statuses}")
            elif len([s for s in final if s == 201]) != len(got) or (not got and any(s < 400 for s in final)):
                wrong.append(f"{what}: took {got} and said {statuses}")
            elif wanted == REFUSED and (len(set(final)) > 1 or any("second" in t or "end" in t for t in asked)):
                wrong.append(f"{what}: refused, but went on: {asked} {statuses}")
            elif any("smuggled" in t for t in asked):
                wrong.append(f"{what}: {asked}")
    assert not wrong, f"{len(wrong)} of {len(ROWS)}:\n" + "\n".join(wrong)


def test_explain_takes_of_them_what_run_takes():
    wrong = []
    with Penstock(ROUTES) as p:
        raw = os.path.join(p.dir, "raw")
        for what, data, wanted, *_ in ROWS:
            with open(raw, "wb") as f:
                f.write((data("R") if callable(data) else data).replace(b"ROW", b"R"))
            done = subprocess.run([BINARY, "explain", p.file, raw], capture_output=True, text=True, check=False)
            took = done.returncode == 0 and json.loads(done.stdout)["status"] == 201
            if took not in ["first" in names for names in listed(wanted)] and what != "a body longer than its length":
                wrong.append(f"{what}: {done.stdout}{done.stderr}")
    assert not wrong, f"{len(wrong)} of {len(ROWS)}:\n" + "\n".join(wrong)


def judge_row(p, row, forwarded, may):
    """What is wrong with what penstock made of what HAProxy forwarded; None: nothing."""
    left = [r for r in forwarded if f"/{row}/".encode() in r.target]
    for r in seen(p, row):
        same = [f for f in left if f.target.decode("latin-1") == r["target"] and f.method.decode() == r["method"]]
        if not same:
            return f"penstock read {r['method']} {r['target']}, which was not forwarded"
        left.remove(same[0])
        if r["status"] == 201 and (not same[0].whole or r["bytes"] != len(same[0].body)):
            return f"penstock took {r['bytes']} bytes, {len(same[0].body)} were forwarded, whole: {same[0].whole}"
    whole_ones = [f.target.decode() for f in forwarded if f.whole]
    got = taken(p, row)
    for name in got:
        if f"/d/{row}/{name}" not in whole_ones and f"http://test/d/{row}/{name}" not in whole_ones:
            return f"{name} was taken and not forwarded whole"
    return None if got in may else f"took {got}, wanted one of {may}"


def check_behind(program, frontend=""):
    wrong, accepted = [], 0
    with Penstock(ROUTES, head=IDLE) as p, Tap(p.port) as tap:
        with Haproxy(f"127.0.0.1:{tap.port}", backend="    http-reuse always", timeout=1, program=program, frontend=frontend.replace("{file}", p.file)) as h:
            for i, (_, data, *_) in enumerate(ROWS):
                exchange(h.port, bytes_of(f"H{i}h", data))
        p.process.send_signal(signal.SIGTERM)
        p.process.wait(DEADLINE)
        forwarded = [r for sent in list(tap.sent) for r in read_requests(sent)]
        for i, (what, _, wanted, *behind) in enumerate(ROWS):
            row = f"H{i}h"
            why = judge_row(p, row, forwarded, behind[0] if behind else BEHIND)
            accepted += len(taken(p, row)) > 0
            if why:
                wrong.append(f"{what}: {why}")
    assert not wrong, f"{program}: {len(wrong)} of {len(ROWS)}:\n" + "\n".join(wrong)
    assert accepted > 15, f"{program} let only {accepted} through: this proves nothing"


def test_behind_haproxy_both_read_the_same():
    for program in programs():
        check_behind(program)
