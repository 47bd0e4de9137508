# SPDX-License-Identifier: MIT
"""The demo's page in a real browser: chosen files, progress, the table of digests, refusals; and all that without script."""
import contextlib
import urllib.parse

import lib
from browser import Browser
from stack import *

SHOTS = os.path.join(os.environ.get("BUILD_ROOT", os.path.join(ROOT, "build")), "page")
WATCH = """window.told = []; new MutationObserver(() => told.push(document.getElementById('told').textContent))
           .observe(document.getElementById('told'), {childList: true, characterData: true, subtree: true})"""
NAMES = {"report.pdf": 2_500_000, "Größe \"x\" & <b>.bin": 9_000_000, "empty.txt": 0}


@contextlib.contextmanager
def files():
    """A folder of files: paths, one a line as a driver wants them, and what they hold."""
    with tempfile.TemporaryDirectory() as at:
        contents = {name: lib.noise(n, n) for name, n in NAMES.items()}
        for name, data in contents.items():
            with open(f"{at}/{name}", "wb") as f:
                f.write(data)
        yield "\n".join(f"{at}/{name}" for name in contents), contents


def shot(browser, name):
    os.makedirs(SHOTS, exist_ok=True)
    browser.screenshot(f"{SHOTS}/{name}.png")


def fill(browser, stack, paths):
    browser.go(stack.url("/"))
    browser.type("#title", "Holiday in June")
    browser.type("#note", "Two files, and an empty one")
    browser.type("#file", paths)


def test_the_page_in_chromium():
    with Stack("penstock-test-page") as stack:
        for check in (check_upload, check_refusal, check_lost_connection, check_without_script, check_keyboard, check_narrow):
            check(stack)


def check_upload(stack):
    with files() as (paths, contents), Browser() as browser:
        fill(browser, stack, paths)
        assert browser.run("return [...document.querySelectorAll('.chosen .name')].map((e) => e.textContent)") == list(contents)
        shot(browser, "chosen")
        browser.run(WATCH)
        browser.devtools("Network.enable")
        browser.devtools("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=8_000_000)
        browser.click("#send")
        wait_for(lambda: browser.run("return told.some((t) => /^[1-9][0-9]? %: /.test(t))"), "progress is shown")
        shot(browser, "progress")
        wait_for(lambda: browser.run("return document.querySelectorAll('td small.good').length") == len(contents), "the digests are compared")
        assert browser.text("#result-title") == "Stored"
        assert browser.run("return document.activeElement.id") == "result"
        assert browser.run("return told.at(-1)").startswith("All sent")
        rows = browser.run("return [...document.querySelectorAll('#result tbody tr')].map((tr) => [...tr.cells].map((td) => td.innerText))")
        links = browser.run("return [...document.querySelectorAll('#result tbody a')].map((a) => a.getAttribute('href'))")
        assert [r[1] for r in rows] == ["a value", "a value", *contents], rows
        for row, link, data in zip(rows[2:], links[2:], contents.values()):
            assert sha256(data) in row[3].split("\n")[0] and "✓" in row[3], row
            assert stack.curl(path=link).body == data, link
        assert len(links) == 5
        wait_for(lambda: "report.pdf" in browser.text("#forms"), "the list below shows the form")
        shot(browser, "stored")


def check_refusal(stack):
    before = stack.stored()
    with files() as (paths, _), Browser() as browser:
        fill(browser, stack, paths)
        browser.run("document.getElementById('file').name = 'attachment'")
        browser.click("#send")
        wait_for(lambda: browser.run("return !document.getElementById('result').hidden"), "the answer is shown")
        said = browser.text("#result")
        assert "Not stored" in said and "Unprocessable Content (422)" in said and 'field "attachment": no rule of this route takes it' in said, said
        assert browser.run("return document.querySelectorAll('.chosen li').length") == 3, "what was chosen stays"
        shot(browser, "refused")
    assert stack.stored() == before


def check_lost_connection(stack):
    before = stack.stored()
    with files() as (paths, _), Browser() as browser:
        fill(browser, stack, paths)
        browser.devtools("Network.enable")
        browser.devtools("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=500_000)
        browser.click("#send")
        browser.click("#cancel")
        wait_for(lambda: "Cancelled" in browser.text("#result"), "the page says that it was cancelled")
        assert not browser.run("return document.getElementById('send').disabled")
    wait_for(lambda: stack.unfinished() == [], "the store has dropped what was begun")
    assert stack.stored() == before


def check_without_script(stack):
    with files() as (paths, contents), Browser(script=False) as browser:
        fill(browser, stack, paths)
        shot(browser, "no-script")
        browser.click("#send")
        wait_for(lambda: "/stored/" in browser.url(), "the browser is sent on")
        assert "The whole form is stored." in browser.text("main")
        form = urllib.parse.urlsplit(browser.url()).path.rsplit("/", 1)[1]
        stored = stack.stored()
        for number, (name, data) in enumerate(contents.items(), 3):
            assert name in browser.text("table"), name
            assert stored[f"{form}/{number}-{name}"] == sha256(data)
        shot(browser, "no-script-stored")
        browser.go(stack.url("/refused?status=413&title=Content+Too+Large&detail=%3Cb%3Etoo+large%3C/b%3E&limit=512MiB"))
        assert "<b>too large</b>" in browser.text("main")
        shot(browser, "no-script-refused")


def check_keyboard(stack):
    """Tab goes through everything that a hand can reach, in order; each control has a name."""
    with files() as (paths, _), Browser() as browser:
        fill(browser, stack, paths)
        browser.run("document.activeElement.blur(); window.getSelection().removeAllRanges(); document.querySelector('.skip').focus()")
        seen = []
        for _ in range(11):
            seen.append(browser.run("const e = document.activeElement; return e.id || e.getAttribute('aria-label') || e.textContent.trim()"))
            for kind in ("keyDown", "keyUp"):
                browser.devtools("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert seen == ["Skip to the content", "penstock", "Upload", "Stored", "Gallery", "title", "note", "file",
                        *[f"Remove {name}" for name in NAMES]], seen
        nameless = browser.devtools("Accessibility.getFullAXTree")["nodes"]
        nameless = [n for n in nameless if not n.get("ignored") and n["role"]["value"] in ("button", "link", "textbox", "progressIndicator")
                    and not n.get("name", {}).get("value")]
        assert not nameless, nameless


def check_narrow(stack):
    """Nothing is wider than a phone, in the dark too."""
    with files() as (paths, _), Browser(390, 844, dark=True) as browser:
        fill(browser, stack, paths)
        shot(browser, "phone-chosen")
        browser.click("#send")
        wait_for(lambda: browser.run("return document.querySelectorAll('td small.good').length") == 3, "the digests are compared")
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"
        shot(browser, "phone-stored")
