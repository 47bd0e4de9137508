# SPDX-License-Identifier: MIT
"""The demo's app alone, with a store that fails in every way: each time a page says so."""
from stack import *

ANSWERS = {
    "none": b"",
    "an error": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "half of one": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{",
    "half of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{",
    "no list": b"HTTP/1.0 200 OK\r\n\r\n[{",
    "no HTTP": b"what?\r\n\r\n",
}
# Runs in the container: prints the status and the body for each path, with a store that answers so.
PROGRAM = """
import json, socket, sys, threading
import app
def answer(listener, words):
    while True:
        with listener.accept()[0] as s:
            s.recv(65536)
            s.sendall(words)
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=answer, args=(listener, bytes.fromhex(sys.argv[1])), daemon=True).start()
app.STORE = "http://127.0.0.1:%d" % listener.getsockname()[1]
said = [app.app.test_client().get(path) for path in sys.argv[2:]]
print(json.dumps([[s.status_code, s.get_data(as_text=True)] for s in said]))
"""


def test_a_store_that_fails_is_told_on_a_page():
    image = f"penstock-app:{TAG}"
    run("bash", "-c", '. docker/lib.sh; docker_build --file docker/demo/Dockerfile --target app --tag "$1" docker', "bash", image)
    for name, words in ANSWERS.items():
        said = json.loads(docker("run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", PROGRAM, words.hex(),
                                 "/", "/stored/", "/stored/x", "/api/stored", "/nowhere"))
        assert [status for status, _ in said] == [503, 503, 503, 503, 404], (name, said)
        assert all("The store does not answer" in body for _, body in said[:4]) and "Not here" in said[4][1], (name, said)
