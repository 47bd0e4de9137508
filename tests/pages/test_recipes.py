# SPDX-License-Identifier: MIT
"""The recipes: what they tell to type, typed, and what a browser makes of the form."""
import glob
import sys

from page import *

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compose"))
HTML_FORM, APPLICATION, NGINX = (f"docker/recipes/{name}.md" for name in ("html-form", "application", "nginx"))


def test_an_html_form_with_images_for_each_user():
    with tempfile.TemporaryDirectory() as at:
        Page(HTML_FORM).run(folder=at)
        stored = sorted(os.path.relpath(path, at) for path in glob.glob(f"{at}/pictures/42/*/*"))
        assert [path for path in stored if "/first/" in path] == [f"pictures/42/first/{name}" for name in ("2.jpg", "3.jpg", "title.txt")]
        assert len(stored) == 4, stored


def test_an_application_told_of_each_upload():
    Page(APPLICATION).run()


def test_behind_nginx():
    Page(NGINX).run()


def upload_in_browser(browser, url, folder):
    browser.go(url)
    browser.type("input[name=picture]", "\n".join(f"{folder}/{name}" for name in ("a.jpg", "b.jpg")))
    browser.click("button")


def test_a_browser_sends_the_form_and_goes_on():
    from browser import Browser
    page = Page(HTML_FORM)
    routes = "\n".join(page.files["routes.yaml"].splitlines()[2:]).replace("path: pictures }", 'path: "{dir}/out" }')
    with tempfile.TemporaryDirectory() as at, Penstock(routes) as p, Browser(script=False) as browser:
        for name in ("a.jpg", "b.jpg"):
            with open(f"{at}/{name}", "wb") as f:
                f.write(name.encode())
        with open(f"{at}/form.html", "w", encoding="utf-8") as f:
            f.write(page.files["form.html"].replace('action="', f'action="http://127.0.0.1:{p.port}').replace("required", ""))
        upload_in_browser(browser, f"file://{at}/form.html", at)
        wait_for(lambda: "uploaded=" in browser.url(), "the browser is where the redirect leads")
        assert sorted(p.files().values()) == [b"", b"a.jpg", b"b.jpg"], p.files()
        browser.go(f"file://{at}/form.html")
        browser.click("button")  # no picture
        wait_for(lambda: browser.run("return document.body?.innerText.includes('Unprocessable Content')"), "a page says what is wrong")
        assert "picture" in browser.text("p"), browser.text("body")
        assert len(p.files()) == 3
