# SPDX-License-Identifier: MIT
"""The pages of what goes through HAProxy: what they tell to type is typed, and prints what they say, with each HAProxy."""
import page
from gw import *
from lib import *
from page import Page

PREFLIGHT = """for h in --http1.1 --http2-prior-knowledge; do curl -s $h -o answer -w '%{http_code} %header{access-control-allow-origin} ' \
-X OPTIONS -H 'Origin: https://app.example.org' -H 'Access-Control-Request-Method: POST' http://127.0.0.1:8080/upload; done"""


@contextlib.contextmanager
def found_first(program):
    """A folder with penstock and this HAProxy, where the page looks first."""
    binary = page.BINARY
    with tempfile.TemporaryDirectory() as at:
        os.symlink(binary, at + "/penstock")
        os.symlink(program, at + "/haproxy")
        page.BINARY = at + "/penstock"
        try:
            yield
        finally:
            page.BINARY = binary


def run(path, after=""):
    said = set()
    for program in haproxies().values():
        with found_first(program):
            said.add(Page(path).run(after))
    return said


def test_penstock_in_the_haproxy_that_you_have():
    assert run("docker/haproxy/README.md", "haproxy -v | grep -c version") == {"1\n"}


def test_authentication():
    """Also a large form, over both versions of HTTP, without a password and with a wrong one; nobody says who he is."""
    assert run("docker/recipes/authentication.md", """head -c 5000000 /dev/zero >big
for h in --http1.1 --http2-prior-knowledge; do for who in '' '-u anna:wrong' '-u anna:secret'; do
curl -s $h -H Expect: -o answer -w '%{http_code} ' -F file=@big -H 'X-User: eve' $who http://127.0.0.1:8080/upload; done; done; ls uploads""") == {
        "401 401 201 401 401 201 anna\n"}


def test_limits_for_each_client():
    """Seven in a minute, of which five may."""
    assert run("docker/recipes/per-client-limits.md") == {""}


def test_of_one_client_no_more_at_once():
    """Three slow ones, of which two may."""
    after = """python3 - <<'END'
import socket, time
head = b"POST /upload HTTP/1.1\\r\\nHost: a\\r\\nContent-Type: multipart/form-data; boundary=x\\r\\nContent-Length: 1000\\r\\n\\r\\n"
def begin():
    s = socket.create_connection(("127.0.0.1", 8080), 30)
    s.sendall(head + b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\n')
    return s
slow = []
for n in range(3):
    slow.append(begin())
    if n < 2:
        slow[-1].settimeout(0.5)
        try:
            print("early", slow[-1].recv(12))
        except TimeoutError:
            pass
    else:
        print(slow[-1].recv(12).decode())
END"""
    with open("docker/recipes/per-client-limits.md", encoding="utf-8") as f:
        text = f.read()
    with tempfile.NamedTemporaryFile("w", suffix=".md") as f:
        f.write(re.sub(r"for n in 1 2.*?```text.*?```", "```", text, flags=re.S))
        f.flush()
        said = run(f.name, after)
    assert said == {"HTTP/1.1 429\n"}, said


def test_cors():
    assert run("docker/recipes/cors.md", PREFLIGHT) == {"204 https://app.example.org 204 https://app.example.org "}
