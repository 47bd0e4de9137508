# SPDX-License-Identifier: MIT
"""Keys: whatever the route file writes arrives as it is written, and whatever a client brings stays within its segment."""
import json
import urllib.parse

from s3 import *

PRINTABLE = "".join(map(chr, range(32, 127)))
OWN = ["plain", "a b", "a+b", "a%b", "a&b=c?d#e", "tilde~star*paren()quote'bang!", "@:,;$=", "\u00fc\u2603\U0001f600", "e\u0301",
       "[a]|^`<>\"\\", "trailing ", "long-" + "k" * 1000]


def test_text_of_the_route_file_is_the_key():
    """Each is signed, sent and found again; dots, which would go away, have a test of their own."""
    for data in (noise(KEPT), noise(SHORT)):
        rules = ", ".join(f'{{ name: f{i}, max_count: 1, store: {{ to: s, key: {json.dumps(key.replace("{", "{{").replace("}", "}}"), ensure_ascii=False)} }} }}' for i, key in enumerate(OWN))
        text = f'destinations:\n{destination()}routes:\n  - {{ id: s, match: {{ path: "/s" }}, fields: [ {rules} ] }}\n'
        with FakeS3() as fake, Penstock(text, fake) as p:
            answer = post(p.port, "/s", form(*[part(f"f{i}", data, "x") for i in range(len(OWN))]))
            assert answer.status == 201, (answer.body, fake.calls[-5:])
            assert fake.store.objects() == dict.fromkeys(OWN, data) and fake.refused() == []


def test_every_character_of_a_file_name():
    """All but what could leave the segment arrives as the client sent it."""
    # in a file name, which a browser escapes so
    names = [c for c in PRINTABLE if c not in '"\\/%.'] + ["\u00fc", "\u2603", "\U0001f600", "a%b", "a b.txt", "+", "..a", "x" * 255]
    with FakeS3() as fake, Penstock(routes(key="{part}/{file.name}"), fake) as p:
        answer = post(p.port, "/s", form(*[part("f", b"x", name) for name in names]))
        assert answer.status == 201, (answer.body, fake.calls[-5:])
        assert sorted(fake.store.objects()) == sorted(f"{i + 1}/{name}" for i, name in enumerate(names)) and fake.refused() == []
        told = [urllib.parse.unquote(t["target"])[1:] for t in answer.json()["parts"]]
        assert told == [f"{i + 1}/{name}" for i, name in enumerate(names)], told


def test_what_could_leave_its_segment_does_not():
    for name in ("../../x", "..", ".", "a/b", "a\\b", "%2e%2e", "%2F", "a%252Fb", "", ";", "..;"):
        with FakeS3() as fake, Penstock(routes(key="in/{field}/end", rule="max_count: 1,"), fake) as p:
            answer = post(p.port, "/s", form(part(name.replace('"', "%22"), b"x")))
            assert answer.status == 201, (name, answer.body)
            key = list(fake.store.objects())[0]
            middle = key[3:-4]
            assert key.startswith("in/") and key.endswith("/end") and "/" not in middle and middle not in ("", ".", ".."), (name, key)
            assert fake.refused() == []
        refuse = routes("names: { unsafe: refuse }", key="in/{field}/end", rule="max_count: 1,")
        with FakeS3() as fake, Penstock(refuse, fake) as p:
            assert post(p.port, "/s", form(part(name, b"x"))).status in (422, 201)
            assert all("/" not in key[3:-4] for key in fake.store.objects())


def test_bytes_that_are_no_utf8():
    """A store refuses such a key, so it would be the client's doing that looks like the store's."""
    for sent, key in ((b"a\xffb", "a_b"), (b"\xe9t\xe9", "_t_"), (b"\xc3", "_"), (b"\xc3\xa9\xa9", "\u00e9_"), (b"\xf0\x9f\x98", "___"), (b"\xc0\xaf", "__"),
                      (b"\xed\xa0\x80", "___"), (b"\xf0\x9f\x98\x80", "\U0001f600")):
        body = form(part("f", b"x", "NAME")).replace(b"NAME", sent)
        with FakeS3() as fake, Penstock(routes(key="{part}-{file.name}", rule="max_count: 1,"), fake) as p:
            answer = post(p.port, "/s", body)
            assert answer.status == 201 and list(fake.store.objects()) == ["1-" + key], (sent, answer.body, fake.calls)
            assert fake.refused() == []
        with FakeS3() as fake, Penstock(routes("names: { unsafe: refuse }", key="{part}-{file.name}", rule="max_count: 1,"), fake) as p:
            answer = post(p.port, "/s", body)
            assert answer.status == (422 if "_" in key else 201), (sent, answer.body)
            assert answer.status == 201 or "not UTF-8" in answer.json()["detail"], answer.body


def test_a_key_that_s3_cannot_bear():
    body = form(part("f", b"x", "n" * 250))
    with FakeS3() as fake, Penstock(routes(key="k" * 774 + "/{file.name}", rule="max_count: 1,"), fake) as p:  # 1,024 and a byte
        answer = post(p.port, "/s", body)
        assert answer.status == 422 and fake.calls == [], answer.body
    with FakeS3() as fake, Penstock(routes(key="k" * 773 + "/{file.name}", rule="max_count: 1,"), fake) as p:
        assert post(p.port, "/s", body).status == 201
        assert [len(key) for key in fake.store.objects()] == [1024]
    with FakeS3() as fake, Penstock(routes(key="{field}", rule="max_count: 1,"), fake) as p:  # the limit is one of bytes of the key, not of the URL
        assert post(p.port, "/s", form(part("\U0001f600" * 256, b"x"))).status == 201
        assert [len(key) for key in fake.store.objects()] == [256]
        assert post(p.port, "/s", form(part("\U0001f600" * 257, b"x"))).status == 422


def test_check_refuses_a_key_with_dot_segments():
    for key in ("../x", "a/./b", "a/..", "k" * 1025):
        folder = tempfile.mkdtemp(prefix="penstock-s3-")
        path = os.path.join(folder, "r.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write("version: 1\n" + routes(key=key + "", rule="max_count: 1,").replace("{up}", "9"))
        run = subprocess.run([BINARY, "check", path], capture_output=True, text=True, check=False)
        shutil.rmtree(folder)
        assert run.returncode == 2 and "error" in run.stdout + run.stderr, (key, run.stdout, run.stderr)
