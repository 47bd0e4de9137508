#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clients.py [--local] [NAME...] - see run.sh. One line for each client, the table of them all, the sum."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "../../e2e")]
import browsers  # noqa: E402
import form  # noqa: E402
import gateway  # noqa: E402
import programs  # noqa: E402
from lib import second_run, wait_for  # noqa: E402

README = os.path.join(HERE, "../README.md")
BEGIN, END = "<!-- clients:begin -->\n", "<!-- clients:end -->\n"


# -- what must hold after an upload ------------------------------------------------------------------------

def told_of(part):
    field = "file" if part.kind == "file" else part.name
    return {"field": field, "filename": part.filename, "size": part.size, "sha256": part.sha256}


def check_told(seen):
    """The client was told each part as it was sent; no more, no less."""
    if seen.told is None:
        return
    assert len(seen.told) == len(seen.sent), seen.told
    for part, told in zip(seen.sent, seen.told):
        wanted = told_of(part)
        if part.kind == "file":
            told = {**told, "field": told["field"].partition("[")[0]}
            if "type" in told:
                assert told["type"] == part.type, (told, part)
        got = {key: told[key] for key in wanted if key in told}
        assert len(got) >= 3 and got == {key: wanted[key] for key in got}, (told, part)


def check_stored(g, seen, before):
    """The store has these objects, whole, and no other is new."""
    new = {path: digest for path, digest in g.stored().items() if path not in before}
    wanted = {f"{seen.request_id}/{n}-{part.filename or part.name + '.txt'}": part.sha256 for n, part in enumerate(seen.sent, 1)}
    assert new == wanted, f"stored {new}\nwanted {wanted}"
    assert g.unfinished() == []


def check_logs(g, seen, http):
    """One line of HAProxy, one of penstock, one of the store for each part, all under the id that the client was told."""
    lines = g.lines_of(seen.request_id)
    posts = [line for line in lines["haproxy"] if '"POST ' in line]
    assert len(posts) == 1 and f' {http}"' in posts[0] and f" {seen.status} " in posts[0], lines["haproxy"]
    ours = [json.loads(line) for line in lines["penstock"] if '"msg":"request"' in line]
    assert len(ours) == 1 and ours[0]["status"] == 201 and ours[0]["parts"] == len(seen.sent), lines["penstock"]
    if "storage" in lines:
        puts = [line for line in lines["storage"] if " PUT /files/" in line and " 201 " in line]
        assert len(puts) == len(seen.sent), lines["storage"]


def check_refused(g, client, parts, folder, before):
    """It is refused for what the client does wrong, and nothing of it is kept."""
    def refusals():
        lines = (json.loads(line) for line in g.logs("penstock").splitlines() if '"msg":"request"' in line)
        return [line["id"] for line in lines if client.refusal in line.get("why", "")]
    old = refusals()
    try:
        seen = client.upload(g, parts, folder)
    except AssertionError:
        wait_for(lambda: len(refusals()) == len(old) + 1, f"penstock logs {client.refusal!r}")
        assert g.stored() == before and g.unfinished() == []
        return
    raise AssertionError(f"was taken: {client.name} does right what it did wrong ({client.refusal}): {seen}")


# -- one client --------------------------------------------------------------------------------------------

def missing(g, client):
    for word in (*client.needs, client.version_of[0]):
        if not os.path.exists(word) and shutil.which(word) is None:
            return f"{os.path.basename(word)} IS NOT HERE"
    if not version_of(client):
        return "IT DOES NOT START, OR IS NOT INSTALLED"
    return "NO PAGE WITHOUT DOCKER" if client.needs_page and not g.has_page else None


def version_of(client):
    done = subprocess.run(client.version_of, env={**os.environ, **client.env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    found = re.search(r"\d+(\.\d+)+[^\s,;)\"+-]*", done.stdout.decode(errors="replace"))
    return found.group() if found and done.returncode == 0 else None


def attempt(g, client, parts, folder):
    """(ok|FAIL|skip, what there is to say)"""
    why = missing(g, client)
    if why:
        return "skip", why
    before = g.stored()
    try:
        if client.refusal:
            check_refused(g, client, parts, folder, before)
            return "ok", f"refused: {client.refusal}"
        seen = client.upload(g, parts, folder)
        check_told(seen)
        check_stored(g, seen, before)
        check_logs(g, seen, client.http)
        g.forget(seen.request_id)
        return "ok", ""
    except Exception:
        last = "".join(f"-- {s}\n" + "\n".join(g.logs(s).splitlines()[-3:]) + "\n" for s in g.services)
        return "FAIL", "\n" + traceback.format_exc(limit=6)[-6000:] + last


# -- the table ---------------------------------------------------------------------------------------------

def row_of(client, verdict, why, seconds):
    result = {"ok": why or "stored", "FAIL": "FAILED", "skip": why.lower()}[verdict]
    took = f"{seconds:.1f}" if verdict == "ok" else ""
    version = (version_of(client) if verdict != "skip" else None) or "-"
    return f"| {client.name} | {version} | {client.http.removesuffix('.0')}{' over TLS' if client.tls else ''} | {result} | {took} |"


def show_table(rows):
    table = "| client | version | protocol | result | seconds |\n|---|---|---|---|---|\n" + "".join(row + "\n" for row in rows)
    print("\n" + table)
    if os.environ.get("PENSTOCK_WRITE"):
        with open(README, encoding="utf-8") as f:
            text = f.read()
        begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        with open(README, "w", encoding="utf-8") as f:
            f.write(text[:begin] + table + text[end:])


def run(g, client, parts, folder):
    """(verdict, what there is to say, the client's row)"""
    began = time.monotonic()
    verdict, why = attempt(g, client, parts, folder)
    seconds = time.monotonic() - began
    print(f"{verdict} {client.name}, {client.http} ({seconds:.1f} s){': ' if why else ''}{why}", flush=True)
    return verdict, why, row_of(client, verdict, why, seconds)


def main(arguments):
    names = [word.lower() for word in arguments if not word.startswith("--")]
    chosen = [c for c in programs.PROGRAMS + browsers.BROWSERS if not names or any(name in c.name.lower() for name in names)]
    with (gateway.Local if "--local" in arguments else gateway.Docker)() as g, tempfile.TemporaryDirectory() as folder:
        parts = form.write_form(folder)
        results = [run(g, client, parts, folder) for client in chosen]
        if second_run(why for verdict, why, _ in results if verdict == "FAIL"):
            for n, client in enumerate(chosen):
                if results[n][0] == "FAIL":
                    results[n] = run(g, client, parts, folder)
                    if results[n][0] == "ok":
                        print(f"unsteady {client.name}, {client.http}", flush=True)
    show_table([row for _, _, row in results])
    passed, failed, skipped = ([verdict for verdict, _, _ in results].count(word) for word in ("ok", "FAIL", "skip"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
