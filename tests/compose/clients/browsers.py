# SPDX-License-Identifier: MIT
"""The clients that are browsers, each driven for real: files are chosen in the file input, the button is clicked, what the
page shows is read. Three ways:

    the page             of the demo, with its script, over TLS and HTTP/2
    the page, no script  the same form posted by the browser itself, answered with another page
    a plain form         with every name of the form that the other clients send, from a file on this machine"""
import html
import json
import os
import urllib.parse

from browser import Browser
from firefox import PROGRAMS, Firefox, program
from form import Seen
from lib import wait_for

FORM = """<!doctype html><meta charset="utf-8"><title>a form</title>
<form method="post" enctype="multipart/form-data" action="{action}">
{fields}
<input type="file" name="file" multiple>
<button>send</button>
</form>
"""
ROWS = """return [...document.querySelectorAll('#result tbody tr')].map((row) => {
    const cell = (label) => row.querySelector(`[data-label="${label}"]`);
    return [cell("Field").innerText.trim(), cell("File").innerText.trim(), cell("SHA-256").querySelector("code").innerText.trim()];
});"""


def chromium(script=True):
    return Browser(script=script, arguments=["--ignore-certificate-errors"])


def named_files(parts, folder):
    """The files under the names that the form has for them, one path a line, as a driver wants them."""
    os.makedirs(f"{folder}/named", exist_ok=True)
    paths = []
    for part in parts:
        path = f"{folder}/named/{part.filename}"
        if not os.path.exists(path):
            os.link(part.path, path)
        paths.append(path)
    return "\n".join(paths)


class Client:
    def __init__(self, name, start, version, way, http="HTTP/1.1", tls=False):
        self.name, self.start, self.version_of, self.http, self.tls, self.way = f"{name}, {way}", start, version, http, tls, way
        self.refusal, self.env, self.needs_page = None, {}, way != "a plain form"
        self.needs = [version[0]] + (["chromedriver"] if name == "Chromium" else [])

    def upload(self, g, parts, folder):
        files = [part for part in parts if part.kind == "file"]
        paths, address = named_files(files, folder), g.tls if self.tls else g.plain
        if not self.needs_page:
            with self.start() as browser:
                return plain_form(browser, address, parts, paths, folder)
        values = [part._replace(name=name) for part, name in zip(parts, ("title", "note"))]
        with self.start(script=self.way == "the page") as browser:
            fill(browser, address, values, paths)
            see = with_script if self.way == "the page" else without_script
            return see(browser, values + files)


def text_of(part):
    with open(part.path, "rb") as f:
        return f.read().decode()


def fill(browser, address, values, paths):
    browser.go(address + "/")
    for part in values:
        browser.type(f"#{part.name}", text_of(part))
    browser.type("#file", paths)


def with_script(browser, sent):
    browser.click("#send")
    wait_for(lambda: browser.run("return !document.getElementById('result').hidden"), "the page shows the answer", 240)
    assert browser.text("#result-title") == "Stored", browser.text("#result")
    told = [{"field": field, "filename": None if file == "a value" else file, "sha256": digest} for field, file, digest in browser.run(ROWS)]
    return Seen(browser.text("#result .note code"), told, sent, 201)


def text_there(browser, selector):
    """Nothing where it is not there yet: a browser tells the address of a page before it has read it."""
    try:
        return browser.text(selector)
    except AssertionError:
        return ""


def without_script(browser, sent):
    browser.click("#send")
    wait_for(lambda: "/stored/" in browser.url() or "/refused" in browser.url(), "the browser is sent on", 240)
    wait_for(lambda: "The whole form is stored." in text_there(browser, "main") and text_there(browser, "footer"), "the page says that it is stored")
    lines = browser.text("table").splitlines()
    for part in sent:
        name = part.filename or f"{part.name}.txt"
        assert any(name in line for line in lines), (name, lines)
    return Seen(urllib.parse.urlsplit(browser.url()).path.rsplit("/", 1)[1], None, sent, 303)


def plain_form(browser, address, sent, paths, folder):
    fields = [f'<textarea name="{html.escape(part.name)}">{html.escape(text_of(part))}</textarea>' for part in sent if part.kind == "value"]
    with open(f"{folder}/form.html", "w", encoding="utf-8") as f:
        f.write(FORM.format(action=f"{address}/upload", fields="\n".join(fields)))
    browser.go(f"file://{folder}/form.html")
    browser.type("input", paths)
    browser.click("button")
    wait_for(lambda: browser.url().startswith(address), "the browser has an answer", 240)
    told = json.loads(wait_for(lambda: text_there(browser, "pre"), "the answer is shown"))
    return Seen(told["request_id"], told["parts"], sent, told["status"])


BROWSERS = [Client(name, start, version, way, **how)
            for name, start, version in (("Chromium", chromium, ["chromium", "--version"]), ("Firefox", Firefox, [program() or PROGRAMS[0], "--version"]))
            for way, how in (("the page", {"http": "HTTP/2.0", "tls": True}), ("the page, no script", {}), ("a plain form", {}))]
