# SPDX-License-Identifier: MIT
"""In which form an answer comes: JSON for programs, a page or another place for who sent a form from a browser."""
from lib import *

ROUTES = """
destinations: { files: { type: directory, path: "{dir}/out" } }
routes:
  - id: form
    match: { path: "/forms/*" }
    limits: { body: 1MiB }
    fields: [ { name: note, max_size: 1KiB, store: { to: files, key: "{path.1}/{uuid}" } } ]
    response: { redirect: "/thanks/{path.1}?upload={request_id}&q={query.q}" }
  - id: away
    match: { path: /away }
    fields: [ { name: note, drop: true } ]
    response: { redirect: "https://photos.example.org/?h={header.X-Page}" }
"""
BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
GOOD = form(part("note", b"hello"))


def test_a_form_is_sent_to_another_page():
    with Penstock(ROUTES) as p:
        answer = post(p.port, "/forms/a%2F..?q=%2F%2Fevil.example", GOOD, extra="X-Request-Id: id-7\r\n")
        where = answer.headers["location"]
        assert answer.status == 303 and answer.body == b"" and answer.headers["content-length"] == "0", answer.headers
        assert where.startswith("/thanks/") and where.count("/") == 2 and "upload=id-7&q=" in where and "//" not in where, where
        answer = post(p.port, "/away", GOOD, extra="X-Page: a/b c\r\n", chunk=100)
        assert answer.status == 303 and answer.headers["location"].startswith("https://photos.example.org/?h=a"), answer.headers
        assert answer.headers["location"].count("/") == 3, answer.headers
        assert len(p.files()) == 1, p.files()
        wait_for(lambda: [r["status"] for r in p.requests()] == [303, 303], "both are logged with their status")


def test_a_redirect_that_would_be_too_long_stores_nothing():
    with Penstock(ROUTES) as p:
        answer = post(p.port, "/forms/" + 700 * "x", GOOD)
        assert answer.status == 422 and "599 bytes" in answer.json()["detail"] and not p.files(), answer.body
        assert "location" not in answer.headers


def refusals(p, extra):
    """A head that is refused at once, a length that is too large while it is sent, a part in the middle, a form that is cut."""
    long_part = form(part("note", noise(600_000)))
    with connect(p.port) as s:
        s.sendall(head_of("/forms/a", 5 << 20, extra=extra) + noise(100_000))  # and goes on: the answer comes meanwhile
        early = read_answer(s)
    return [post(p.port, "/nope", b"abc", extra=extra), early, post(p.port, "/forms/a", long_part, extra=extra),
            post(p.port, "/forms/a", GOOD[:-10], extra=extra)]


def test_a_browser_is_told_of_a_refusal_by_a_page():
    with Penstock(ROUTES) as p:
        told, pages = refusals(p, ""), refusals(p, BROWSER)
        assert [a.status for a in told] == [404, 413, 413, 400], told
        for json_answer, page in zip(told, pages):
            assert page.status == json_answer.status and page.headers["content-type"] == "text/html; charset=utf-8", page.headers
            assert json_answer.headers["content-type"] == "application/problem+json"
            same = ("cache-control", "vary", "connection", "allow", "retry-after")
            assert [page.headers.get(k) for k in same] == [json_answer.headers.get(k) for k in same], (page.headers, json_answer.headers)
            assert page.headers["vary"] == "Accept"
            problem = json_answer.json()
            assert problem["detail"].replace('"', "&#34;").encode() in page.body and b"<script" not in page.body, (problem, page.body)
            assert page.headers["x-request-id"].encode() in page.body


def test_what_curl_and_fetch_send_gets_json():
    with Penstock(ROUTES) as p:
        for accept in ("*/*", "application/json, text/plain, */*", "application/json", "text/html;q=0.9, application/json", "text/html;q=0"):
            answer = post(p.port, "/nope", b"abc", extra=f"Accept: {accept}\r\n")
            assert answer.headers["content-type"] == "application/problem+json" and answer.headers["vary"] == "Accept", accept
        answer = post(p.port, "/nope", b"abc", extra="Accept: */*;q=0.1\r\nAccept: text/html\r\n")
        assert answer.headers["content-type"].startswith("text/html"), answer.headers
        output = subprocess.run(["curl", "-sS", "-F", "note=x", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", "X-Request-Id: id-8",
                                 f"http://127.0.0.1:{p.port}/forms/b"], stdout=subprocess.PIPE, timeout=DEADLINE, check=True).stdout.decode()
        assert output == f"303 http://127.0.0.1:{p.port}/thanks/b?upload=id-8&q=_", output


def test_explain_says_where_it_would_go():
    with tempfile.TemporaryDirectory() as at:
        with open(f"{at}/r.yaml", "w", encoding="utf-8") as f:
            f.write("version: 1" + ROUTES.replace("{dir}/out", "."))
        request = head_of("/forms/a?q=b", len(GOOD)) + GOOD
        done = subprocess.run([BINARY, "explain", f"{at}/r.yaml", "-"], input=request, stdout=subprocess.PIPE, timeout=DEADLINE, check=True)
        told = json.loads(done.stdout)
        assert told["status"] == 303 and told["location"] == "/thanks/a?upload={request_id}&q=b", told
