# SPDX-License-Identifier: MIT
"""Chromium and Firefox show a page of another origin: it uploads, and reads why it was refused; straight and through HAProxy."""
import http.server
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compose"))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compose/clients"))

from browser import Browser  # noqa: E402
from firefox import Firefox  # noqa: E402
from gw import *  # noqa: E402
from lib import *  # noqa: E402

ROUTES = """destinations:
  files: {{ type: directory, path: "{{dir}}/out" }}
routes:
  - {{ id: page, match: {{ path: /page, method: [POST, PUT] }}, cors: {{ origins: "http://127.0.0.1:{page}", credentials: true }}, limits: {{ body: 300000 }},
      fields: [ {{ name: file, max_size: 100000, store: {{ to: files, key: "{{uuid}}" }} }} ] }}
  - {{ id: any, match: {{ path: /any }}, cors: {{ origins: "*" }}, fields: [ {{ name: file, store: {{ to: files, key: "{{uuid}}" }} }} ] }}
  - {{ id: none, match: {{ path: /none }}, fields: [ {{ name: file, store: {{ to: files, key: "{{uuid}}" }} }} ] }}
"""
# What became of it is the title of the page: both drivers see that.
SEND = """document.title = "sent";
const [url, method, field, size, headers, credentials] = arguments, form = new FormData();
form.append(field, new Blob(["x".repeat(size)]), "f.txt");
fetch(url, { method: method, body: form, headers: headers, credentials: credentials }).then(async (answer) => {
    document.title = JSON.stringify({ status: answer.status, id: answer.headers.get("x-request-id"), told: await answer.json() });
}, () => { document.title = JSON.stringify({ status: 0 }); });"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>a page</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def pages():
    """The ports of two that serve a page, so of two origins."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_address[1] for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def upload(browser, port, path, method="POST", field="file", size=5, headers=None, credentials="omit"):
    browser.run(SEND, f"http://127.0.0.1:{port}{path}", method, field, size, headers or {}, credentials)
    title = wait_for(lambda: browser.run("return document.title") not in ("sent", "a page") and browser.run("return document.title"), "the page has an answer")
    return json.loads(title)


def stored(told):
    return told["status"] == 201 and told["id"] == told["told"]["request_id"] and told["told"]["parts"][0]["size"] == 5


def refused(told, status, kind):
    return told["status"] == told["told"]["status"] == status and told["told"]["type"].endswith(":" + kind) and told["id"] == told["told"]["request_id"]


def check_page(browser, port):
    for method, how in (("POST", {}), ("PUT", {}), ("POST", {"headers": {"X-Requested-With": "XMLHttpRequest"}}), ("POST", {"credentials": "include"})):
        told = upload(browser, port, "/page", method, **how)
        assert stored(told), (method, how, told)
    assert stored(upload(browser, port, "/any", headers={"Cache-Control": "no-cache"}))
    for size, field, status, kind in ((5, "other", 422, "rule"), (100_001, "file", 413, "too-large"), (299_000, "file", 413, "too-large"), (400_000, "file", 413, "too-large")):
        for method in ("POST", "PUT"):
            told = upload(browser, port, "/page", method, field, size)
            assert refused(told, status, kind), (size, field, method, told)
    # what a page may not do
    for path, how in (("/page", {"method": "DELETE"}), ("/page", {"headers": {"X-Other": "1"}}), ("/any", {"credentials": "include"}), ("/none", {}),
                      ("/none", {"headers": {"X-Requested-With": "x"}})):
        assert upload(browser, port, path, **how) == {"status": 0}, (path, how)


def check_other(browser, port):
    """The other origin may not read, and may not send what no form could have sent."""
    assert upload(browser, port, "/page") == {"status": 0}
    assert upload(browser, port, "/page", "PUT") == {"status": 0}
    assert stored(upload(browser, port, "/any"))


def try_browser(start):
    with pages() as (page, other), Penstock(ROUTES.format(page=page), head=AGENT) as p, Gateway(p) as g, start() as browser:
        for port in (p.port, g.port):
            browser.go(f"http://127.0.0.1:{page}/")
            check_page(browser, port)
            browser.go(f"http://127.0.0.1:{other}/")
            check_other(browser, port)
        wait_for(lambda: [r["method"] for r in p.requests()].count("OPTIONS") >= 6, "all are in the log")
        assert "DELETE" not in [r["method"] for r in p.requests()], p.requests()


def test_chromium():
    try_browser(Browser)


def test_firefox():
    try_browser(Firefox)
