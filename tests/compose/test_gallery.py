# SPDX-License-Identifier: MIT
"""The gallery of docker/: in Chromium, and with the app or penstock killed while a form is between them. Whenever it is quiet
again, the rows of the app and the pictures in the store are the same."""
import threading

import lib
from browser import Browser
from gallery import *

SHOTS = os.path.join(os.environ.get("BUILD_ROOT", os.path.join(ROOT, "build")), "page")


def test_the_gallery():
    with Stack("penstock-test-gallery", env={"COMPOSE_MORE": f"{ROOT}/tests/compose/slow_app.yaml"}) as stack:
        check_gallery(stack)
        check_signatures(stack)
        check_app_killed(stack)
        check_penstock_killed(stack)
        check_in_chromium(stack)


def check_signatures(stack):
    """Who reaches the app without penstock is refused there, too."""
    before = rows(stack)
    program = """
import urllib.error, urllib.request
for path in ("form", "failed", "resolve", "authorize"):
    head = {"X-Request-Id": "x", "Penstock-Signature": "t=1,p=%s,v1=00" % path}
    try:
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8000/penstock/" + path, headers=head, data=b"title=x" if path != "authorize" else None))
    except urllib.error.HTTPError as e:
        print(e.code)
"""
    assert docker("exec", stack.container("app"), "python3", "-c", program).split() == ["403"] * 4
    assert rows(stack) == before


class Posting:
    """A form that is posted meanwhile. `rows()` of its title, or its pictures, say how far it is."""

    def __init__(self, stack, title, who, data):
        self.answer = None
        self.thread = threading.Thread(target=self.post, args=(stack, title, who, data))
        self.thread.start()

    def post(self, *arguments):
        stack, title, who, data = arguments
        self.answer = post(stack, title, data, more=who)

    def end(self):
        self.thread.join(DEADLINE)
        return self.answer


def has(stack, title):
    return any(row[0] == title for row in rows(stack))


def check_app_killed(stack):
    """Its row is there, its answer never comes: the pictures go at once, and the row when it is told that the form failed."""
    before, who = agreed(stack), sign_in(stack, "bob")
    posting = Posting(stack, "wait after", who, picture(100, 3))
    wait_for(lambda: has(stack, "wait after"), "the row is written")
    assert len(stack.pictures()) == len(before) + 1
    docker("kill", stack.container("app"))
    answer = posting.end()
    assert answer is not None and answer.status == 502, answer and answer.body
    wait_for(lambda: len(stack.pictures()) == len(before), "the picture is taken back")
    docker("start", stack.container("app"))
    wait_for(lambda: stack.curl(path="/gallery").status == 200, "the app answers again")
    wait_for(lambda: agreed(stack) == before, "the app is told that the form failed")
    wait_for(lambda: post(stack, "after the app was killed", picture(10, 4), more=who).status == 303, "uploads again")
    assert [row[0] for row in agreed(stack)[len(before):]] == ["after the app was killed"]


def check_penstock_killed(stack):
    """Then the app decides when penstock is back: what it has a row of stands, the other is taken back, and refused when it
    comes to the app's code too late."""
    before, who = agreed(stack), sign_in(stack, "bob")
    postings = [Posting(stack, f"wait {when}", who, picture(100, len(when))) for when in ("after", "before")]
    wait_for(lambda: has(stack, "wait after") and len(stack.pictures()) == len(before) + 2, "both are with the app")
    docker("kill", stack.container("penstock"))
    assert all(posting.end().status == 502 for posting in postings)
    docker("start", stack.container("penstock"))
    wait_for(lambda: [row[:2] for row in agreed(stack) or before][len(before):] == [("wait after", "bob")], "the app has decided")
    docker("exec", stack.container("app"), "touch", "/tmp/go")
    wait_for(lambda: "/penstock/form 409" in stack.logs("app"), "the late one is refused")
    wait_for(lambda: post(stack, "after penstock was killed", picture(10, 5), more=who).status == 303, "uploads again")
    assert [row[0] for row in agreed(stack)[len(before):]] == ["wait after", "after penstock was killed"]


def check_in_chromium(stack):
    before = agreed(stack)
    with tempfile.TemporaryDirectory() as at, Browser() as browser:
        for side in (60, 90):
            with open(f"{at}/{side}.png", "wb") as f:
                f.write(picture(side, side))
        browser.go(stack.url("/gallery"))
        browser.type("#name", "carol")
        browser.click("#sign-in")
        wait_for(lambda: "You are carol." in browser.text("main"), "it is signed in")
        upload(browser, "Summer", f"{at}/60.png\n{at}/90.png")
        wait_for(lambda: "Summer by carol" in browser.text("main"), "the gallery shows the form")
        shown = "return [...document.querySelectorAll('.photos:first-of-type img')].map((i) => i.complete && i.naturalWidth)"
        wait_for(lambda: browser.run(shown) == [60, 90], "the pictures are shown")
        shot(browser, "gallery")
        known = agreed(stack)
        assert known[:len(before)] == before and [row[:2] for row in known[len(before):]] == [("Summer", "carol")] * 2, known
        upload(browser, " ", f"{at}/60.png")
        wait_for(lambda: "The title is empty" in browser.text("main"), "the app's refusal is shown")
        shot(browser, "gallery-refused")
        browser.go(stack.url("/gallery"))
        browser.devtools("Network.clearBrowserCookies")
        upload(browser, "Winter", f"{at}/60.png")
        wait_for(lambda: "Sign in first." in browser.text("main"), "who has no cookie is told so")
    assert agreed(stack) == known


def upload(browser, title, paths):
    browser.type("#title", title)
    browser.type("#photo", paths)
    browser.click("#send")


def shot(browser, name):
    os.makedirs(SHOTS, exist_ok=True)
    browser.screenshot(f"{SHOTS}/{name}.png")
