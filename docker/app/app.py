# SPDX-License-Identifier: MIT
"""The demo's app: a page to upload from, and what the store holds, seen by a program that never saw an upload."""
import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from email.utils import parsedate_to_datetime

from flask import Flask, Response, abort, jsonify, render_template, request

STORE = os.environ.get("STORE", "http://storage:9000")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
app = Flask(__name__)


class StoreIsGone(Exception):
    """It does not answer, or not to the end, or not with a list."""


def listing(path):
    """What the store has below /index/path: a list, empty if it has nothing of that name."""
    try:
        with urllib.request.urlopen(f"{STORE}/index/{path}", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        if e.code == 404:
            return []
        raise StoreIsGone from e
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise StoreIsGone from e


def forms(most):
    """The last forms that were stored, the newest first, each with its parts."""
    found = [{"id": e["name"], "when": when(e)} for e in listing("") if e["type"] == "directory"]
    newest = sorted(found, key=lambda form: form["when"], reverse=True)[:most]
    return [{**form, "parts": parts(form["id"])} for form in newest]


def when(entry):
    """The store says `Tue, 24 Nov 2026 15:00:00 GMT`."""
    return parsedate_to_datetime(entry["mtime"])


def parts(form):
    """The objects of one form, by number: names are `NUMBER-REST`."""
    found = []
    for entry in listing(urllib.parse.quote(form) + "/"):
        number, _, name = entry["name"].partition("-")
        found.append({"number": int(number) if number.isdigit() else 0, "name": name, "size": entry.get("size", 0),
                      "url": f"/files/{urllib.parse.quote(form)}/{urllib.parse.quote(entry['name'])}"})
    return sorted(found, key=lambda part: part["number"])


@app.template_filter("bytes")
def as_bytes(n):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024


@app.after_request
def guard(response: Response):
    response.headers["Content-Security-Policy"] = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                                   "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@app.get("/")
def page():
    return render_template("upload.html", forms=forms(5))


@app.get("/stored/")
def stored():
    return render_template("stored.html", forms=forms(50))


@app.get("/stored/<form>")
def stored_form(form):
    found = parts(form) if NAME.fullmatch(form) else []
    if not found:
        abort(404)
    return render_template("form.html", form=form, parts=found, fresh="new" in request.args)


@app.get("/api/stored")
def api():
    return jsonify([{"id": form["id"], "when": form["when"].isoformat(), "parts": form["parts"]} for form in forms(50)])


@app.get("/refused")
def refused():
    """Where the gateway sends a browser without script whose form was refused; a problem's words come in the query."""
    words = {key: request.args.get(key, "")[:400] for key in ("status", "title", "detail", "field", "limit", "request_id")}
    return render_template("refused.html", problem=words), int(words["status"]) if re.fullmatch("[45][0-9][0-9]", words["status"]) else 400


@app.errorhandler(404)
def not_found(_):
    return render_template("missing.html"), 404


@app.errorhandler(StoreIsGone)
def store_is_gone(_):
    return render_template("missing.html", store=True), 503
