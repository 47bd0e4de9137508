# SPDX-License-Identifier: MIT
"""What the tests of S3 share: route files, forms that are held before their end, boto3 as a witness, and what a store must look
like when all is over."""
import concurrent.futures
import re
import urllib.error
import urllib.request

try:
    import boto3
    import botocore.client
except ImportError:
    boto3 = None

from fake_s3 import EVERY, FakeS3
from lib import *

MIB = 1 << 20
PUT_MAX, PART = 256 << 10, 5 * MIB  # what the route file's defaults are
KEPT, SHORT, LONG = 1000, PUT_MAX + 1000, 2 * PART + 1000  # one PutObject; an upload of one part; of three
END = f"--{BOUNDARY}--\r\n".encode()


def destination(more="", name="s", port="{up}", endpoint="http://127.0.0.1"):
    keys = "" if "credentials:" in more else "credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, "
    more = more if "timeout:" in more else "timeout: { idle: 50s }" + (more and ", " + more)
    return f'  {name}: {{ type: s3, endpoint: "{endpoint}:{port}", bucket: bkt, {keys}{more} }}\n'


def routes(more="", key="{part}", rule="", route="", store="", **where):
    """One route, /s, of one rule that takes everything to one bucket."""
    return f"destinations:\n{destination(more, **where)}routes:\n" + \
        f'  - {{ id: s, match: {{ path: "/s" }}, {route} fields: [ {{ name: "*", {rule} store: {{ to: s, key: "{key}"{store and ", " + store} }} }} ] }}\n'


def follow(url):
    """What somebody gets who has a link and nothing else."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as got:
            return Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, got.read())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, {}, refused.read())


def files(*datas, type=None):
    """Parts of a form, one file each."""
    return [part("f", data, f"{i}.bin", type) for i, data in enumerate(datas)]


def states(answer):
    """Of each part; a summary of what is committed says no more of it."""
    return [told.get("state", "committed" if answer.status == 201 else None) for told in answer.json().get("parts", [])]


class Held:
    """A form of which all has been sent but its end."""

    def __init__(self, p, parts, path="/s"):
        self.socket, body = connect(p.port), b"".join(parts)
        self.socket.sendall(head_of(path, len(body) + len(END)) + body)

    def finish(self):
        self.socket.sendall(END)
        return self.answer()

    def answer(self):
        answer = read_answer(self.socket)
        self.socket.close()
        assert answer is not None, "no answer"
        return answer


def check_nothing_is_left(fake, what="no upload is left unfinished"):
    wait_for(lambda: not fake.store.unfinished(), f"{what}: {fake.calls[-20:]}")


def check_told(fake, answer, datas, keys=None):
    """Whatever happened: what the answer tells of each part is true, and no call was one that S3 refuses."""
    found, keys = fake.store.objects(), keys or [str(i + 1) for i in range(len(datas))]
    told = states(answer) or ["aborted"] * len(datas)  # refused before anything was stored
    assert len(told) == len(datas), answer.body
    for key, data, state in zip(keys, datas, told):
        assert state != "committed" or found.get(key) == data, (key, state, answer.body)
        assert state not in ("aborted", "undone") or key not in found, (key, state, answer.body)
    assert (answer.status == 201) == (set(told) == {"committed"}), answer.body
    if answer.status != 201:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json" and problem["status"] == answer.status, answer.body
        assert "SKTESTSECRET" not in answer.body.decode() and "127.0.0.1" not in problem["detail"], answer.body


def boto_client(port, verify=None, scheme="http", access="AKTEST", secret="SKTESTSECRET"):
    if boto3 is None:
        raise Skip("boto3 is not here")
    config = botocore.client.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, request_checksum_calculation="when_required",
                                    connect_timeout=DEADLINE, read_timeout=DEADLINE)
    return boto3.client("s3", endpoint_url=f"{scheme}://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=access,
                        aws_secret_access_key=secret, verify=verify, config=config)
