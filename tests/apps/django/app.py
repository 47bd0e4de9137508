# SPDX-License-Identifier: MIT
"""Django, behind gunicorn."""
import json
import os
import signal
import sqlite3
import sys

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import escape

sys.path.append(os.path.join(os.path.dirname(__file__), "../verify"))
from penstock_signature import is_signed  # noqa: E402

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of the test alone", DATA_UPLOAD_MAX_NUMBER_FIELDS=5000)
KEYS = [os.environ["APP_KEY"].encode()]
USERS = {"alice-cookie": "alice"}
with open(os.path.join(os.path.dirname(__file__), "../page.html"), encoding="utf-8") as f:
    PAGE = f.read()


def from_penstock(request, purpose):
    target, said = request.META["RAW_URI"], request.headers.get("Penstock-Signature")
    if not is_signed(KEYS, purpose, request.method, target, request.headers.get("X-Request-Id", ""), request.body, said):
        raise PermissionDenied
    return request.headers["X-Request-Id"]


def database():
    return sqlite3.connect(os.environ["APP_DB"])


def see_other(target):
    answer = HttpResponseRedirect(target)
    answer.status_code = 303
    return answer


def sign_in(request):
    answer = see_other("/albums/7")
    answer.set_cookie("session", "alice-cookie", httponly=True, samesite="Strict")
    return answer


def page():
    with database() as db:
        rows = db.execute("SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid").fetchall()
    return HttpResponse(PAGE.replace("ROWS", "".join(f"<p><b>{escape(title)}</b> <i>{escape(name)}</i></p>" for title, name in rows)))


def authorize(request):
    from_penstock(request, "authorize")
    user = USERS.get(request.COOKIES.get("session", ""))
    answer = HttpResponse(status=204) if user else HttpResponse("log in first", status=401)
    answer["Penstock-Grant-User" if user else "WWW-Authenticate"] = user or "Cookie"
    return answer


def upload(request, album):
    if request.method == "GET":
        return page()
    id = from_penstock(request, "form")
    title, photos = request.POST["title"], [json.loads(photo) for photo in request.POST.getlist("photo[]")]
    if title == "no":
        return HttpResponse("that title is taken", status=422)
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM void WHERE request = ?", (id,)).fetchone():
            return HttpResponse("that form has failed", status=409)
        db.execute("INSERT INTO album VALUES (?, ?, ?)", (id, USERS[request.COOKIES["session"]], title))
        db.executemany("INSERT INTO photo VALUES (?, 'photo[]', ?, ?, ?)", [(id, p["name"], p["target"], p["size"]) for p in photos])
    if title == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return see_other(f"/albums/{album}")


def failed(request):
    id = from_penstock(request, "failed")
    with database() as db:
        for table in ("album", "photo"):
            db.execute(f"DELETE FROM {table} WHERE request = ?", (id,))
        db.execute("INSERT OR IGNORE INTO void VALUES (?)", (id,))
    return HttpResponse(status=204)


def resolve(request):
    id = from_penstock(request, "resolve")
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        found = db.execute("SELECT 1 FROM album WHERE request = ?", (id,)).fetchone()
        if not found:  # and it never will be known: the form may still be on its way to here
            db.execute("INSERT OR IGNORE INTO void VALUES (?)", (id,))
    return HttpResponse(status=204 if found else 404)


urlpatterns = [path("sign-in", sign_in), path("uploads/authorize", authorize), path("albums/<album>", upload), path("uploads/failed", failed),
               path("uploads/resolve", resolve)]
app = get_wsgi_application()
