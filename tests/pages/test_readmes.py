# SPDX-License-Identifier: MIT
"""Sections of READMEs whose commands are typed."""
from page import *

ROUTES = """version: 1
destinations: { files: { type: directory, path: . } }
routes:
  - id: upload
    match: { host: photos.example.org, path: /upload }
    fields: [ { name: file, store: { to: files, key: "{part}-{file.name}" } } ]
"""


def test_a_request_is_made_and_explained():
    page = Page("config/README.md", section="What would become of a request")
    page.files.update({"routes.yaml": ROUTES, "photo.jpg": "a photo\n"})
    told = json.loads(page.run(after="penstock explain routes.yaml - <request"))
    assert told["status"] == 201 and told["parts"][0]["target"] == "1-photo.jpg" and told["parts"][0]["size"] == 8, told


def test_the_help_of_explain_makes_the_same_request():
    lines = subprocess.run([BINARY, "help", "explain"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    commands = "\n".join(line.strip() for line in lines if line.startswith(("  nc ", "  curl ")))
    with tempfile.NamedTemporaryFile("w", suffix=".md") as f:
        f.write(f"```sh\n{commands} || true\n```\n")
        f.flush()
        page = Page(f.name)
    page.files.update({"routes.yaml": ROUTES.replace("host: photos.example.org, ", ""), "photo.jpg": "a photo\n"})
    assert json.loads(page.run(after="penstock explain routes.yaml - <request"))["parts"][0]["size"] == 8
