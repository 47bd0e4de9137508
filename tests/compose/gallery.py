# SPDX-License-Identifier: MIT
"""The demo's gallery, as a visitor sees it and from behind: its rows in SQLite and the pictures in the store must be the same."""
import re
import struct
import zlib

import lib
from stack import *

ROWS = """
import json, sqlite3
db = sqlite3.connect("file:/var/lib/gallery/rows.db?mode=ro", uri=True)
print(json.dumps(db.execute("SELECT title, owner, target, size FROM form LEFT JOIN photo USING (request) ORDER BY form.rowid, photo.rowid").fetchall()))
"""


def picture(side, seed=1):
    """A PNG of noise, of a little more than 3 * side * side bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    noise = lib.noise(3 * side * side, seed)
    lines = b"".join(b"\0" + noise[3 * side * y:3 * side * (y + 1)] for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(lines, 0))
            + chunk(b"IEND", b""))


def sign_in(stack, name="alice"):
    """The arguments that make curl the one who has signed in."""
    answer = stack.curl("-d", f"name={name}", path="/gallery/sign-in")
    assert answer.status == 303 and answer.headers["location"] == "/gallery", answer.body
    cookie = re.match(r"gallery=[A-Za-z0-9_-]{43}; .*HttpOnly.*SameSite=Lax", answer.headers["set-cookie"]).group().split(";")[0]
    return ["-b", cookie]


def post(stack, title, *files, more=()):
    """Posts these bytes under a title; curl's further arguments say who does it."""
    with tempfile.TemporaryDirectory() as at:
        words = ["-F", f"title={title}"]
        for n, data in enumerate(files):
            with open(f"{at}/{n}.png", "wb") as f:
                f.write(data)
            words += ["-F", f"photo=@{at}/{n}.png"]
        return stack.curl(*words, *more, path="/gallery/photos")


def rows(stack):
    """(title, owner, path, size) of each picture that the app knows, the oldest first; path and size are None of a form without one."""
    return [tuple(row) for row in json.loads(docker("exec", stack.container("app"), "python3", "-c", ROWS))]


def agreed(stack):
    """The rows, if there is a picture for each, and none besides; else False."""
    known = rows(stack)
    return sorted(path or "" for _, _, path, _ in known) == sorted(stack.pictures()) and known


def check_gallery(stack):
    """In the gallery of any stack: who may, what is shown then, and what is refused leaves neither row nor file."""
    small, large = picture(20), picture(700, 7)
    page = stack.curl(path="/gallery")
    assert page.status == 200 and b"No photographs yet." in page.body and b"/gallery/photos" not in page.body
    check_stranger(stack, large)
    alice = sign_in(stack)
    answer = post(stack, "Two <b>pictures</b>", small, large, more=alice)
    assert (answer.status, answer.headers.get("location")) == (303, "/gallery"), answer.body
    known = agreed(stack)
    assert known and [(title, owner, size) for title, owner, _, size in known] == [("Two <b>pictures</b>", "alice", len(d)) for d in (small, large)], known
    page = stack.curl(*alice, path="/gallery").body.decode()
    assert "Two &lt;b&gt;pictures&lt;/b&gt;" in page and 'action="/gallery/photos"' in page
    assert re.findall(r'<img src="(/photos/[^"]+)"', page) == [path for _, _, path, _ in known], page
    for (_, _, path, _), data in zip(known, (small, large)):
        got = stack.curl(path=path)
        assert got.body == data and got.headers["content-type"] == "image/png" and path.startswith("/photos/alice/") and path.endswith(".png"), path
    check_refused(stack, large, alice)
    assert agreed(stack) == known
    assert stack.curl("-X", "DELETE", path=known[0][2]).status == 405


def check_stranger(stack, data):
    """Nobody who has not signed in; and nobody asks the app in penstock's place."""
    for more in ([], ["-b", "gallery=no-such-cookie"], ["-H", "Penstock-Grant-User: alice"], ["-H", "Expect: 100-continue"]):
        answer = post(stack, "x", data, more=more)
        assert answer.status == 401 and b"Sign in first." in answer.body, (more, answer.body)
    for path in ("authorize", "form", "failed", "resolve"):
        assert stack.curl("-d", "title=x", path=f"/penstock/{path}").status == 404, path
    assert agreed(stack) == [] and stack.unfinished() == []


def check_refused(stack, data, who):
    """By the app and by penstock, and a browser is told by a page."""
    for status, title, files, words in ((422, " ", [data], b"The title is empty"), (422, "x" * 201, [data], b"longer than 200"),
                                        (415, "x", [data, b"<svg></svg>"], b"image/svg+xml"), (422, "x", [], b"photo")):
        answer = post(stack, title, *files, more=[*who, "-H", "Accept: text/html"])
        assert answer.status == status and words in answer.body and answer.headers["content-type"].startswith("text/html"), (title, answer.body)
        wait_for(lambda: stack.unfinished() == [], "the store has dropped what was begun")
        assert agreed(stack), "a refused form left something"
