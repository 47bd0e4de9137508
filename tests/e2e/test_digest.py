# SPDX-License-Identifier: MIT
"""Digests that a rule asks for: in the summary, in explain and in the log, those of the bytes; and none that nobody asks for."""
import sys

from lib import *

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "s3"))
import checksums  # noqa: E402

KINDS = ("sha256", "sha512", "sha1", "md5", "crc32c", "crc64nvme")
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: all, match: { path: /all }, digest: [crc64nvme, md5, sha1, sha512, crc32c, sha256], fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - id: some
    match: { path: /some }
    digest: [sha256]
    default: drop
    fields:
      - { name: route, store: { to: files, key: "{uuid}" } }
      - { name: own, digest: [crc32c, md5], store: { to: files, key: "{uuid}" } }
      - { name: one, digest: sha1, drop: true }
      - { name: none, digest: none, store: { to: files, key: "{uuid}" } }
      - { name: empty, digest: [], store: { to: files, key: "{uuid}" } }
      - { name: joined, concat: { to: files, key: "joined-{uuid}" } }
      - { name: "input", kind: file, store: { to: files, key: "{uuid}" } }
  - { id: default, match: { path: /default }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
  - { id: quiet, match: { path: /quiet }, digest: sha1, response: { json: none }, fields: [ { name: "*", max_size: 10, store: { to: files, key: "{uuid}" } } ] }
"""
SIZES = (0, 1, 32767, 32768, 32769, 5_000_000)


def digests_of(data):
    return {kind: checksums.digest(kind, data).hex() if kind.startswith("crc") else hashlib.new(kind, data).hexdigest() for kind in KINDS}


def found(told):
    return {key: told[key] for key in told if key in KINDS}


def test_every_digest_is_that_of_the_bytes_however_they_come():
    datas = [noise(n, n) for n in (SIZES[:-1] + (200_000,) if SMALL else SIZES)]
    wanted = [digests_of(data) for data in datas]
    body = form(*[part("f", data, f"{i}.bin") for i, data in enumerate(datas)])
    small = [i for i, data in enumerate(datas) if len(data) < 40_000]
    with Penstock(ROUTES) as p:
        for chunk in (None, 97, 1460, 4096, 65_537):
            answer = post(p.port, "/all", body, chunk=chunk)
            assert answer.status == 201, answer.body
            told = [found(one) for one in answer.json()["parts"]]
            assert told == wanted, (chunk, told)
            assert all(list(one) == list(KINDS) for one in told), "in one order"
        answer = post(p.port, "/all", form(*[part("f", datas[i], "f") for i in small]), chunk=1 if not SMALL else 3)
        assert [found(one) for one in answer.json()["parts"]] == [wanted[i] for i in small]


def test_a_rule_has_its_own_or_those_of_its_route():
    data = noise(20_000)
    names = ("route", "own", "one", "none", "empty", "joined", "joined", "other")
    with Penstock(ROUTES) as p:
        body = form(*[part(name, data, "f") for name in names], part("input", b"", ""))
        answer = post(p.port, "/some", body)
        assert answer.status == 201, answer.body
        told = [list(found(one)) for one in answer.json()["parts"]]
        assert told == [["sha256"], ["md5", "crc32c"], ["sha1"], [], [], ["sha256"], ["sha256"], [], []], told
        wanted = digests_of(data)
        assert all(found(one) == {kind: wanted[kind] for kind in found(one)} for one in answer.json()["parts"])
        assert found(post(p.port, "/default", form(part("f", data, "f"))).json()["parts"][0]) == {}


def test_the_log_has_them_too_and_says_of_which_part():
    with Penstock(ROUTES) as p:
        assert post(p.port, "/quiet", form(part("a", b"abc", "x.jpg"), part("b", b""))).status == 201
        assert post(p.port, "/quiet", form(part("good", b"12345"), part("long", b"x" * 11))).status == 413
        assert post(p.port, "/default", form(part("a", b"abc"))).status == 201
        wait_for(lambda: len(p.requests()) == 3, "all are over")
        lines = [{k: v for k, v in line.items() if k not in ("time", "id")} for line in p.lines('"msg":"part"')]
        base = {"level": "info", "room": "request", "msg": "part"}
        assert lines == [base | {"part": 1, "field": "a", "filename": "x.jpg", "bytes": 3, "sha1": hashlib.sha1(b"abc").hexdigest()},
                         base | {"part": 2, "field": "b", "bytes": 0, "sha1": hashlib.sha1(b"").hexdigest()},
                         base | {"part": 1, "field": "good", "bytes": 5, "sha1": hashlib.sha1(b"12345").hexdigest()}], lines
        assert [line["id"] for line in p.lines('"msg":"part"')][:2] == [p.requests()[0]["id"]] * 2


def test_explain_finds_the_same():
    data = noise(70_000)
    with Penstock(ROUTES) as p:
        request = os.path.join(p.dir, "request")
        with open(request, "wb") as f:
            f.write(head_of("/all") + chunked(form(part("f", data, "x.jpg")), 999))

        def explain(*options):
            return subprocess.run([BINARY, "explain", *options, p.file, request], stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout

        assert found(json.loads(explain())["parts"][0]) == digests_of(data)
        human = explain("--human").decode()
        assert all(f"{kind} {hex}\n" in human for kind, hex in digests_of(data).items()), human
