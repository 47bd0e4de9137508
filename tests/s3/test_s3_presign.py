# SPDX-License-Identifier: MIT
"""Links to objects (`presign`): who has one gets those bytes, for as long as it says and no longer; and nobody else is told of it."""
import calendar
import urllib.parse

import misbehave as mis
import sigv4
from fake_s3 import normal
from s3 import *
from test_ops import Admin, get
from test_s3_explain import explained
from test_s3_heads import BOTH, NAMES
from test_s3_metrics import container, environment, reload

LINKED = routes(store="presign: 15m")


def links_of(answer):
    assert answer.status == 201, answer.body
    return [told["link"] for told in answer.json()["parts"]]


def query_of(url):
    return dict(urllib.parse.parse_qsl(url.partition("?")[2], keep_blank_values=True, strict_parsing=True))


def seconds_of(expires):
    return calendar.timegm(time.strptime(expires, "%Y-%m-%dT%H:%M:%SZ"))


def test_a_link_is_the_object_for_as_long_as_it_says():
    with FakeS3() as fake, Penstock(LINKED, fake, memory="64MiB") as p:
        before = int(time.time())
        answer = post(p.port, "/s", form(*files(*BOTH, type="text/html")))
        after, links = time.time(), links_of(answer)
        assert answer.headers["cache-control"] == "no-store", answer.headers
        for i, (link, data) in enumerate(zip(links, BOTH)):
            query = query_of(link["url"])
            began = sigv4.seconds_of(query["X-Amz-Date"])
            assert sorted(link) == ["expires", "url"] and link["url"].startswith(f"http://127.0.0.1:{fake.port}/bkt/{i + 1}?"), link
            assert before <= began <= after and query["X-Amz-Expires"] == "900" and seconds_of(link["expires"]) == began + 900, link
            assert sorted(query) == ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "X-Amz-SignedHeaders",
                                     "response-content-disposition"], query
            got = follow(link["url"])
            assert got.status == 200 and got.body == data and got.headers["content-type"] == "text/html", got.headers
            assert got.headers["content-disposition"] == f'attachment; filename="{i}.bin"', got.headers
        assert fake.refused() == []
        fake.clock = seconds_of(links[0]["expires"]) - time.time() - 30  # the store's, half a minute before the end
        assert follow(links[0]["url"]).status == 200
        fake.clock += 32
        assert b"Request has expired" in follow(links[0]["url"]).body


def test_a_link_with_any_other_character_is_none():
    with FakeS3() as fake, Penstock(LINKED, fake) as p:
        url = links_of(post(p.port, "/s", form(*files(noise(KEPT)))))[0]["url"]
        for i in range(url.index("/bkt/") + 5, len(url)):
            got = follow(url[:i] + ("x" if url[i] != "x" else "y") + url[i + 1:])
            assert got.status in (400, 403) and noise(KEPT) not in got.body, (url, i, got.status, got.body)
        assert follow(url).status == 200


def test_it_is_saved_under_the_name_that_the_client_gave():
    for data in BOTH:
        with FakeS3() as fake, Penstock(routes(store="presign: 15m"), fake, memory="64MiB") as p:
            for sent, _, line in NAMES:
                url = links_of(post(p.port, "/s", form(part("f", data, sent))))[0]["url"]
                assert query_of(url)["response-content-disposition"] == line and url.isascii() and url.isprintable(), url
                assert follow(url).headers["content-disposition"] == line
            assert fake.refused() == []


def test_what_a_rule_says_of_its_objects_holds_for_the_link():
    """Only the rule itself lets a browser show what somebody has uploaded, and a concat has the name of its first part."""
    rules = """fields:
      - { name: a, store: { to: s, key: a, presign: 1m, content_disposition: none }, max_count: 1 }
      - { name: b, concat: { to: s, key: b, presign: 168h } }
      - { name: c, store: { to: s, key: c }, max_count: 1 }
      - { name: d, store: { to: usual, key: d, presign: 1s }, max_count: 1 }
      - { name: e, drop: true }
"""
    more = destination() + destination("content_disposition: none, headers: { X-Amz-Request-Payer: requester }", name="usual")
    with FakeS3() as fake, Penstock(f"destinations:\n{more}routes:\n  - id: s\n    match: {{ path: /s }}\n    {rules}", fake) as p:
        answer = post(p.port, "/s", form(*[part(name, name.encode(), f"{n}.txt", "text/plain") for n, name in enumerate("abbcde")]))
        told = answer.json()["parts"]
        assert answer.status == 201 and [t.get("link", "none") is not None for t in told] == [True] * 6, answer.body
        assert ["link" in t for t in told] == [True, True, True, False, True, False], told
        queries = [query_of(t["link"]["url"]) for t in told if "link" in t]
        assert [q.get("response-content-disposition") for q in queries] == [None, *['attachment; filename="1.txt"'] * 2, 'attachment; filename="4.txt"'], queries
        assert [q["X-Amz-Expires"] for q in queries] == ["60", "604800", "604800", "1"], queries
        assert [q.get("x-amz-request-payer") for q in queries] == [None, None, None, "requester"], queries
        assert [follow(t["link"]["url"]).body for t in told[:3]] == [b"a", b"bb", b"bb"]


def test_it_is_to_the_version_that_was_made():
    datas = [noise(KEPT), noise(SHORT), noise(KEPT, 2)]
    with FakeS3(versioning=True) as fake, Penstock(routes("retry: { parts: 0 }", store="presign: 15m"), fake) as p:
        links = [links_of(post(p.port, "/s", form(*files(data))))[0]["url"] for data in datas]
        assert [query_of(url)["versionId"] for url in links] == [v.version for v in fake.store.versions["1"]]
        assert [follow(url).body for url in links] == datas
        fake.on("put", EVERY, mis.lost_after)  # HeadObject finds it, and tells its version
        url = links_of(post(p.port, "/s", form(*files(b"lost"))))[0]["url"]
        assert follow(url).body == b"lost" and query_of(url)["versionId"] == fake.store.object("1").version and fake.of("head")


def test_it_is_where_the_store_is():
    for way, host, path in (({"more": "style: virtual", "endpoint": "http://localhost"}, "bkt.localhost", "/a%20b"),
                            ({"more": "style: path", "endpoint": "http://localhost"}, "localhost", "/bkt/a%20b")):
        with FakeS3() as fake, Penstock(routes(key="a b", store="presign: 15m", rule="max_count: 1,", **way), fake) as p:
            url = links_of(post(p.port, "/s", form(*files(noise(KEPT)))))[0]["url"]
            assert url.startswith(f"http://{host}:{fake.port}{path}?"), url
            with connect(fake.port) as s:  # a name below localhost is known to few
                s.sendall(f"GET {urllib.parse.urlsplit(url).path}?{url.partition('?')[2]} HTTP/1.1\r\nHost: {host}:{fake.port}\r\n\r\n".encode())
                assert read_answer(s).body == noise(KEPT)


def test_keys_of_a_session_are_in_it():
    token = "a+b/c=" + "t" * 2000
    keys = sigv4.Keys(token=token)
    with FakeS3(keys=[keys]) as fake:
        text = routes(f'credentials: {{ access_key: AKTEST, secret_key: SKTESTSECRET, session_token: "{token}" }}', store="presign: 15m")
        with Penstock(text, fake) as p:
            url = links_of(post(p.port, "/s", form(*files(noise(KEPT)))))[0]["url"]
            assert query_of(url)["X-Amz-Security-Token"] == token and follow(url).body == noise(KEPT)
            assert follow(url.replace("t" * 2000, "t" * 1999)).status == 400


def test_it_lives_no_longer_than_the_keys():
    text = LINKED.replace("credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, ", "")
    for left, shortened in ((3600, False), (800, True)):
        began = time.time()
        with FakeS3() as fake, container({"left": left}) as keys, Admin(text, fake, env=environment(keys)) as p:
            wait_for(lambda: get(p.admin, "/readyz").status == 200, "there are keys")
            link = links_of(post(p.port, "/s", form(*files(noise(KEPT)))))[0]
            query, end = query_of(link["url"]), seconds_of(link["expires"])
            assert end == sigv4.seconds_of(query["X-Amz-Date"]) + int(query["X-Amz-Expires"]), link
            assert (end <= time.time() + left and int(query["X-Amz-Expires"]) < 900 and end >= int(began) + left) if shortened else query["X-Amz-Expires"] == "900", link
            assert follow(link["url"]).body == noise(KEPT)


def test_a_form_is_stored_also_if_its_keys_have_expired_meanwhile():
    """No keys, no link: that is told of each part, and the log says why, once."""
    text, left = LINKED.replace("credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, ", "").replace("store: {", "concat: {"), {"left": 5}

    def late(call):
        left["left"], last = None, time.time() + 5  # no keys any more, and none that were given live longer than that
        wait_for(lambda: time.time() > last + 1, "the keys have expired")
        return normal(call)
    with FakeS3() as fake, container(left) as keys, Penstock(text, fake, env=environment(keys)) as p:
        fake.on("put", 1, late)
        answer = wait_for(lambda: (answer := post(p.port, "/s", form(*files(b"x", b"y")))).status == 201 and answer, "there are keys, and then the form is stored")
        assert links_of(answer) == [None, None] and fake.store.objects() == {"1": b"xy"}, answer.body
        told = wait_for(lambda: p.lines("there is no link"), "it is logged")
        assert len(told) == 1 and told[0]["level"] == "warn" and "expired" in told[0]["why"], told


def test_nobody_else_is_told():
    with FakeS3() as fake, Admin(LINKED + '  - { id: t, match: { path: "/t" }, commit: each, fields: [ { name: "*", max_size: 300KiB, store: { to: s, key: "{part}", presign: 15m } } ] }\n',
                                 fake, memory="64MiB") as p:
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("level: info", "level: debug"))
        reload(p, 1)
        links = links_of(post(p.port, "/s", form(*files(*BOTH))))
        fake.on("part", EVERY, mis.status(403, "AccessDenied"))
        for path, body in (("/s", form(*files(*BOTH))), ("/t", form(*files(noise(KEPT), noise(400_000))))):
            answer = post(p.port, path, body)
            assert answer.status in (413, 502) and b"X-Amz" not in answer.body, answer.body  # also of what is there already
        for text in (p.log(), get(p.admin, "/metrics").body.decode()):
            for word in ("X-Amz-Signature", "response-content", *(query_of(link["url"])["X-Amz-Signature"] for link in links)):
                assert word not in text, word


def test_a_form_of_many_parts_has_a_link_for_each():
    """Also where another thread knows of the object."""
    with FakeS3(versioning=True) as fake, Penstock(routes(store="presign: 15m"), fake, memory="64MiB", workers="2, placement: spread") as p:
        links = links_of(post(p.port, "/s", form(*files(*[b"%d" % i for i in range(1000)]))))
        assert len({link["url"] for link in links}) == 1000 and follow(links[999]["url"]).body == b"999"


def test_explain_says_what_it_would_ask():
    for store in ("presign: 15m", "presign: 15m, content_disposition: none"):
        body = form(part("f", noise(KEPT), "f\u00fcr.txt"), part("f", noise(LONG), "b"))
        text = routes("undo: DELETE", store=store)
        with FakeS3() as fake:
            told = explained(text, fake, body)["would"]
            with Penstock(text, fake, memory="64MiB") as p:
                links = [link["url"] for link in links_of(post(p.port, "/s", body))]
        for one, url in zip(told, links):
            steps = [step for step in one["steps"] if step["when"] == "answer"]
            assert [step["call"] for step in steps] == ["GetObject"] and steps[0]["bytes"] is None and steps[0]["headers"] == [], one
            target, _, query = steps[0]["target"].partition("?")
            assert target == "GET " + url.partition("?")[0] and query.endswith("&{signature}" if "&" in query else "{signature}"), steps
            for pair in query.split("&")[:-1]:
                assert pair in url.partition("?")[2].split("&"), (pair, url)
            assert len(query.split("&")) == (2 if "none" in store else 3), query
