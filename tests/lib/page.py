# SPDX-License-Identifier: MIT
"""Runs what a page tells to type: Page("docker/recipes/x.md").run().

How a page is written, so that it can be run word for word:
- A fence `sh` holds commands. All of a page run in order, in one bash (-eu), in an empty folder, with penstock and HAProxy in
  PATH, in a network of their own, so that the page's ports are free. Lines that begin with `apt ` are left out. After a line
  that ends with `&` the helper waits until somebody listens more than before, as a reader would; its output is kept apart.
- A fence of any other language is a file, if the line of text before it ends with its name: "The route file, `routes.yaml`:".
  The file is there before the commands run. Other fences are only shown.
- A fence `text` behind one of `sh` is what that prints (stdout); `...` stands for anything.

A command that fails, or prints something else, is an AssertionError with everything that was said. `section` takes one `## `
section alone; `after` is one more script, run when the page has ended and everything that it started still runs; run() gives what
that prints. `folder` keeps the files, for a look at what is there afterwards."""
import itertools
import re

from lib import *

NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)*)`:?$")
ALONE = ["unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "bash", "-euc", 'ip link set lo up; . "$0"']
WAIT = """
listening() { ss -Hlntx | wc -l; }
waited() { # until somebody listens more than before, or the job has ended
	local i
	for ((i = 0; i < 1500; i++)); do
		if [ "$(listening)" -gt "$heard" ] || ! kill -0 "$!" 2>/dev/null; then break; fi
		sleep 0.02
	done
	heard=$(listening)
}
heard=$(listening)
"""


def fences(text):
    """Of each: the last line of text before it, its language, what is in it."""
    before, lines = "", iter(text.splitlines(True))
    for line in lines:
        if line.startswith("```"):
            yield before, line[3:].strip(), "".join(itertools.takewhile(lambda line: line.rstrip() != "```", lines))
            before = ""
        elif line.strip():
            before = line.strip()


def section_of(text, title):
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.M | re.S)
    assert found, f"there is no section {title}"
    return found.group()


def typed(block, jobs):
    """The commands of a block: nothing is installed, and what stays behind is waited for."""
    lines = []
    for line in block.splitlines():
        if re.match(r"(sudo )?apt(-get)? ", line):
            continue
        if re.search(r"[^&]&$", line):
            line = (line if ">" in line else f"{line[:-1]} >>'{jobs}' 2>&1 &") + "\nwaited"
        lines.append(line)
    return "\n".join(lines) + "\n"


def is_like(said, expected):
    pattern = ".*".join(re.escape(piece) for piece in expected.strip().split("..."))
    return re.fullmatch(pattern, said.strip(), re.S) is not None


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Page:
    def __init__(self, path, section=None):
        text = read(path)
        self.path, self.commands, self.expected, self.files = path, [], {}, {}
        for before, kind, block in fences(section_of(text, section) if section else text):
            self.take(kind, block, NAMED.search(before))
        assert self.commands, f"{path} has no commands"

    def take(self, kind, text, named):
        if kind == "sh":
            self.commands.append(text)
        elif kind == "text" and self.commands:
            self.expected[len(self.commands) - 1] = text
        elif named:
            self.files[named.group(1)] = text

    def script(self, out, after):
        jobs = f"{out}/jobs"
        blocks = [f"exec >'{out}/{i}'\n{typed(block, jobs)}" for i, block in enumerate(self.commands)]
        return WAIT + "".join(blocks) + f"exec >'{out}/after'\n{after}\n"

    def run(self, after="", folder=None):
        if os.geteuid() != 0:
            raise Skip("needs root for a network of its own")
        with contextlib.ExitStack() as stack:
            at, out = folder or stack.enter_context(tempfile.TemporaryDirectory()), stack.enter_context(tempfile.TemporaryDirectory())
            for name, text in self.files.items():
                os.makedirs(os.path.dirname(os.path.join(at, name)), exist_ok=True)
                with open(os.path.join(at, name), "w", encoding="utf-8") as f:
                    f.write(text)
            with open(f"{out}/script", "w", encoding="utf-8") as f:
                f.write(self.script(out, after))
            path = f"{os.path.dirname(BINARY)}:/usr/sbin:{os.environ['PATH']}"
            done = subprocess.run(["timeout", "--kill-after=1", str(DEADLINE), *ALONE, f"{out}/script"], cwd=at,
                                  env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=2 * DEADLINE, check=False)
            self.judge(out, done)
            return read(f"{out}/after")

    def judge(self, out, done):
        told = "\n".join(f"-- {name}\n{read(f'{out}/{name}')}" for name in sorted(os.listdir(out)) if name != "script")
        told = f"{self.path}: exit {done.returncode}\n{done.stdout.decode('utf-8', 'replace')}{told[-8000:]}"
        assert done.returncode == 0, told
        assert not any(word in told for word in FINDINGS), told
        for i, expected in self.expected.items():
            assert is_like(read(f"{out}/{i}"), expected), f"{self.commands[i]}should print\n{expected}\n{told}"
