# SPDX-License-Identifier: MIT
"""docker/down.sh leaves nothing of docker/up.sh."""
from stack import *


def everything():
    """What Docker has, but for what it makes by itself."""
    return {"containers": docker("ps", "--all", "--quiet").split(), "volumes": docker("volume", "ls", "--quiet").split(),
            "networks": sorted(set(docker("network", "ls", "--format", "{{.Name}}").split()) - {"bridge", "host", "none"}),
            "images": sorted(set(docker("image", "ls", "--all", "--quiet", "--filter", "label=org.penstock.made").split()))}


def test_down_leaves_nothing():
    others = everything()
    if others["containers"]:
        raise Skip("OTHER CONTAINERS ARE RUNNING: removing images would disturb them")
    stack = Stack("penstock-test-down")
    with stack:
        assert stack.curl("-F", "file=abc;filename=a").status == 201
        assert len(everything()["containers"]) == 4
        run("docker/down.sh", env=stack.env)
        left = everything()
    assert left == {**others, "images": []}, left


def test_without_a_daemon_each_script_says_so():
    for script in ("up", "down", "base", "build"):
        done = subprocess.run([f"{ROOT}/docker/{script}.sh"], env={**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
        assert done.returncode != 0 and b"DOES NOT ANSWER" in done.stdout, (script, done.stdout)
