# SPDX-License-Identifier: MIT
"""No framework: names are taken as they are sent, as Go's net/http does, and whatever is malformed is refused."""
import html
import http.server
import json
import os
import signal
import sqlite3
import sys
import urllib.parse

sys.path.append(os.path.join(os.path.dirname(__file__), "../verify"))
from penstock_signature import is_signed  # noqa: E402

KEYS = [os.environ["APP_KEY"].encode()]
USERS = {"session=alice-cookie": "alice"}
with open(os.path.join(os.path.dirname(__file__), "../page.html"), encoding="utf-8") as f:
    PAGE = f.read()
PURPOSES = {"/uploads/authorize": "authorize", "/uploads/failed": "failed", "/uploads/resolve": "resolve"}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def finish_with(self, status, *lines, text=b""):
        self.send_response(status)
        for name, value in (*lines, ("Content-Length", len(text))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def see(self, db):
        rows = db.execute("SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid").fetchall()
        text = "".join(f"<p><b>{html.escape(title)}</b> <i>{html.escape(name)}</i></p>" for title, name in rows)
        return self.finish_with(200, ("Content-Type", "text/html"), text=PAGE.replace("ROWS", text).encode())

    def do_GET(self):
        if self.path == "/sign-in":
            return self.finish_with(303, ("Location", "/albums/7"), ("Set-Cookie", "session=alice-cookie; HttpOnly; SameSite=Strict"))
        if self.command == "GET" and self.path not in PURPOSES:
            with sqlite3.connect(os.environ["APP_DB"]) as db:
                return self.see(db)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        purpose, id = PURPOSES.get(self.path, "form"), self.headers.get("X-Request-Id", "")
        if not is_signed(KEYS, purpose, self.command, self.path, id, body, self.headers.get("Penstock-Signature")):
            return self.finish_with(403)
        with sqlite3.connect(os.environ["APP_DB"]) as db:
            return getattr(self, purpose)(db, id, USERS.get(self.headers.get("Cookie", "")), body)

    do_POST = do_GET

    def authorize(self, db, id, user, body):
        if user is None:
            return self.finish_with(401, ("WWW-Authenticate", "Cookie"), text=b"log in first")
        return self.finish_with(204, ("Penstock-Grant-User", user))

    def form(self, db, id, user, body):
        fields = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
        (title,) = [value for name, value in fields if name == "title"]
        if title == "no":
            return self.finish_with(422, text=b"that title is taken")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM void WHERE request = ?", (id,)).fetchone():
            return self.finish_with(409, text=b"that form has failed")
        db.execute("INSERT INTO album VALUES (?, ?, ?)", (id, user, title))
        for photo in [json.loads(value) for name, value in fields if name == "photo[]"]:
            db.execute("INSERT INTO photo VALUES (?, 'photo[]', ?, ?, ?)", (id, photo["name"], photo["target"], photo["size"]))
        db.commit()
        if title == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.finish_with(303, ("Location", self.path))

    def failed(self, db, id, user, body):
        for table in ("album", "photo"):
            db.execute(f"DELETE FROM {table} WHERE request = ?", (id,))
        db.execute("INSERT OR IGNORE INTO void VALUES (?)", (id,))
        db.commit()
        return self.finish_with(204)

    def resolve(self, db, id, user, body):
        db.execute("BEGIN IMMEDIATE")
        found = db.execute("SELECT 1 FROM album WHERE request = ?", (id,)).fetchone()
        if not found:  # and it never will be known: the form may still be on its way to here
            db.execute("INSERT OR IGNORE INTO void VALUES (?)", (id,))
        db.commit()
        return self.finish_with(204 if found else 404)


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Handler).serve_forever()
