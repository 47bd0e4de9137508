# SPDX-License-Identifier: MIT
"""What a real store must have of what was sent, with boto3 as the witness. tests_of(shared) makes a module's tests of these."""
import json
import urllib.parse

import checksums
from real_checks_mixed import check_that_of_three_kinds_each_may_fail  # noqa: F401
from s3 import *
from test_probe import Probe
from test_s3_heads import NAMES
from test_s3_names import OWN, PRINTABLE
from test_s3_objects import DATAS, SIZES
from test_s3_sweep import rewrite
from test_state import ADMIN, Mortal


def tests_of(shared):
    return {"test_" + name[6:]: shared.test(check) for name, check in globals().items() if name.startswith("check_that_")}


def read_back(store, answer, datas, keys, type="image/png"):
    assert answer.status == 201, answer.body
    assert sorted(store.keys()) == sorted(map(store.name_of, keys))
    for key, data in zip(keys, datas):
        got = store.get(key)
        assert got["Body"].read() == data and got["ContentType"] == type, (key, got)
        assert re.fullmatch("[0-9a-f-]{36}", got["Metadata"]["penstock-id"]), got["Metadata"]
    assert not store.unfinished()


def check_that_each_size_is_read_back(store):
    for checksum in ("crc32c", "crc64nvme", "sha256", "none"):
        store.empty()
        datas = [data for data in (DATAS if checksum == "crc32c" else [noise(n) for n in (KEPT, SHORT, LONG)]) if store.joins_parts or len(data) <= PART]
        with Penstock(routes(f"checksum: {checksum}"), store, memory="64MiB") as p:
            answer = post(p.port, "/s", form(*files(*datas, type="image/png")))
            read_back(store, answer, datas, [str(i + 1) for i in range(len(datas))])
        if store.gives_checksums and checksum != "none":
            check_checksums(store, checksum, datas)


def check_checksums(store, kind, datas):
    """The store made them itself, of what it has: of parts, those of their checksums, but for crc64nvme."""
    for i, data in enumerate(datas):
        parts = [checksums.of(kind, data[n:n + PART]) for n in range(0, len(data), PART)]
        want = checksums.of(kind, data) if len(data) <= PUT_MAX or kind in checksums.WHOLE_ONLY else checksums.of_parts(kind, parts)
        got = store.client.head_object(Bucket="bkt", Key=str(i + 1), ChecksumMode="ENABLED")
        assert got["Checksum" + kind.upper()] == want, (kind, len(data), got)


def check_that_a_hundred_megabytes_and_twenty_files_are_read_back(store):
    for datas in [[noise(400_000 + i, i) for i in range(20)]] + [[noise(100_000_000)]] * store.joins_parts:
        store.empty()
        with Penstock(routes(), store, memory="64MiB") as p:
            read_back(store, post(p.port, "/s", form(*files(*datas, type="image/png"))), datas, [str(i + 1) for i in range(len(datas))])


def check_that_names_are_read_back(store):
    """All of them in one form, some kept and some streamed."""
    names = [c for c in PRINTABLE if c not in '"\\/%.'] + ["\u00fc", "\u2603", "\U0001f600", "a%b", "a b.txt", "a+b", "..a", "x" * 240]
    datas = [noise(SHORT if i % 10 == 0 else KEPT, i) for i in range(len(names))]
    folder = "d//" if store.keeps_slashes else "d/"
    with Penstock(routes(key="d/{part}-{file.name}"), store, memory="64MiB") as p:
        answer = post(p.port, "/s", form(*[part("f", data, name, "image/png") for name, data in zip(names, datas)]))
        read_back(store, answer, datas, [f"d/{i + 1}-{name}" for i, name in enumerate(names)])
    store.empty()
    with Penstock(routes(key=folder + "a%2Fb +&=\u2603 {part}"), store) as p:
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT), type="image/png")))
        read_back(store, answer, [noise(KEPT), noise(SHORT)], [folder + f"a%2Fb +&=\u2603 {i}" for i in (1, 2)])


def check_that_keys_of_the_route_file_are_read_back(store):
    """Every printable character, blanks, beyond ASCII, and the longest that there may be."""
    keys = [key for key in OWN if len(key) <= store.longest_segment and (store.keeps_ends or key[-1] not in "/\\")] + [f"{i}x{c}y" for i, c in enumerate(PRINTABLE)]
    keys += ["a//b"] * store.keeps_slashes + ["/".join([c * (204 // len(c.encode()))] * 5) for c in ("k", "\U0001f600")]
    assert len(keys[-1].encode()) == 1024
    datas = [noise(SHORT if i % 20 == 0 else KEPT, i) for i in range(len(keys))]
    rules = ", ".join(f'{{ name: f{i}, max_count: 1, store: {{ to: s, key: {json.dumps(key.replace("{", "{{").replace("}", "}}"), ensure_ascii=False)} }} }}' for i, key in enumerate(keys))
    with Penstock(f'destinations:\n{destination()}routes:\n  - {{ id: s, match: {{ path: "/s" }}, limits: {{ parts: 200 }}, fields: [ {rules} ] }}\n', store) as p:
        answer = post(p.port, "/s", form(*[part(f"f{i}", data, "x", "image/png") for i, data in enumerate(datas)]))
        read_back(store, answer, datas, keys)


def check_that_lines_of_the_route_file_are_read_back(store):
    with Penstock(routes('headers: { Cache-Control: "max-age=60", Content-Disposition: attachment, x-amz-tagging: "a=b&c=d" }'), store) as p:
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT), type="text/html")))
        read_back(store, answer, [noise(KEPT), noise(SHORT)], ["1", "2"], "text/html")
    for key in ("1", "2"):
        got = store.get(key)
        assert got["CacheControl"] == "max-age=60" and got["ContentDisposition"] == "attachment", got
    tags = store.client.get_object_tagging(Bucket="bkt", Key="1")["TagSet"]
    assert sorted((t["Key"], t["Value"]) for t in tags) == [("a", "b"), ("c", "d")], tags


def check_that_a_name_that_exists_is_refused(store):
    if not store.keeps_conditions:
        raise Skip(f"{store.name} does not look at If-None-Match")
    for data in (noise(KEPT), noise(SHORT)):
        store.empty()
        with Penstock(routes("exists: refuse"), store) as p:
            assert post(p.port, "/s", form(*files(data))).status == 201
            answer = post(p.port, "/s", form(*files(data[::-1])))
            assert answer.status == 409 and store.get("1")["Body"].read() == data, answer.body
            wait_for(lambda: not store.unfinished(), "no upload is left")


def check_that_wrong_keys_and_a_missing_bucket_are_named(store):
    other, wrong = "credentials: { access_key: OTHER, secret_key: WRONG }", "credentials: { access_key: AKTEST, secret_key: WRONG }"
    cases = [(routes(wrong), "SignatureDoesNotMatch"), (routes(other), "InvalidAccessKeyId")]
    if not store.makes_buckets:
        cases.append((routes().replace("bucket: bkt", "bucket: none-such"), "NoSuchBucket"))
    for text, code in cases:
        with Penstock(text, store) as p:
            for n in (KEPT, SHORT):
                answer = post(p.port, "/s", form(*files(noise(n))))
                assert answer.status == 502 and code in answer.json()["detail"], answer.body
    assert store.keys() == []


def check_that_probe_makes_no_bucket(store):
    text = "version: 1\n" + routes().replace("{up}", str(store.port))
    for bucket, put in (("bkt", "yes"), ("none-such-at-all", "no")):
        found = Probe(text.replace("bucket: bkt", f"bucket: {bucket}"), "--json")
        assert found.answers("s")["put"] == put, found.out
        if put == "yes" and store.lists_uploads:
            assert found.answers("s")["list"] == found.answers("s")["list uploads"] == "yes", found.out
    assert "none-such-at-all" not in [bucket["Name"] for bucket in store.client.list_buckets()["Buckets"]] and store.keys() == []


def check_that_what_was_committed_is_taken_back(store):
    """The form's last part comes with another key."""
    text = f"""destinations:
{destination("undo: DELETE")}{destination("credentials: { access_key: AKTEST, secret_key: WRONG }", name="none")}routes:
  - id: s
    match: {{ path: /s }}
    fields:
      - {{ name: bad, store: {{ to: none, key: "{{part}}" }} }}
      - {{ name: "*", store: {{ to: s, key: "{{part}}" }} }}
"""
    with Penstock(text, store, memory="64MiB") as p:
        answer = post(p.port, "/s", form(*files(noise(KEPT), noise(SHORT)), part("bad", noise(KEPT))))
        assert answer.status == 502 and set(states(answer)) <= {"undone", "aborted"}, answer.body
        assert store.keys() == []
        wait_for(lambda: not store.unfinished(), "no upload is left")


def check_that_clients_that_leave_leave_nothing(store):
    body = form(*files(noise(KEPT), noise(SHORT), noise(PART)))
    with Penstock(routes(), store, memory="64MiB", workers=2) as p:
        def cut(n):
            with connect(p.port) as s:
                s.sendall(head_of("/s", len(body)) + body[:n])
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(cut, [(len(body) - 1) * i // 99 for i in range(100)]))
        wait_for(lambda: len(p.requests()) >= 100, "all are noticed")
        wait_for(lambda: not store.unfinished() and store.keys() == [], "nothing is left")
        assert post(p.port, "/s", body).status == 201


QUICK = "timeout: { connect: 1s, idle: 2s, total: 20s }, retry: { parts: 1, connect: 0 }"


def check_that_a_store_may_be_killed_and_come_back(store):
    if not store.joins_parts:
        raise Skip(f"{store.name} gives back other bytes")
    for how in (signal.SIGKILL, signal.SIGTERM):
        store.empty()
        check_end(store, how)


def check_end(store, how):
    with Penstock(routes(QUICK, key="{uuid}"), store, memory="64MiB") as p:
        held = Held(p, files(noise(LONG)))
        wait_for(store.unfinished, "it has begun")
        store.kill(how)
        held.socket.sendall(END)
        for answer in (held.answer(), post(p.port, "/s", form(*files(noise(KEPT))))):
            assert answer.status in (502, 504) and "committed" not in states(answer), answer.body
        store.start()
        assert store.keys() == []
        assert wait_for(lambda: post(p.port, "/s", form(*files(noise(LONG)))).status == 201, "it goes on")
        assert store.get(store.keys()[0])["Body"].read() == noise(LONG)


def check_that_a_store_may_stand_still(store):
    """For a moment, and for longer than it is waited for: then whatever is told is true when it goes on."""
    if not store.joins_parts:
        raise Skip(f"{store.name} gives back other bytes")
    for more in ("", QUICK):
        store.empty()
        with Penstock(routes(more), store, memory="64MiB") as p:
            held = Held(p, files(noise(LONG)))
            wait_for(store.unfinished, "it has begun")
            stand_still(store.process)
            try:
                held.socket.sendall(END)
                if more:
                    answer = held.answer()
                    assert answer.status in (502, 504) and "committed" not in states(answer), answer.body
            finally:
                store.process.send_signal(signal.SIGCONT)
            if not more:
                assert held.answer().status == 201 and store.get("1")["Body"].read() == noise(LONG)
            elif states(answer) == ["aborted"]:
                wait_for(lambda: not store.unfinished(), "the abort has come")
                assert store.keys() == []


def check_that_links_are_followed(store):
    """By who has no keys: the object's own bytes, to be saved under the client's name, and not if one character is another one."""
    names = ["a b.txt", "f\u00fcr 100%, \u2603;a=b 'c'.html", "a+b&c=d?e#f~.txt", "long.bin"]
    datas = [noise(KEPT, i) for i in range(3)] + [noise(SHORT)]
    with Penstock(routes(key="d/{part}-{file.name} +&=\u2603", store="presign: 15m"), store, memory="64MiB") as p:
        answer = post(p.port, "/s", form(*[part("f", data, name, "text/html") for name, data in zip(names, datas)]))
        assert answer.status == 201, answer.body
        links = [told["link"]["url"] for told in answer.json()["parts"]]
        for url, name, data in zip(links, names, datas):
            got = follow(url)
            assert got.status == 200 and got.body == data, (url, got.status, got.body[:1000])
            says = got.headers["content-disposition"]
            assert says.startswith("attachment; filename=\"") and urllib.parse.quote(name, safe="") in says or f'"{name}"' in says, says
        at = links[0].index("X-Amz-Signature=") + len("X-Amz-Signature=")
        for wrong in (links[0][:at] + ("1" if links[0][at] != "1" else "2") + links[0][at + 1:], links[0].replace("X-Amz-Expires=900", "X-Amz-Expires=901"),
                      links[0].replace("attachment", "inline"), links[0].replace("/d/1-", "/d/2-"), links[0].partition("?")[0]):
            assert wrong != links[0] and follow(wrong).status == 403, wrong


def check_that_a_link_ends(store):
    with Penstock(routes(store="presign: 2s"), store) as p:
        url = post(p.port, "/s", form(*files(noise(KEPT)))).json()["parts"][0]["link"]["url"]
        wait_for(lambda: follow(url).status == 403, "the link has ended")
        assert store.get("1")["Body"].read() == noise(KEPT)


def check_that_a_link_is_to_the_version_that_was_stored(store):
    bucket, datas = f"versions-{random.randrange(1 << 32)}", [noise(KEPT), noise(SHORT if store.joins_parts else KEPT, 3), noise(KEPT, 2)]
    store.client.create_bucket(Bucket=bucket)
    store.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with Penstock(routes(store="presign: 15m").replace("bucket: bkt", f"bucket: {bucket}"), store) as p:
        links = [post(p.port, "/s", form(*files(data))).json()["parts"][0]["link"]["url"] for data in datas]
    told = [v["VersionId"] for v in store.client.list_object_versions(Bucket=bucket)["Versions"]]
    assert len(told) == len(datas) and sorted(re.search("versionId=([^&]+)", url)[1] for url in links) == sorted(told), (links, told)
    assert [follow(url).body for url in links] == datas


def check_that_unusual_names_are_read_back(store):
    """With all that an object can say at once: type, disposition, metadata, tags; each of it exactly, and nothing that the name brought."""
    said = 'content_disposition: attachment, metadata: { name: "{file.name}", field: "{field}" }, headers: { x-amz-tagging: "a=b", Cache-Control: no-cache }'
    more = [("\u202egnp.exe", "\u202egnp.exe", None), ("\u65e5\u672c\u8a9e " * 8 + ".txt", "\u65e5\u672c\u8a9e " * 8 + ".txt", None), ("  .a. ", "  .a. ", None)]
    names = [row for row in NAMES if len(row[1]) < 1000] + more
    with Penstock(routes(said), store, memory="64MiB") as p:
        for sent, name, line in names:
            for data in (noise(KEPT), noise(SHORT)):
                store.empty()
                answer = post(p.port, "/s", form(part("f\u00fc%0D%0Ax", data, sent, "text/html")))
                read_back(store, answer, [data], ["1"], "text/html")
                got = store.get("1")
                metadata = {n.lower(): urllib.parse.unquote(value) for n, value in got["Metadata"].items() if n.lower() != "penstock-id"}
                assert metadata == {"name": name, "field": "f\u00fc\r\nx"}, metadata
                assert line is None or got["ContentDisposition"] == line, (got["ContentDisposition"], line)
                assert urllib.parse.unquote(got["ContentDisposition"].partition("UTF-8''")[2]) in ("", name), got["ContentDisposition"]
                assert got["CacheControl"] == "no-cache", got
                if len(data) <= PUT_MAX or store.keeps_tags_of_uploads:
                    assert store.client.get_object_tagging(Bucket="bkt", Key="1")["TagSet"] == [{"Key": "a", "Value": "b"}]


def check_that_what_objects_say_is_read_back(store):
    """boto3 gives the metadata as it was sent: whoever decodes %XX has the text."""
    said = 'content_type: text/plain, content_disposition: attachment, metadata: { user: "{header.X-User}", File.Name_1: "{file.name}", long: "' + "v" * 1800 + '" }'
    name = "f\u00fcr 100%, \u2603;a=b 'c'  d.txt"
    with Penstock(routes(said), store, memory="64MiB") as p:
        answer = post(p.port, "/s", form(*[part("f", data, name, "image/png") for data in (noise(KEPT), noise(SHORT))]), extra="X-User: J\u00f6rg\r\n")
        read_back(store, answer, [noise(KEPT), noise(SHORT)], ["1", "2"], "text/plain")
    for key in ("1", "2"):
        got = store.get(key)
        assert got["ContentDisposition"] == ("attachment; filename=\"f_r 100_, _;a=b 'c'  d.txt\"; filename*=UTF-8''"
                                             "f%C3%BCr%20100%25%2C%20%E2%98%83%3Ba%3Db%20%27c%27%20%20d.txt"), got["ContentDisposition"]
        metadata = {n.lower(): value for n, value in got["Metadata"].items()}
        assert set(metadata) == {"penstock-id", "user", "file.name_1", "long"} and metadata["long"] == "v" * 1800, metadata
        assert metadata["user"] == "J%C3%B6rg" and urllib.parse.unquote(metadata["file.name_1"]) == name, metadata


def unfinished(store):
    return store.client.get_paginator("list_multipart_uploads").paginate(Bucket="bkt", PaginationConfig={"PageSize": 1000}).search("Uploads")


def check_that_a_sweep_ends_what_a_kill_left(store):
    """Of three forms whose uploads were under way, and of 120 more, so that the store's list has pages."""
    if not store.lists_uploads:
        raise Skip(f"{store.name} lists no unfinished uploads with this backend")
    idle, limits = "timeout: { idle: 50s }", "client: { timeout: { total: 1s } }\n"
    young = idle + ', sweep: { prefix: "up/" }'
    sweep = 'timeout: { total: 1s }, sweep: { prefix: "up/", older_than: 2001ms }'
    done = 'penstock_s3_sweeps_total{destination="s",result="done"}'
    with Mortal(routes(key="up/{part}-{uuid}"), store, head=ADMIN, memory="64MiB") as p:
        held = [Held(p, files(noise(SHORT)) + files(b"")) for _ in range(3)]
        wait_for(lambda: len(store.unfinished()) == 3, "three uploads are under way")
        p.kill()
        for client in held:
            client.socket.close()
        for i in range(120):
            store.client.create_multipart_upload(Bucket="bkt", Key=f"up/d {i % 40:03}+%2F\u2603")
        foreign = store.client.create_multipart_upload(Bucket="bkt", Key="upper")["UploadId"]
        rewrite(p, lambda text: text.replace(idle, young))
        p.again()
        wait_for(lambda: p.figure(done) == 1, "all are seen, and are young: " + p.log())
        wait_for(lambda: p.lines('"seen":123,"ended":0'), "the log says so")
        assert len(list(unfinished(store))) == 124, p.log()
        p.kill()
        newest = max(upload["Initiated"] for upload in unfinished(store))
        wait_for(lambda: time.time() > newest.timestamp() + 6, "all are old")
        rewrite(p, lambda text: text.replace(young, sweep) + limits)
        p.again()
        wait_for(lambda: p.figure(done) == 1, "it is swept: " + p.log())
        assert [upload["UploadId"] for upload in store.unfinished()] == [foreign], (store.unfinished(), p.log())
        assert p.figure('penstock_s3_uploads_swept_total{destination="s"}') == 123, p.log()
        wait_for(lambda: p.lines('"ended":123'), "the log says so")
