# SPDX-License-Identifier: MIT
"""What is stored is what was sent, to the byte, and not before the form is whole."""
import checksums
import sigv4
from s3 import *

SIZES = [0, 1, 1000, PUT_MAX - 1, PUT_MAX, PUT_MAX + 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1]
DATAS = [noise(n, n) for n in SIZES]


def check_parts(fake, size, part_size=PART):
    """Of each upload: whole parts, and a last one that is not longer."""
    by_upload = collections.defaultdict(dict)
    for call in fake.of("part"):
        by_upload[call.key][int(call.query["partNumber"])] = len(call.body)
    for key, sent in by_upload.items():
        n, want = size[key], [part_size] * (size[key] // part_size)
        want += [n % part_size] if n % part_size else []
        assert [sent[i + 1] for i in range(len(sent))] == want, (key, sent)
    return by_upload


def test_each_size_arrives_exactly_and_nothing_before_the_form_is_whole():
    for chunk in (None, 70_000):
        with FakeS3() as fake, Penstock(routes(rule="digest: sha256,"), fake, memory="64MiB") as p:
            answer = post(p.port, "/s", form(*files(*DATAS, type="image/png")), chunk=chunk)
            assert answer.status == 201, answer.body
            assert {k: sha256(v) for k, v in fake.store.objects().items()} == {str(i + 1): sha256(data) for i, data in enumerate(DATAS)}
            check_told(fake, answer, DATAS)
            for i, told in enumerate(answer.json()["parts"]):
                assert told["size"] == SIZES[i] and told["sha256"] == sha256(DATAS[i]), told
            uploads = check_parts(fake, {str(i + 1): n for i, n in enumerate(SIZES)})
            assert sorted(uploads) == sorted(str(i + 1) for i, n in enumerate(SIZES) if n > PUT_MAX), {k: SIZES[int(k) - 1] for k in uploads}
            last_byte = max(call.began for call in fake.of("part"))
            assert all(call.began > last_byte for kind in ("put", "complete") for call in fake.of(kind)), fake.calls
            assert all(fake.store.object(key).headers["content-type"] == "image/png" for key in fake.store.objects())
            ids = {fake.store.object(key).meta("penstock-id") for key in fake.store.objects()}
            assert len(ids) == len(DATAS) and None not in ids, ids
            assert fake.refused() == [] and fake.store.unfinished() == []


def test_a_form_whose_end_is_missing_is_not_visible():
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        datas = [noise(KEPT), noise(SHORT), noise(LONG)]
        held = Held(p, files(*datas) + files(b"so that the one before has ended"))
        wait_for(lambda: len(fake.of("part")) == 4 and all(c.status == 200 for c in fake.of("part")), "all parts are there")
        assert fake.store.objects() == {} and not fake.of("put") and not fake.of("complete")
        answer = held.finish()
        assert answer.status == 201, answer.body
        assert len(fake.store.objects()) == 4 and fake.store.unfinished() == []


def test_forty_megabytes_and_the_parts_at_once_are_in_flight():
    data = noise(40_000_000)
    for more, at_once in (("", 2), ("in_flight: 1", 1), ("in_flight: 4, part_size: 6MiB", 4)):
        gate, most, now, lock = threading.Event(), [0], [0], threading.Lock()

        def count(call):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
                if most[0] == at_once:
                    gate.set()
            gate.wait(DEADLINE)
            call.read()
            with lock:
                now[0] -= 1
            return call.send(call.act())
        with FakeS3() as fake, Penstock(routes(more), fake, memory="64MiB") as p:
            fake.on("part", EVERY, count)
            answer = post(p.port, "/s", form(*files(data)))
            assert answer.status == 201 and fake.store.objects() == {"1": data}, answer.body
            assert most[0] == at_once, (more, most)
            check_parts(fake, {"1": len(data)}, 6 * MIB if "6MiB" in more else PART)


def test_twenty_files_of_one_form():
    datas = [noise(700_000 + i, i) for i in range(20)]
    with FakeS3() as fake, Penstock(routes(), fake, memory="64MiB") as p:  # 20 whole parts would not fit
        answer = post(p.port, "/s", form(*files(*datas)))
        assert answer.status == 201, answer.body
        check_told(fake, answer, datas)


def test_each_checksum_is_sent_and_is_right():
    datas = [noise(KEPT), noise(SHORT), noise(LONG)]
    for kind in ("crc32c", "crc64nvme", "sha256", "none"):
        with FakeS3() as fake, Penstock(routes(f"checksum: {kind}"), fake) as p:
            answer = post(p.port, "/s", form(*files(*datas)))
            assert answer.status == 201, (kind, answer.body, fake.calls)
            check_told(fake, answer, datas)
            sums = [list(fake.store.object(str(i + 1)).sums) for i in range(3)]
            assert sums == [[] if kind == "none" else [kind]] * 3, (kind, sums)
            for call in fake.of("put") + fake.of("part"):
                assert (call.payload == sigv4.UNSIGNED) == (kind != "sha256"), call.payload
            assert kind == "none" or fake.store.object("1").sums[kind] == checksums.of(kind, datas[0])


def test_lines_that_the_route_file_adds():
    more = ('headers: { x-amz-storage-class: STANDARD_IA, Cache-Control: "max-age=60", x-amz-tagging: "a=b&c=d e" }, '
            'content_type: "application/x-of-mine"')
    with FakeS3() as fake, Penstock(routes(more), fake) as p:
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT), type="text/html")))
        assert answer.status == 201, answer.body
        for key in ("1", "2"):
            headers = fake.store.object(key).headers
            assert headers["x-amz-storage-class"] == "STANDARD_IA" and headers["cache-control"] == "max-age=60" and headers["x-amz-tagging"] == "a=b&c=d e", headers
            assert headers["content-type"] == "application/x-of-mine", headers
        assert fake.refused() == []


def test_a_type_that_nobody_declared():
    with FakeS3() as fake, Penstock(routes(), fake) as p:
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT)), part("f", b"x", "x", "text/plain; charset=utf-8")))
        assert answer.status == 201, answer.body
        assert [fake.store.object(k).headers.get("content-type") for k in "123"] == ["application/octet-stream"] * 2 + ["text/plain; charset=utf-8"]


def test_other_ways_to_the_bucket():
    folder = tempfile.mkdtemp(prefix="penstock-s3-")
    cert, key = certificate(folder)
    token = "credentials: { access_key: AKTEST, secret_key: SKTESTSECRET, session_token: \"to/ken+==\" }"
    ways = [({"more": f"tls: {{ ca: {{ file: \"{cert}\" }} }}", "endpoint": "https://127.0.0.1"}, {"tls": (cert, key)}),
            ({"more": "style: virtual", "endpoint": "http://localhost"}, {}), ({"more": "style: path", "endpoint": "http://localhost"}, {}),
            ({"more": "region: eu-central-1"}, {"keys": [sigv4.Keys(region="eu-central-1")]}), ({"more": token}, {"keys": [sigv4.Keys(token="to/ken+==")]})]
    for way, how in ways:
        with FakeS3(**how) as fake, Penstock(routes(**way), fake) as p:
            answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT))))
            assert answer.status == 201, (way, answer.body, fake.calls)
            assert sorted(fake.store.objects()) == ["1", "2"] and fake.refused() == []
            assert all((call.find("host") == f"bkt.localhost:{fake.port}") == ("virtual" in way.get("more", "")) for call in fake.calls), fake.calls[0].headers
    shutil.rmtree(folder)


def test_keys_from_the_environment_sign_too():
    env = dict(os.environ, AWS_ACCESS_KEY_ID="AKTEST", AWS_SECRET_ACCESS_KEY="SKTESTSECRET")
    chain = routes("style: path").replace("credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, ", "")
    assert "credentials" not in chain
    with FakeS3() as fake, Penstock(chain, fake, env=env) as p:
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201 and len(fake.store.objects()) == 1
    named = routes("credentials: { access_key: { env: AWS_ACCESS_KEY_ID }, secret_key: { env: AWS_SECRET_ACCESS_KEY } }")
    with FakeS3() as fake, Penstock(named, fake, env=env) as p:
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201 and len(fake.store.objects()) == 1


def test_a_kept_part_and_a_concat():
    rules = """fields:
      - { name: b, buffer: true, max_size: 2MiB, max_count: 1, store: { to: s, key: "buffered" } }
      - { name: c, concat: { to: s, key: "joined" } }
      - { name: d, concat: { to: s, key: "joined-long" } }
"""
    text = f"destinations:\n{destination()}routes:\n  - id: s\n    match: {{ path: /s }}\n    {rules}"
    with FakeS3() as fake, Penstock(text, fake, memory="64MiB") as p:
        pieces = [("c", noise(1000)), ("d", noise(4_000_000)), ("b", noise(2 * MIB)), ("c", b""), ("d", noise(3_000_000, 2)), ("c", noise(50, 3))]
        answer = post(p.port, "/s", form(*[part(name, data, "x") for name, data in pieces]))
        assert answer.status == 201, answer.body
        joined = {name: b"".join(data for other, data in pieces if other == name) for name in "bcd"}
        assert fake.store.objects() == {"buffered": joined["b"], "joined": joined["c"], "joined-long": joined["d"]}
        assert sorted(call.key for call in fake.of("put")) == ["buffered", "joined"] and fake.refused() == []
