# SPDX-License-Identifier: MIT
"""Routes by header and query: which one takes a request, what is refused, and what `penstock explain` says of the others. The rows go
through HAProxy in tests/gateway/test_match.py, too."""
from agreement import disagreement, explain
from lib import *


def route(name, match, more=""):
    return f'  - {{ id: {name}, match: {{ {match} }}, {more}fields: [ {{ name: "*", store: {{ to: files, key: "{name}/{{uuid}}" }} }} ] }}\n'


ROUTES = 'destinations:\n  files: { type: directory, path: "{dir}/out" }\nroutes:\n' + "".join((
    route("acme", 'path: /u, header: { x-tenant: "acme-*" }'),
    route("list", 'path: /u, header: { x-tenant: "a, b" }'),
    route("photo", 'path: [/u, "/albums/*"], query: { kind: "ph*" }, method: [POST, PUT]', "limits: { body: 1KiB }, "),
    route("two", 'host: [test, other.example], path: /two, header: { X-A: a, x-b: "?" }, query: { k: "a b" }'),
    route("form", 'path: /typed, header: { content-type: "multipart/form-data*" }'),
    route("rest", 'path: ["/albums/**", /rest]'),
))
ROWS = (  # target, header lines, status, and the route or the kind of the refusal
    ("/u", "X-Tenant: acme-7\r\n", 201, "acme"),
    ("/u", "x-tenant:  acme-7 \t\r\n", 201, "acme"),
    ("/u", "X-Tenant: Acme-7\r\n", 404, "no-route"),
    ("/u", "X_Tenant: acme-7\r\n", 404, "no-route"),
    ("/u", "X-Tenant:\r\n", 404, "no-route"),
    ("/u", "", 404, "no-route"),
    ("/u", "X-Tenant: acme-7\r\nX-Tenant: acme-7\r\n", 400, "bad-request"),
    ("/u?kind=photo", "X-Tenant: acme-7\r\nx-tenant:\r\n", 400, "bad-request"),
    ("/u", "X-Tenant: acme-7, evil\r\n", 404, "no-route"),
    ("/u", "X-Tenant: a, b\r\n", 201, "list"),
    ("/u", f"X-Tenant: acme-{'x' * 250}\r\n", 201, "acme"),
    ("/u", f"X-Tenant: acme-{'x' * 251}\r\n", 404, "no-route"),
    ("/u?kind=photo", "", 201, "photo"),
    ("/u?kind=photo", "X-Tenant: acme-7\r\n", 201, "acme"),
    ("/u?k%69nd=%70hoto&a=b", "", 201, "photo"),
    ("/u?kind=ph+%26%3B", "", 201, "photo"),
    ("/u?kind=ph,oto", "", 404, "no-route"),
    ("/u?kind=", "", 404, "no-route"),
    ("/u?Kind=photo", "", 404, "no-route"),
    ("/u?kind[]=photo", "", 404, "no-route"),
    ("/u?kind=photo&kind=photo", "", 400, "bad-request"),
    ("/u?kind=photo&k%69nd", "", 400, "bad-request"),
    ("/u?kind=photo&+kind=film", "", 400, "bad-request"),
    ("/u?kind=photo&kind%5B%5D=film", "", 400, "bad-request"),
    ("/u?kind=photo&kinds=film&a[kind]=film", "", 201, "photo"),
    ("/u?a=1;kind=photo", "", 400, "bad-request"),
    ("/u?kind=ph%", "", 400, "bad-request"),
    ("/u?kind=ph%00", "", 400, "bad-request"),
    (f"/u?kind=photo&x={'x' * 2034}", "", 201, "photo"),
    (f"/u?kind=photo&x={'x' * 2035}", "", 400, "bad-request"),
    (f"/u?x={'x' * 2028}&kind=photo&kind", "", 400, "bad-request"),
    ("/albums/1?kind=photo", "", 201, "photo"),
    ("/albums/1?kind=film", "", 201, "rest"),
    ("/albums/1?kind=film&kind=photo", "", 400, "bad-request"),
    ("/albums/1/2?kind=film&kind=photo", "", 201, "rest"),
    ("/rest?kind=photo&kind=photo;", "X-A: 1\r\nX-A: 2\r\n", 201, "rest"),
    ("/two?k=a+b", "x-a: a\r\nX-B: b\r\n", 201, "two"),
    ("/two?k=a%20b", "x-a: a\r\nX-B: bb\r\n", 404, "no-route"),
    ("/two?k=a%2Bb", "x-a: a\r\nX-B: b\r\n", 404, "no-route"),
    ("/typed", "", 201, "form"),
)
BODY = form(part("a", b"1"))


def told_by(answer):
    told = answer.json()
    return answer.status, told["route"] if answer.status == 201 else told["type"].rpartition(":")[2]


def wrong_rows(port):
    """Of each row that is answered otherwise, what was said; "": none is."""
    wrong = []
    for target, lines, *want in ROWS:
        got = told_by(post(port, target, BODY, extra=lines))
        if got != tuple(want):
            wrong.append(f"{target[:60]} {lines!r:.60}: {got}, not {want}")
    return "\n".join(wrong)


def test_each_row_is_taken_or_refused_and_explained_alike():
    with Penstock(ROUTES) as p:
        assert not wrong_rows(p.port), wrong_rows(p.port)
        for target, lines, _, _ in ROWS:
            why = disagreement(explain(p, head_of(target, len(BODY), extra=lines) + BODY), post(p.port, target, BODY, extra=lines))
            assert not why, f"{target} {lines!r}: {why}"


def test_another_method_is_405_where_all_else_fits_and_404_where_it_does_not():
    with Penstock(ROUTES) as p:
        answer = post(p.port, "/u?kind=photo", BODY, method="PATCH")
        assert answer.status == 405 and answer.headers["allow"] == "POST, PUT", answer
        answer = post(p.port, "/u?kind=photo", BODY, method="PATCH", extra="X-Tenant: acme-1\r\n")
        assert answer.status == 405 and answer.headers["allow"] == "POST, PUT", answer
        assert post(p.port, "/u?kind=film", BODY, method="PATCH").status == 404


def misses(p, target, extra="", method="POST"):
    told = explain(p, head_of(target, len(BODY), extra=extra, method=method) + BODY)
    return [(route["id"], route["misses"]) for route in told["routes"]]


def test_explain_names_what_does_not_fit_first():
    with Penstock(ROUTES) as p:
        assert misses(p, "/u?kind=photo") == [("acme", "header x-tenant"), ("list", "header x-tenant"), ("photo", None)]
        assert misses(p, "/two?k=a", "x-a: a\r\nx-b: b\r\n", "PATCH") == [
            ("acme", "path"), ("list", "path"), ("photo", "path"), ("two", "query k"), ("form", "path"), ("rest", "path")]
        assert misses(p, "/rest", method="PUT")[-1] == ("rest", "method")
        assert misses(p, "/u", "x-tenant: acme-1\r\nx-tenant: b\r\n") == [("acme", "more than one header x-tenant, by which a route is chosen")]
        assert misses(p, "/..") == []
        request = os.path.join(p.dir, "request")
        with open(request, "wb") as f:
            f.write(head_of("/rest", len(BODY)) + BODY)
        told = subprocess.run([BINARY, "explain", "--human", p.file, request], capture_output=True, text=True, check=True).stdout
        assert "status 201  route rest\nnot acme: path\n" in told and "not rest" not in told, told
        with open(request, "wb") as f:
            f.write(head_of("/rest", len(BODY)).replace(b"Host: test", b"Host: other.example") + BODY)
        routes = subprocess.run([BINARY, "explain", p.file, request], capture_output=True, text=True, check=True).stdout
        assert '{"id":"two","misses":"path"}' in routes, routes


def test_what_the_first_path_that_fits_took_names_the_objects():
    routes = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: a, match: { path: ["/a/*", "/*/b/*"] }, fields: [ { name: x, max_count: 1, store: { to: files, key: "{path.1}" } } ] }
"""
    with Penstock(routes) as p:
        for target, name in (("/a/one", "one"), ("/two/b/x", "two")):
            answer = post(p.port, target, form(part("x", b"1")))
            assert answer.status == 201 and answer.json()["parts"][0]["target"] == name, answer.json()
