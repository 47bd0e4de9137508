# SPDX-License-Identifier: MIT
"""The demo's app alone, with a store that fails in every way, each time a page says so; and with a bucket of several lists."""
from stack import *

ANSWERS = {
    "none": b"",
    "an error": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "half of one": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
    "half of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{",
    "no list": b"HTTP/1.0 200 OK\r\n\r\n[{",
    "another list": b"HTTP/1.0 200 OK\r\n\r\n<Error><Code>SlowDown</Code></Error>",
    "no HTTP": b"what?\r\n\r\n",
}
PATHS = ["/", "/stored/", "/stored/x", "/api/stored", "/nowhere"]
# Runs in the container: for each case, prints the status and the body of each path, with a store of this kind whose answers,
# one after the other and then again, are these.
PROGRAM = """
import itertools, json, socket, sys, threading
import app, store
def answer(listener, answers):
    for words in itertools.cycle(answers):
        with listener.accept()[0] as s:
            s.recv(65536)
            s.sendall(bytes.fromhex(words))
def said(kind, answers, paths):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=answer, args=(listener, answers), daemon=True).start()
    app.app.store = getattr(store, kind)("http://127.0.0.1:%d" % listener.getsockname()[1])
    return [[s.status_code, s.get_data(as_text=True)] for s in (app.app.test_client().get(path) for path in paths)]
print(json.dumps([said(*case) for case in json.loads(sys.argv[1])]))
"""


def said(*cases):
    """Of each case (kind of store, its answers, paths) what PROGRAM prints."""
    image = f"penstock-app:{TAG}"
    run("bash", "-c", '. docker/lib.sh; docker_build --file docker/demo/Dockerfile --target app --tag "$1" docker', "bash", image)
    cases = [(kind, [words.hex() for words in answers], paths) for kind, answers, paths in cases]
    return json.loads(docker("run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", PROGRAM, json.dumps(cases)))


def test_a_store_that_fails_is_told_on_a_page():
    cases = [(kind, name) for kind in ("Folders", "Bucket") for name in ANSWERS]
    for case, told in zip(cases, said(*[(kind, [ANSWERS[name]], PATHS) for kind, name in cases]), strict=True):
        assert [status for status, _ in told] == [503, 503, 503, 503, 404], (case, told)
        assert all("The store does not answer" in body for _, body in told[:4]) and "Not here" in told[4][1], (case, told)


def test_a_bucket_is_read_to_the_end_of_its_last_list():
    def page(keys, more=""):
        items = "".join(f"<Contents><Key>{key}</Key><Size>7</Size><LastModified>2026-11-29T07:0{key[-1]}:00.000Z</LastModified></Contents>" for key in keys)
        return f'HTTP/1.0 200 OK\r\n\r\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{items}{more}</ListBucketResult>'.encode()
    pages = [page(["a/1-x3", "a/10-x1"], "<NextContinuationToken>t+&amp;</NextContinuationToken>"), page(["a/2-y2", "b/1-z5"])]
    told, = said(("Bucket", pages, ["/api/stored", "/stored/"]))
    forms = json.loads(told[0][1])
    assert [(f["id"], [p["name"] for p in f["parts"]], f["when"][11:16]) for f in forms] == [("b", ["z5"], "07:05"), ("a", ["x3", "y2", "x1"], "07:03")], told
    assert told[1][0] == 200 and told[1][1].index("z5") < told[1][1].index("x3, y2, x1"), told


def test_the_app_checks_signatures_as_is_recommended():
    """tests/apps/verify has it to be copied, and this is a copy: its cases are tried there."""
    with open(f"{ROOT}/tests/apps/verify/penstock_signature.py", encoding="utf-8") as theirs, open(f"{ROOT}/docker/app/penstock_signature.py", encoding="utf-8") as ours:
        assert ours.read() == theirs.read()
