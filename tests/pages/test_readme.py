# SPDX-License-Identifier: MIT
"""The page that everybody reads first: what it tells to type works, what it links to is there, and it stays short."""
import re

from page import *

WORDS_MAX = 900


def readme():
    with open("README.md", encoding="utf-8") as f:
        return f.read()


def test_the_route_file_of_the_readme_takes_a_form():
    form = "-F title=Summer -F 'photo[]=@routes.yaml' http://127.0.0.1:8081/albums/42/photos"
    page = Page("README.md", section="Use it")
    assert any(form in commands for commands in page.commands)
    assert "type: s3" in readme()  # shown, and nobody needs a bucket for the form above
    with tempfile.TemporaryDirectory() as at:
        told = json.loads(page.run(after=f"curl -sS {form}", folder=at))
        assert told["status"] == 201 and [p["field"] for p in told["parts"]] == ["title", "photo[]"], told
        stored = sorted(os.listdir(f"{at}/albums/42/{told['request_id']}"))
        assert stored == ["2-routes.yaml", "title-1.txt"], stored


def test_the_two_commands_of_the_readme_are_there():
    commands = section_of(readme(), "Try it")
    for command in ("./demo.sh", "tests/run.sh"):
        assert command in commands and os.access(command, os.X_OK), command
    assert "--keep" in commands  # tests/pages/test_demo.py runs both ways


def test_the_readme_is_for_somebody_with_five_minutes():
    text = readme()
    words = len(re.sub(r"```.*?```", "", text, flags=re.S).split())
    assert words <= WORDS_MAX, words
    first = text[: text.index("## Try it")]
    for what in ("docker/penstock.svg", "Use it if", "Do not use it", "docker/comparison.md"):
        assert what in first, what
    assert max(len(line) for line in first.splitlines()) <= 120
