# SPDX-License-Identifier: MIT
"""What filter/README.md says to type does what it says."""
import re

from lib import *

BEHIND = re.compile(r"^## Three ways, five minutes\n.*?from nothing.*?^```sh\n(.*?)^```\n", re.M | re.S)
# In a network and a process tree of its own: the ports are those of the text, and nothing of it is left.
ALONE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", 'ip link set lo up; eval "$0"']


def test_behind_haproxy_in_five_minutes():
    if os.geteuid() != 0:
        raise Skip("needs root for a network of its own")
    if shutil.which("haproxy", path="/usr/sbin:/usr/bin") is None:
        raise Skip("haproxy is not installed")
    with open("filter/README.md", encoding="utf-8") as f:
        text = BEHIND.search(f.read()).group(1)
    commands = re.sub(r"^apt .*\n", "", text, flags=re.M)
    assert "STORE_AUTH" not in text and commands.count("\n") == text.count("\n") - 1, text
    with tempfile.TemporaryDirectory() as at:
        path = f"{os.path.dirname(os.path.abspath(BINARY))}:/usr/sbin:{os.environ['PATH']}"
        done = subprocess.run([*ALONE, commands], cwd=at, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=4 * DEADLINE)
        assert done.returncode == 0, done.stderr.decode()
        told = json.loads(done.stdout.decode().splitlines()[-1])
        assert told["status"] == 201, told
        stored = os.listdir(f"{at}/uploads")
        assert len(stored) == 1 and stored[0].endswith("-routes.yaml"), stored
        with open(f"{at}/uploads/{stored[0]}", "rb") as f, open(f"{at}/routes.yaml", "rb") as g:
            assert f.read() == g.read()
