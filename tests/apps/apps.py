# SPDX-License-Identifier: MIT
"""The applications of this folder as processes: how each is started, and what it has written."""
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading

from lib import *

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "a key of the test, that serves nothing else"


def gunicorn(folder):
    return ["gunicorn", "--chdir", f"{HERE}/{folder}", "--bind", "127.0.0.1:{port}", "--workers", "1", "--threads", "8", "app:app"]


# NAME -> its command, and what has to be there beside the program
APPS = {
    "plain": ([sys.executable, f"{HERE}/plain/app.py"], None),
    "flask": (gunicorn("flask"), ["/usr/bin/python3", "-c", "import flask"]),
    "django": (gunicorn("django"), ["/usr/bin/python3", "-c", "import django"]),
    "php": (["php", "-d", "max_input_vars=5000", "-S", "127.0.0.1:{port}", f"{HERE}/php/index.php"], ["php", "-r", "exit(extension_loaded('pdo_sqlite') ? 0 : 1);"]),
    "rack": (["puma", "--quiet", "--bind", "tcp://127.0.0.1:{port}", "--threads", "1:8", f"{HERE}/rack/config.ru"], ["ruby", "-e", "require 'sinatra/base'; require 'sqlite3'"]),
    "express": (["node", f"{HERE}/express/app.js"], ["node", "-e", "require('express')"]),
}


def has(command):
    return command is None or subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()).returncode == 0


def environment(**more):
    return {**os.environ, "NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs", "RACK_ENV": "production", "PHP_CLI_SERVER_WORKERS": "4", **more}


class App:
    """One of APPS, with an empty database. It is started again when it has died, as a service manager would."""

    def __init__(self, name):
        self.command, needs = APPS[name]
        if shutil.which(self.command[0]) is None or not has(needs):
            raise Skip(f"what {name} needs is not here")
        if name == "express" and shutil.which("sqlite3") is None:
            raise Skip("sqlite3 is not here")
        self.port, self.dir = free_port(), tempfile.mkdtemp(prefix="penstock-app-")
        self.db = os.path.join(self.dir, "db")
        with self.database() as db, open(f"{HERE}/schema.sql", encoding="utf-8") as schema:
            db.executescript(schema.read())
        self.log = open(os.path.join(self.dir, "log"), "wb")  # noqa: SIM115
        self.ending = threading.Event()
        self.process = None
        self.keeper = threading.Thread(target=self.keep_running, daemon=True)
        self.keeper.start()
        wait_for(lambda: can_connect(self.port), f"{name} listens: {self.said()}")

    def start(self):
        command = [word.replace("{port}", str(self.port)) for word in self.command]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True,
                                        env=environment(APP_KEY=KEY, APP_DB=self.db, APP_PORT=str(self.port)))

    def keep_running(self):
        while not self.ending.is_set():
            self.start()
            self.process.wait()

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    @contextlib.contextmanager
    def database(self):
        db = sqlite3.connect(self.db, timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()

    def albums(self):
        """(owner, title) of each."""
        with self.database() as db:
            return sorted(db.execute("SELECT owner, title FROM album"))

    def photos(self):
        """target -> size; of photos whose album is there."""
        with self.database() as db:
            return dict(db.execute("SELECT target, size FROM photo JOIN album USING (request)"))

    def stop(self):
        self.ending.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.keeper.join()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
