# SPDX-License-Identifier: MIT
"""Configuration of gunicorn that test_gallery.py gives to the demo's app: a form whose title is `wait before` waits before the
app looks at it, one with `wait after` when its row is written and nothing is answered yet; both until /tmp/go is there."""
import os
import time


def wait_for(title):
    from flask import request
    request.get_data()  # the app needs these bytes, too
    while request.path == "/penstock/form" and request.form.get("title") == title and not os.path.exists("/tmp/go"):
        time.sleep(0.05)


def answered(answer):
    wait_for("wait after")
    return answer


def post_worker_init(_):
    from app import app
    app.before_request(lambda: wait_for("wait before"))
    app.after_request(answered)
