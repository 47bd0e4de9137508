# SPDX-License-Identifier: MIT
"""People in front of each application: curl, Chromium and Firefox sign in, send an album and go where the answer sends them. One
origin, as it is on a site: HAProxy gives POST of /albums to penstock, and the rest to the application."""
import atexit
import html
import re

from apps import *

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compose"))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compose/clients"))

from browser import Browser  # noqa: E402
from firefox import Firefox  # noqa: E402
from front import Haproxy  # noqa: E402
from test_apps import both, settled  # noqa: E402

TITLE = "Süd & <b>Nord</b>=100%+ 🎈\n\"zweite\" Zeile\n"
FILES = {"Größe & <1> 🎈.jpg": noise(70_000), "b.jpg": b""}
ROW = re.compile(r"<p><b>(.*?)</b> <i>(.*?)</i></p>", re.S)


@contextlib.contextmanager
def site(name):
    with both(name) as (app, p):
        split = f"    server app 127.0.0.1:{app.port} weight 0\n    acl is_album path_beg /albums/\n"
        split += "    use-server s1 if METH_POST is_album\n    use-server app unless METH_POST is_album"
        with Haproxy(f"127.0.0.1:{p.port}", backend=split) as h:
            yield app, p, f"http://127.0.0.1:{h.port}"


class Curl:
    """With a jar for cookies."""

    def __init__(self):
        if shutil.which("curl") is None:
            raise Skip("curl IS NOT INSTALLED")
        self.jar, self.page = tempfile.mkstemp(prefix="penstock-jar-")[1], ""
        atexit.register(os.unlink, self.jar)

    def ask(self, *words):
        done = subprocess.run(["curl", "-sS", "-L", "-b", self.jar, "-c", self.jar, "-H", "Accept: text/html", *words], capture_output=True, check=True)
        self.page = done.stdout.decode().replace("\r\n", "\n")

    def arrive(self, at):
        with open(self.jar, "w", encoding="ascii"):
            pass
        self.ask(at + "/albums/1")

    def sign_in(self, at):
        self.ask("-d", "", at + "/sign-in")

    def send(self, at, title, paths):
        files = [word for path in paths for word in ("-F", f"photo[]=@{path}")]
        self.ask("--form-string", "title=" + title.replace("\n", "\r\n"), *files, at + "/albums/7")

    def shown(self):
        return self.page


class Person:
    """At a browser, which stays open for the applications that follow."""

    def __init__(self, browser):
        self.browser = browser

    def arrive(self, at):
        self.browser.go(at + "/albums/1")
        self.browser.forget()

    def sign_in(self, at):
        self.browser.click("#sign-in button")
        wait_for(lambda: self.browser.url() == at + "/albums/7" and "<main>" in self.shown(), "the browser is sent on")

    def send(self, at, title, paths):
        self.browser.go(at + "/albums/7")
        self.browser.run("document.querySelector('[name=title]').value = arguments[0]", title)  # a driver types no emoji
        self.browser.type("[type=file]", "\n".join(paths))
        self.browser.click("#album button")

    def shown(self):
        with contextlib.suppress(AssertionError):  # between two pages
            return self.browser.run("return document.documentElement.outerHTML")
        return ""


OPEN = {}


def close_browsers():
    while OPEN:
        with contextlib.suppress(Exception):
            OPEN.popitem()[1].__exit__()


atexit.register(close_browsers)


def person(kind):
    if kind not in OPEN:
        OPEN[kind] = kind()
    return Person(OPEN[kind])


def sees(client, text):
    try:
        return wait_for(lambda: text in client.shown() and client.shown(), text)
    except AssertionError as e:
        raise AssertionError(f"{e}: {client.shown()[:2000]}") from None


def named_files(folder):
    paths = []
    for name, data in FILES.items():
        paths.append(f"{folder}/{name}")
        with open(paths[-1], "wb") as f:
            f.write(data)
    return paths


def is_refused(client, app, at, paths, large):
    client.arrive(at)
    client.send(at, TITLE, paths)
    sees(client, "log in first")
    client.arrive(at)
    client.sign_in(at)
    client.send(at, "no", paths)
    sees(client, "that title is taken")
    client.send(at, TITLE, [large])
    sees(client, "1048576")
    client.send(at, "die", paths)
    sees(client, "Bad Gateway")
    wait_for(lambda: all(title != "die" for _, title in app.albums()), "the application runs again, and has heard that the form failed")


def is_let_in(client, who, at, paths):
    client.send(at, TITLE + who, paths)
    rows = ROW.findall(sees(client, who + "</b>"))[-2:]
    assert [(html.unescape(a), html.unescape(b)) for a, b in rows] == [(TITLE + who, name) for name in FILES], rows


def comes_and_goes(start, who, app, at, folder):
    large = f"{folder}/large.jpg"
    with open(large, "wb") as f:
        f.write(bytes(1_048_577))
    try:
        client = start()
        is_refused(client, app, at, named_files(folder), large)
        is_let_in(client, who, at, named_files(folder))
    except AssertionError:
        close_browsers()
        raise


def is_used(name):
    missing, ways = [], {"curl": Curl, "Chromium": lambda: person(Browser), "Firefox": lambda: person(Firefox)}
    with site(name) as (app, p, at), tempfile.TemporaryDirectory() as folder:
        for who, start in ways.items():
            try:
                comes_and_goes(start, who, app, at, folder)
            except Skip as skip:
                missing.append((who, str(skip)))
            settled(app, p)
        there = [who for who in ways if who not in dict(missing)]
        assert app.albums() == sorted(("alice", (TITLE + who).replace("\n", "\r\n")) for who in there), app.albums()
        assert sorted(p.files().values()) == sorted(list(FILES.values()) * len(there))
    if missing:
        raise Skip("; ".join(why for _, why in missing))


def make_tests():
    for name in APPS:
        globals()[f"test_{name}_is_used_by_curl_and_browsers"] = lambda name=name: is_used(name)


make_tests()
