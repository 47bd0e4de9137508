# SPDX-License-Identifier: MIT
"""The gallery: photographs with a title, from whoever has signed in. penstock stores them, and asks here before and after;
what is kept here is a row of each form, in SQLite, so that after every answer and every crash rows and files are the same."""
import contextlib
import json
import os
import re
import secrets
import sqlite3

from flask import Blueprint, abort, make_response, redirect, render_template, request

from penstock_signature import is_signed

ROWS = os.environ.get("GALLERY_ROWS", "/var/lib/gallery/rows.db")
KEY = os.environ.get("GALLERY_KEY", "").encode()
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
LONGEST_TITLE = 200
SCHEMA = """
CREATE TABLE IF NOT EXISTS visitor (cookie TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS form (request TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS photo (request TEXT NOT NULL REFERENCES form ON DELETE CASCADE, target TEXT NOT NULL, name TEXT,
                                  size INTEGER NOT NULL);
-- Forms that do not stand, and never will: what tells of them may still be on its way.
CREATE TABLE IF NOT EXISTS void (request TEXT PRIMARY KEY);
"""
# `hear` is for penstock alone: the gateway leads nothing below /penstock to here, and each request is signed.
pages, hear = Blueprint("gallery", __name__), Blueprint("penstock", __name__)


@contextlib.contextmanager
def rows():
    """The database, for one `with`: all of that is written, or nothing. One at a time: the next waits, and does not fail."""
    with contextlib.closing(sqlite3.connect(ROWS, timeout=20, isolation_level=None)) as db:
        db.executescript(f"PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; {SCHEMA}")
        yield db
        db.execute("COMMIT")  # whoever does not come to here has written nothing


def visitor(db):
    """The name of who sends this, by the cookie; None of a stranger."""
    found = db.execute("SELECT name FROM visitor WHERE cookie = ?", (request.cookies.get("gallery", ""),)).fetchone()
    return found and found[0]


def refused(status, why):
    return render_template("gallery-refused.html", why=why), status


# -- for browsers ------------------------------------------------------------------------------------------------------

@pages.get("/gallery")
def gallery():
    with rows() as db:
        db.row_factory = sqlite3.Row
        forms = [{**form, "photos": db.execute("SELECT * FROM photo WHERE request = ? ORDER BY rowid", (form["request"],)).fetchall()}
                 for form in db.execute("SELECT * FROM form ORDER BY rowid DESC LIMIT 50").fetchall()]
        name = visitor(db)
    return render_template("gallery.html", forms=forms, name=name)


@pages.post("/gallery/sign-in")
def sign_in():
    """Any name is believed: this is a demo."""
    name = request.form.get("name", "").strip().lower()
    if not NAME.fullmatch(name):
        return refused(422, "A name is a letter, and up to 31 letters, digits or hyphens.")
    cookie = secrets.token_urlsafe(32)
    with rows() as db:
        db.execute("INSERT INTO visitor VALUES (?, ?)", (cookie, name))
    answer = make_response(redirect("/gallery", 303))
    answer.set_cookie("gallery", cookie, httponly=True, samesite="Lax")  # and secure=True behind TLS
    return answer


@pages.post("/gallery/sign-out")
def sign_out():
    with rows() as db:
        db.execute("DELETE FROM visitor WHERE cookie = ?", (request.cookies.get("gallery", ""),))
    answer = make_response(redirect("/gallery", 303))
    answer.delete_cookie("gallery")
    return answer


# -- for penstock ------------------------------------------------------------------------------------------------------

@hear.before_request
def from_penstock():
    """The handlers here are named for what a signature is for; that of another one is not good."""
    purpose = request.endpoint.rpartition(".")[2]
    if not is_signed([KEY] if KEY else [], purpose, request.method, request.environ["RAW_URI"], request.headers.get("X-Request-Id", ""),
                     request.get_data(), request.headers.get("Penstock-Signature")):
        abort(403)


def is_known(db, id):
    """A form with this id stands, or never will."""
    return db.execute("SELECT 1 FROM form WHERE request = :id UNION SELECT 1 FROM void WHERE request = :id", {"id": id}).fetchone() is not None


def make_void(db, id):
    db.execute("INSERT OR IGNORE INTO void VALUES (?)", (id,))


@hear.get("/penstock/authorize")
def authorize():
    """Before a byte of a form is taken."""
    with rows() as db:
        name = visitor(db)
    if name is None:
        return *refused(401, "Sign in first."), {"WWW-Authenticate": 'Cookie realm="gallery"'}
    return "", 204, {"Penstock-Grant-User": name}


@hear.post("/penstock/form")
def form():
    """The files are stored. Whatever is answered here but the redirect takes them back."""
    id, title = request.headers["X-Request-Id"], request.form["title"].strip()
    files = [json.loads(file) for file in request.form.getlist("photo")]
    if not 0 < len(title) <= LONGEST_TITLE:
        return refused(422, f"The title is empty, or longer than {LONGEST_TITLE} characters.")
    with rows() as db:
        name = visitor(db)
        if name is None or is_known(db, id):
            return refused(409, "You have signed out meanwhile, or it took too long.")
        db.execute("INSERT INTO form VALUES (?, ?, ?)", (id, name, title))
        db.executemany("INSERT INTO photo VALUES (?, ?, ?, ?)", [(id, file["target"], file["name"], file["size"]) for file in files])
    return redirect("/gallery", 303)


@hear.post("/penstock/failed")
def failed():
    """This form does not stand, whatever was said of it."""
    with rows() as db:
        db.execute("DELETE FROM form WHERE request = ?", (request.headers["X-Request-Id"],))
        make_void(db, request.headers["X-Request-Id"])
    return "", 204


@hear.post("/penstock/resolve")
def resolve():
    """penstock was killed before it had the answer: does this form stand? A no is for good."""
    with rows() as db:
        if db.execute("SELECT 1 FROM form WHERE request = ?", (request.headers["X-Request-Id"],)).fetchone():
            return "", 204
        make_void(db, request.headers["X-Request-Id"])
    return "", 404
