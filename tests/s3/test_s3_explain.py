# SPDX-License-Identifier: MIT
"""What `penstock explain` says that a bucket would be asked is what it is asked: method, URL, headers and bytes."""
import urllib.parse

from s3 import *
from test_cli import Folder, run

SIZES = [0, 1, KEPT, PUT_MAX, PUT_MAX + 1, PART, PART + 1, 2 * PART, LONG]
OWN = {"host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-length", "accept", "user-agent", "expect"}


def explained(text, fake, body):
    with Folder() as d:
        routes_file = d.write("routes.yaml", "version: 1\nmemory: 64MiB\n" + text.replace("{up}", str(fake.port)))
        result = run("explain", routes_file, d.write("request", head_of("/s", len(body)) + body))
        assert result.returncode == 0, result
        for secret in (b"SKTESTSECRET", b"AKTEST", b"COLD"):
            assert secret not in result.stdout, result.stdout
        human = run("explain", "--human", routes_file, os.path.join(d.path, "request"))
        assert human.returncode == 0 and b"COLD" not in human.stdout, human
        return json.loads(result.stdout)


def asked(fake):
    """Of each key: (method, path, query without the upload's name, names of headers, bytes), in no order."""
    found = collections.defaultdict(list)
    for call in fake.calls:
        query = re.sub(r"uploadId=[^&]+", "uploadId={upload}", call.raw_query)
        names = sorted({name for name, _ in call.headers} - OWN)
        found[call.key].append((call.method, call.path, query, names, len(call.body) if call.kind in ("put", "part") else None))
    return {key: sorted(calls, key=str) for key, calls in found.items()}


def would(told, *whens):
    found = collections.defaultdict(list)
    for one in told["would"]:
        for step in one["steps"]:
            if step["when"] not in whens:
                continue
            method, _, url = step["target"].partition(" ")
            path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
            key = urllib.parse.unquote(path.partition("/")[2])
            names = sorted(line.split(":")[0].lower() for line in step["headers"])
            numbers = re.search(r"partNumber=\{1 to \d+\}", query)
            for i in range(step["times"]):
                each = query.replace(numbers.group(0), f"partNumber={i + 1}") if numbers else query
                found[key].append((method, "/" + path, each, names, step["bytes"]))
    return {key: sorted(calls, key=str) for key, calls in found.items()}


def test_what_would_be_asked_is_what_is_asked():
    datas = [noise(n, n) for n in SIZES]
    body = form(*files(*datas, type="image/png"))
    for more in ("", "exists: refuse, checksum: sha256, undo: DELETE", "checksum: none, part_size: 6MiB, put_max: 16KiB",
                 'checksum: crc64nvme, headers: { x-amz-storage-class: COLD, x-amz-request-payer: requester }'):
        text = routes(more, key="photos/{part} \u00e9")
        with FakeS3() as fake:
            told = explained(text, fake, body)
            assert fake.calls == []
            with Penstock(text, fake, memory="64MiB") as p:
                assert post(p.port, "/s", body).status == 201
                assert asked(fake) == would(told, "before", "commit"), (more, asked(fake), would(told, "before", "commit"))


def test_what_takes_it_away():
    body = form(*files(noise(SHORT), noise(KEPT)))
    for more, undo in (("", []), ("undo: DELETE", [("undo", "DeleteObject")])):
        with FakeS3() as fake:
            told = explained(routes(more), fake, body)["would"]
        steps = [[(step["when"], step["call"]) for step in one["steps"] if step["when"] in ("cancel", "undo")] for one in told]
        assert steps == [[("cancel", "AbortMultipartUpload")] + undo, undo], steps
        assert told[0]["steps"][3]["target"].endswith("/bkt/1?uploadId={upload}"), told


def test_placeholders_of_a_name_stand_as_they_are_written():
    body = form(*files(noise(KEPT)))
    with FakeS3() as fake:
        told = explained(routes(key="{date:%Y/%m}/a b/{uuid}-{file.name}"), fake, body)
    name = "/{date:%Y/%m}/a%20b/{uuid}-0.bin"
    assert told["parts"][0]["target"] == name and told["would"][0]["steps"][0]["target"].endswith("/bkt" + name), told
