# SPDX-License-Identifier: MIT
"""The demo's app: a page to upload from, what the store holds, seen by a program that never saw an upload, and a gallery."""
import os
import re

from flask import Flask, Response, abort, jsonify, render_template, request

import gallery
import store

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
app = Flask(__name__)
app.store = store.of(os.environ)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024  # no file ever comes here
app.register_blueprint(gallery.pages)
app.register_blueprint(gallery.hear)


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
    return render_template("upload.html", forms=app.store.forms(5))


@app.get("/stored/")
def stored():
    return render_template("stored.html", forms=app.store.forms(50))


@app.get("/stored/<form>")
def stored_form(form):
    found = app.store.parts(form) if NAME.fullmatch(form) else []
    if not found:
        abort(404)
    return render_template("form.html", form=form, parts=found, fresh="new" in request.args)


@app.get("/api/stored")
def api():
    return jsonify([{"id": form["id"], "when": form["when"].isoformat(), "parts": form["parts"]} for form in app.store.forms(50)])


@app.get("/refused")
def refused():
    """Where the gateway sends a browser without script whose form was refused; a problem's words come in the query."""
    words = {key: request.args.get(key, "")[:400] for key in ("status", "title", "detail", "field", "limit", "request_id")}
    return render_template("refused.html", problem=words), int(words["status"]) if re.fullmatch("[45][0-9][0-9]", words["status"]) else 400


@app.errorhandler(404)
def not_found(_):
    return render_template("missing.html"), 404


@app.errorhandler(store.StoreIsGone)
def store_is_gone(_):
    return render_template("missing.html", store=True), 503
