# SPDX-License-Identifier: MIT
"""Flask, behind gunicorn."""
import json
import os
import signal
import sqlite3
import sys

from flask import Flask, abort, redirect, request
from markupsafe import escape

sys.path.append(os.path.join(os.path.dirname(__file__), "../verify"))
from penstock_signature import is_signed  # noqa: E402

KEYS = [os.environ["APP_KEY"].encode()]
USERS = {"alice-cookie": "alice"}
app = Flask(__name__)
with open(os.path.join(os.path.dirname(__file__), "../page.html"), encoding="utf-8") as f:
    PAGE = f.read()


def from_penstock(purpose):
    target = request.environ["RAW_URI"]
    said = request.headers.get("Penstock-Signature")
    if not is_signed(KEYS, purpose, request.method, target, request.headers.get("X-Request-Id", ""), request.get_data(), said):
        abort(403)


def database():
    return sqlite3.connect(os.environ["APP_DB"])


@app.post("/sign-in")
def sign_in():
    answer = redirect("/albums/7", 303)
    answer.set_cookie("session", "alice-cookie", httponly=True, samesite="Strict")
    return answer


@app.get("/albums/<album>")
def page(album):
    with database() as db:
        rows = db.execute("SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid").fetchall()
    return PAGE.replace("ROWS", "".join(f"<p><b>{escape(title)}</b> <i>{escape(name)}</i></p>" for title, name in rows))


@app.get("/uploads/authorize")
def authorize():
    from_penstock("authorize")
    user = USERS.get(request.cookies.get("session", ""))
    if user is None:
        return "log in first", 401, {"WWW-Authenticate": "Cookie"}
    return "", 204, {"Penstock-Grant-User": user}


@app.post("/albums/<album>")
def upload(album):
    from_penstock("form")
    title, photos = request.form["title"], [json.loads(photo) for photo in request.form.getlist("photo[]")]
    if title == "no":
        return "that title is taken", 422
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM void WHERE request = ?", (request.headers["X-Request-Id"],)).fetchone():
            return "that form has failed", 409
        db.execute("INSERT INTO album VALUES (?, ?, ?)", (request.headers["X-Request-Id"], USERS[request.cookies["session"]], title))
        db.executemany("INSERT INTO photo VALUES (?, 'photo[]', ?, ?, ?)", [(request.headers["X-Request-Id"], p["name"], p["target"], p["size"]) for p in photos])
    if title == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return redirect(f"/albums/{album}", 303)


@app.post("/uploads/failed")
def failed():
    from_penstock("failed")
    with database() as db:
        for table in ("album", "photo"):
            db.execute(f"DELETE FROM {table} WHERE request = ?", (request.headers["X-Request-Id"],))
        db.execute("INSERT OR IGNORE INTO void VALUES (?)", (request.headers["X-Request-Id"],))
    return "", 204


@app.post("/uploads/resolve")
def resolve():
    from_penstock("resolve")
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        found = db.execute("SELECT 1 FROM album WHERE request = ?", (request.headers["X-Request-Id"],)).fetchone()
        if not found:  # and it never will be known: the form may still be on its way to here
            db.execute("INSERT OR IGNORE INTO void VALUES (?)", (request.headers["X-Request-Id"],))
    return "", 204 if found else 404
