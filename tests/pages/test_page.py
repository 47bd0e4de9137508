# SPDX-License-Identifier: MIT
"""The helper that runs pages (tests/lib/page.py), on pages of its own."""
from page import *

GOOD = """# A page

The greeting, `in/hello.txt`:

```text
hello
```

Only shown:

```yaml
not: { a file
```

```sh
apt install -y what-is-not-there
cat in/hello.txt
```
```text
hel...
```

```sh
nc -lk 127.0.0.1 8080 &
: >/dev/tcp/127.0.0.1/8080
```

## Another

```sh
echo '{other}'
```
"""


def tried(text, section=None, **how):
    with tempfile.NamedTemporaryFile("w", suffix=".md") as f:
        f.write(text)
        f.flush()
        return Page(f.name, section).run(**how)


def refused(text):
    try:
        tried(text)
    except AssertionError as e:
        return str(e)
    raise AssertionError(f"this page is good:\n{text}")


def test_a_page_is_run_with_its_files_and_what_stays_behind():
    assert tried(GOOD.replace("{other}", "x"), after="cat in/hello.txt; ss -Hlnt | grep -c :8080") == "hello\n1\n"


def test_a_section_is_run_alone():
    with tempfile.TemporaryDirectory() as at:
        assert tried(GOOD, section="Another", after="ls; ss -Hlnt | wc -l", folder=at) == "0\n"


def test_a_page_that_does_not_work_is_told():
    assert "exit 1" in refused("```sh\nfalse\necho on\n```\n")
    assert "should print\nhallo" in refused(GOOD.replace("hel...", "hallo"))
    assert "no commands" in refused("# nothing\n")
