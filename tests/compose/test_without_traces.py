# SPDX-License-Identifier: MIT
"""Stacks do not get in each other's way, and docker/down.sh leaves nothing of docker/up.sh: the last, for then no image is left."""
from stack import *


def everything():
    """What Docker has, but for what it makes by itself."""
    return {"containers": docker("ps", "--all", "--quiet").split(), "volumes": docker("volume", "ls", "--quiet").split(),
            "networks": sorted(set(docker("network", "ls", "--format", "{{.Name}}").split()) - {"bridge", "host", "none"}),
            "images": sorted(set(docker("image", "ls", "--all", "--quiet", "--filter", "label=org.penstock.made").split()))}


def fails(script, *words, env):
    """What a script prints that must fail."""
    done = subprocess.run([f"{ROOT}/docker/{script}.sh", *words], env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=DEADLINE)
    assert done.returncode != 0, done.stdout
    return done.stdout.decode()


def test_another_profile_takes_the_place_of_the_first():
    with Stack("penstock-test-profiles") as stack:
        assert stack.curl("-F", "file=abc;filename=a").status == 201
        stack.profile, stack.suffix = "socket", "-socket"
        run("docker/up.sh", "socket", env=stack.env)
        assert stack.curl("-F", "file=abc;filename=a").status == 201
        names = docker("ps", "--all", "--filter", f"label=com.docker.compose.project={stack.project}", "--format",
                       '{{.Label "com.docker.compose.service"}}').split()
        assert sorted(names) == ["app", "haproxy-socket", "penstock-socket", "storage"], names
        check_another_project(stack)


def check_another_project(stack):
    """It takes neither the port nor the images of a stack that is up."""
    other = {**stack.env, "PROJECT": "penstock-test-other"}
    said = fails("up", env=other)
    assert f"port {stack.port} of 127.0.0.1 is taken" in said and "== building" not in said, said
    before = everything()
    said = fails("down", env=other)
    assert "stay, for other containers use them" in said and stack.project in said, said
    assert everything() == before and stack.curl("-F", "file=abc;filename=a").status == 201


def test_without_a_daemon_each_script_says_so():
    for script in ("up", "down", "base", "build"):
        done = subprocess.run([f"{ROOT}/docker/{script}.sh"], env={**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
        assert done.returncode != 0 and b"DOES NOT ANSWER" in done.stdout, (script, done.stdout)


def check_what_others_made(stack):
    """An image that somebody made from one of ours has its label, and stays; and so does what it stands on."""
    mine = {f"penstock-of-mine:{TAG}": f"penstock:{TAG}", f"penstock-test-mine:{TAG}": "debian:trixie-slim"}
    for name, ours in mine.items():
        docker("build", "--quiet", "--tag", name, "-", env={"DOCKER_BUILDKIT": "0"}, input=f"FROM {ours}\nENV MINE=yes\n".encode())
    try:
        run("docker/down.sh", env=stack.env)
        left = docker("image", "ls", "--filter", "label=org.penstock.made", "--format", "{{.Repository}}:{{.Tag}}").split()
        assert {name for name in left if name.endswith(f":{TAG}")} == set(mine) and "debian:trixie-slim" in left, left
        assert docker("run", "--rm", "--network", "none", f"penstock-of-mine:{TAG}", "version").startswith("penstock ")
    finally:
        docker("image", "rm", *mine)


def test_down_leaves_nothing():
    others = everything()
    if others["containers"]:
        raise Skip("OTHER CONTAINERS ARE RUNNING: removing images would disturb them")
    stack = Stack("penstock-test-down")
    with stack:
        assert stack.curl("-F", "file=abc;filename=a").status == 201
        assert len(everything()["containers"]) == 4
        check_what_others_made(stack)
        run("docker/down.sh", env=stack.env)
        left = everything()
    assert left == {**others, "images": []}, left
