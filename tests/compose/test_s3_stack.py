# SPDX-License-Identifier: MIT
"""The stack with a bucket as its store: what is in the bucket, and which uploads are unfinished there, is read from the bucket
itself and not through the gateway."""
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from datetime import datetime

import lib
from gallery import check_gallery
from stack import *
from test_stack import check_containers, check_page, check_page_without_script, refused, upload

S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
HALF_IN = 6_000_000  # more than one part
PREFIX = "forms/"


class BucketStack(Stack):
    NAMES = {"storage": "bucket", "app": "app-s3"}

    def __init__(self, project):
        super().__init__(project, "s3")
        self.env["ROUTES"] = f"{self.dir}/routes.yaml"
        with open(f"{ROOT}/docker/routes-s3.yaml", encoding="utf-8") as f:
            self.routes(f.read())

    def routes(self, text):
        """In the same file, for that is what the container sees."""
        with open(self.env["ROUTES"], "w", encoding="utf-8") as f:
            f.write(text)

    def __enter__(self):
        try:
            return super().__enter__()
        except AssertionError as e:
            if "NOT TO BE HAD FROM PYPI" in str(e):
                why = next(line for line in str(e).splitlines() if "NOT TO BE HAD" in line)
                raise Skip(f"NO STACK WITH A BUCKET WAS TESTED: {why}") from e
            raise

    def container(self, service):
        return super().container(self.NAMES.get(service, service))

    def ask(self, path):
        address = inspect(self.container("storage"), "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
        with urllib.request.urlopen(f"http://{address}:8333/uploads/{path}", timeout=DEADLINE) as answer:
            return answer.read()

    def list(self, query, item):
        """Items of a list of the bucket's, as (key, when an upload began)."""
        root = ElementTree.fromstring(self.ask("?" + query))
        assert root.findtext(S3 + "IsTruncated") == "false"
        return [(e.findtext(S3 + "Key"), e.findtext(S3 + "Initiated")) for e in root.iter(S3 + item)]

    def stored(self):
        return {key.removeprefix(PREFIX): digest for key, digest in self.below(PREFIX).items()}

    def pictures(self):
        return {f"/{key}": digest for key, digest in self.below("photos/").items()}

    def below(self, prefix):
        return {key: sha256(self.ask(urllib.parse.quote(key))) for key, _ in self.list(f"list-type=2&prefix={prefix}", "Contents")}

    def unfinished(self):
        return self.list("uploads", "Upload")


class HalfIn:
    """A form whose file is half in: a part of it is in the bucket."""

    def __init__(self, stack):
        self.data = lib.noise(2 * HALF_IN, HALF_IN)
        self.body = lib.form(lib.part("file", self.data, "half.bin"))
        self.socket = lib.connect(stack.port, timeout=DEADLINE * 2)
        self.socket.sendall(lib.head_of("/upload", len(self.body)) + self.body[:HALF_IN])
        wait_for(stack.unfinished, "the bucket has an unfinished upload")

    def end(self):
        """Sends the rest, and gives the answer."""
        with self.socket:
            try:
                self.socket.sendall(self.body[HALF_IN:])
            except ConnectionError:
                pass  # it was told why already
            return lib.read_answer(self.socket)


def test_uploads_into_a_bucket():
    with BucketStack("penstock-test-bucket") as stack:
        upload(stack)
        check_reading(stack)
        check_gallery(stack)
        check_page(stack)
        check_page_without_script(stack)
        check_containers(stack)
        check_refusals(stack)
        check_client_that_leaves(stack)
        check_stopped_bucket(stack)
        check_kill(stack)


def check_reading(stack):
    """The gateway reads the bucket back, as a download; it asks the bucket nothing else, and lets nobody write."""
    told = stack.curl("-F", "file=a<b>;filename=\"ä b%2F+?.html\";type=text/html").json()
    key = "/files" + told["parts"][0]["target"]
    for path in (key, key + "?acl", key + "?response-content-type=text/css"):
        answer = stack.curl("-H", "Authorization: Bearer mine", path=path)
        assert answer.status == 200 and answer.body == b"a<b>", (path, answer.body)
        assert answer.headers["content-disposition"].startswith("attachment;") and answer.headers["content-security-policy"] == "sandbox"
    assert b"ListBucketResult" in stack.curl(path="/files/?uploads").body
    assert stack.curl("-X", "PUT", "--data-binary", "x", path="/files/x").status == 405
    assert stack.curl("-X", "DELETE", path=key).status == 405
    assert stack.curl(path="/files/no-such-key").status == 404


def check_refusals(stack):
    """What was sent of a refused form leaves nothing: not when its client has heard of it, and so not later either."""
    before = stack.stored()
    with tempfile.TemporaryDirectory() as at:
        for name, size in (("small", 1_000), ("streamed", 700_000), ("parts", 12_000_000)):
            with open(f"{at}/{name}", "wb") as f:
                f.write(lib.noise(size, size))
            answer = stack.curl("-F", f"file=@{at}/{name}", "-F", "other=x;filename=x")
            assert answer.status == 422 and stack.unfinished() == [] and stack.stored() == before, (name, answer.body)
    refused(stack, 415, "-d", "title=x")


def check_client_that_leaves(stack):
    before = stack.stored()
    HalfIn(stack).socket.close()
    wait_for(lambda: stack.unfinished() == [], "the upload of a client that left is ended")
    assert stack.stored() == before


def check_stopped_bucket(stack):
    """An upload that could not be ended, for the bucket was gone, is named in the log. What was stored is there afterwards."""
    before, half = stack.stored(), HalfIn(stack)
    docker("stop", stack.container("storage"))
    answer = half.end()
    assert answer is not None and answer.status in (502, 504), answer and answer.body
    assert stack.curl(path="/").status == 503
    docker("start", stack.container("storage"))
    wait_for(lambda: stack.curl("-F", "file=abc;filename=again").status == 201, "uploads again")
    now = stack.stored()
    assert {k: v for k, v in now.items() if k in before} == before and set(now.values()) - set(before.values()) <= {sha256(b"abc")}, now
    warned = [line for line in stack.logs("penstock").splitlines() if "may be left in a bucket" in line]
    assert all(any(key in line for line in warned) for key, _ in stack.unfinished()), (stack.unfinished(), warned)


def check_kill(stack):
    """The last: penstock is killed in the middle of an upload. The next one ends what is left of it, when it is old enough."""
    before, half = stack.stored(), HalfIn(stack)
    docker("kill", stack.container("penstock"))
    answer = half.end()
    assert answer is not None and answer.status == 502, answer and answer.body
    left = stack.unfinished()
    assert left and stack.stored() == before, left
    newest = max(datetime.fromisoformat(when).timestamp() for _, when in left)
    wait_for(lambda: time.time() > newest + 5, "they are old")
    with open(stack.env["ROUTES"], encoding="utf-8") as f:
        text = f.read()
    hurried = text.replace("older_than: 48h", "older_than: 3s").replace("type: s3\n", "type: s3\n    timeout: { total: 1s }\n")
    stack.routes(hurried + "client: { timeout: { total: 1s } }\n")
    docker("start", stack.container("penstock"))
    wait_for(lambda: stack.unfinished() == [], "what was left is ended")
    stack.routes(text)
    docker("restart", "--time", "60", stack.container("penstock"))
    wait_for(lambda: stack.curl("-F", "file=abc;filename=after").status == 201, "uploads again")
    assert {k: v for k, v in stack.stored().items() if k in before} == before
