#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gateway.py PENSTOCK [OUT] - writes haproxy.cfg, haproxy-native.cfg, haproxy-s3.cfg and penstock.spoe.conf of the demo into OUT
(this folder): what `PENSTOCK haproxy` writes for routes.yaml and routes-s3.yaml, with what a site around it needs. Run it when
one of them has changed; a test says when that was forgotten."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HEAD = """# The gateway of the demo, made by gateway.py: what `penstock haproxy` writes for ROUTES, and around it, marked
# "site", what leads everything else to the app and the store. $PENSTOCK and $AGENT say where penstock listens.
"""
FRONTEND = """# site: addresses of containers may change while HAProxy runs
resolvers docker
    nameserver engine 127.0.0.11:53
    hold valid 5s

frontend web
"""
PATHS = """    # site: these paths are not penstock's; the store is read here, and written by penstock alone
    acl is_site path / /gallery /gallery/sign-in /gallery/sign-out
    acl is_site path_beg /static/ /stored/ /files/ /photos/ /api/ /refused
    acl is_file path_beg /files/ /photos/
    http-request return status 405 hdr allow "GET, HEAD" if is_file !{ method GET HEAD }
    http-request set-var(txn.page) bool(true) if !is_site { url_param(then) page }
    http-request set-header Accept application/json if { var(txn.page) -m bool }
    # site: the filter, where it is inside, lets these through; a refusal becomes a page only if penstock states it
    http-request set-var(txn.upload.pass) bool(true) if is_site
    http-request set-var(txn.upload.pass) bool(true) if { var(txn.page) -m bool }
"""
BACKENDS = """    # site
    use_backend store if is_file
    use_backend app if is_site
    default_backend penstock
"""
PAGES = """    # site: a form that was posted without script (/upload?then=page) is answered with a page of the app, which the words of
    # a refusal go to, and not with penstock's own. Only status and headers change: a `return` here would cut off a client that is still sending.
    acl page var(txn.page) -m bool
    acl is_refusal status ge 400
    http-response set-header Location "/stored/%[unique-id]?new" if page { status 201 }
    http-response wait-for-body time 5s if page is_refusal
    http-response set-var(txn.title) res.body,json_query('$.title') if page is_refusal
    http-response set-var(txn.detail) res.body,json_query('$.detail') if page is_refusal
    http-response set-var(txn.field) res.body,json_query('$.field') if page is_refusal
    http-response set-var(txn.limit) res.body,json_query('$.limit') if page is_refusal
    http-response set-header Location "/refused?status=%[status]&title=%[var(txn.title),url_enc]&detail=%[var(txn.detail),url_enc]&field=%[var(txn.field),url_enc]&limit=%[var(txn.limit),url_enc]&request_id=%[unique-id]" if page is_refusal
    http-response set-status 303 reason "See Other" if page { res.hdr(location) -m found }
"""
TAIL = """
# site
backend app
    timeout server 60s
    server app app:8000 check inter 1s resolvers docker init-addr libc,none

backend store
    # What somebody uploaded is no part of this site.
    http-response set-header Content-Security-Policy sandbox
    http-response set-header X-Content-Type-Options nosniff
    timeout server 60s
"""
FOLDER = """    option httpchk GET /ready
    server store storage:9000 check inter 1s resolvers docker init-addr libc,none
"""
BUCKET = """    # S3 takes a path for a key of the bucket, and a query (?acl, ?uploads) for a question of another kind: none gets there.
    # Anybody on the store's network may read the bucket, so nothing is signed.
    http-request replace-pathq ^/(photos/[^?]*).* /uploads/\\1
    http-request replace-pathq ^/files/([^?]*).* /uploads/\\1
    http-request del-header Authorization
    option httpchk GET /uploads/?list-type=2&max-keys=1
    server store bucket:8333 check inter 1s resolvers docker init-addr libc,none
"""
# What is written -> the route file, further words of the command, which of its files, how the store is read.
FILES = {"haproxy.cfg": ("routes.yaml", [], "haproxy.cfg", FOLDER), "haproxy-native.cfg": ("routes.yaml", ["--native"], "haproxy.cfg", FOLDER),
         "haproxy-s3.cfg": ("routes-s3.yaml", [], "haproxy.cfg", BUCKET), "penstock.spoe.conf": ("routes.yaml", [], "penstock.spoe.conf", None)}


class Text:
    """A text in which every change must find its place."""

    def __init__(self, text):
        self.text = text

    def change(self, pattern, new, most=0):
        self.text, n = re.subn(pattern, new if callable(new) else lambda _: new, self.text, count=most, flags=re.M)
        if n == 0:
            sys.exit(f"gateway.py: `penstock haproxy` writes nothing like {pattern!r} any more")


def gateway(written, routes, store):
    """haproxy.cfg of the demo from the one that penstock writes for this route file."""
    text = Text(re.sub(r"\A# .*\n", HEAD.replace("ROUTES", routes), written, count=1))
    text.change(r"^frontend uploads\n", FRONTEND)
    text.change(r"^    # route upload\n", lambda m: PATHS + m.group())
    text.change(r"(?<=config ')/[^']*/(?=penstock\.spoe\.conf')|(?<=config ')/[^']*/(?=routes\.yaml')",
                lambda m: "/etc/haproxy/" if "spoe" in m.string[m.end():m.end() + 20] else "/etc/penstock/")
    text.change(r"^(    http-request (?:return|send-spoe-group|set-header X-Penstock-Refuse) .* if (?!is_file).*)$", lambda m: m.group(1) + " !is_site")
    text.change(r"^    default_backend penstock\n", BACKENDS)
    text.change(r"^(    server penstock )'[^']*'(.*\n)", lambda m: f'{m.group(1)}"${{PENSTOCK}}"{m.group(2)}{PAGES}')
    if "backend penstock-agent" in written:
        text.change(r"^(    server agent )'[^']*'", lambda m: m.group(1) + '"${AGENT}"')
    return text.text + TAIL + store


def question(written):
    """As it is written, but for the sum by which penstock knows its own files."""
    text = Text(written)
    text.change(r"; not edited: \w+$", "", 1)
    return text.text


def main():
    penstock, out = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else HERE
    for name, (routes, words, source, store) in FILES.items():
        with tempfile.TemporaryDirectory() as at:
            subprocess.run([penstock, "haproxy", *words, "--out", f"{at}/gw", "--listen", ":8080", f"{HERE}/{routes}"],
                           check=True, stdout=subprocess.DEVNULL)
            with open(f"{at}/gw/{source}", encoding="utf-8") as f:
                made = gateway(f.read(), routes, store) if store else question(f.read())
        with open(f"{out}/{name}", "w", encoding="utf-8") as f:
            f.write(made)


if __name__ == "__main__":
    main()
