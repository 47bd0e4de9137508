# SPDX-License-Identifier: MIT
"""penstock's image: small, without privileges, the same from the same commit."""
import tarfile
import io
import re
import subprocess

from stack import *

IMAGE = f"penstock:{TAG}"
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt", "no-new-privileges"]


def build(target, tag, *options):
    run("docker/build.sh", target, *options, env={"PENSTOCK_TAG": tag})


def archive(image):
    """An image's file system as a tar archive."""
    made = docker("create", image).strip()
    try:
        data = subprocess.run(["docker", "export", made], stdout=subprocess.PIPE, check=True).stdout
    finally:
        docker("rm", made)
    return tarfile.open(fileobj=io.BytesIO(data))


def files_of(image):
    """Every entry of an image's file system."""
    with archive(image) as tar:
        return tar.getmembers()


def ways_out():
    """The hosts by which this machine's apt gets anywhere, but for Debian's own."""
    said = run("bash", "-c", ". docker/lib.sh; apt_conf; apt_mirror; apt_security")
    return {host for host in re.findall(r"://([^/:\s\"]+)", said) if not host.endswith("debian.org")}


def test_adds_at_most_27_mb_over_its_base():
    build("base", TAG)
    whole, base = inspect(IMAGE, "{{json .Size}}"), inspect(f"penstock-base:{TAG}", "{{json .Size}}")
    print(f"   image {whole} bytes, base {base}, added {whole - base}")
    assert 1_000_000 < whole - base <= 27_000_000
    assert whole <= 40_000_000, "the whole image"


def test_holds_no_shell_no_setuid_and_the_records_of_its_packages():
    members = files_of(IMAGE)
    engine = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")  # laid in by `docker create`
    programs = [m.name for m in members if m.isfile() and m.mode & 0o111 and ".so" not in m.name and m.name not in engine]
    assert programs == ["usr/bin/penstock"], programs
    assert not [m.name for m in members if m.isfile() and m.mode & 0o6000]
    names = {m.name for m in members}
    for package in ("libcurl4t64", "libmicrohttpd12t64", "libssl3t64", "libc6", "libmagic1t64", "libmagic-mgc"):
        assert f"var/lib/dpkg/status.d/{package}" in names and f"usr/share/doc/{package}/copyright" in names, package
    assert "usr/share/misc/magic.mgc" in names
    writable = [m.name for m in members if m.isdir() and m.uid == 10001]
    assert sorted(writable) == ["run/penstock", "var/lib/penstock"], writable


def test_nothing_of_the_building_machine_is_shipped():
    """Neither the history nor a file tells its mirror or its proxy."""
    build("haproxy", TAG)
    hosts = ways_out()
    for image in (IMAGE, f"penstock-haproxy:{TAG}"):
        history = docker("history", "--no-trunc", image)
        assert "APT_CONF" not in history and "://" not in history, image
        with archive(image) as tar:
            for member in tar:
                if member.isfile() and member.name.startswith(("etc/", "root/", "tmp/", "var/")):
                    text = tar.extractfile(member).read()
                    assert not [host for host in hosts if host.encode() in text], (image, member.name)


def test_runs_without_privileges_and_says_its_version():
    said = docker("run", "--rm", "--network", "none", *HARDENED, IMAGE, "version").split()
    labels = inspect(IMAGE, "{{json .Config.Labels}}")
    assert said[0] == "penstock" and said[1].startswith(labels["org.opencontainers.image.version"]), (said, labels)
    for label in ("title", "description", "licenses", "revision", "created"):
        assert labels["org.opencontainers.image." + label], label
    config = inspect(IMAGE, "{{json .Config}}")
    assert config["User"] == "10001:10001" and config["Entrypoint"] == ["penstock"] and config["Cmd"] == ["run", "/etc/penstock"]
    assert config["Healthcheck"]["Test"] == ["CMD", "penstock", "health"]


def commands_of_the_readme(mark, port):
    """The `docker run` commands of docker/README.md as they stand, but for what others on this machine may have: names, tags, the port."""
    with open(f"{ROOT}/docker/README.md", encoding="utf-8") as f:
        found = re.findall(r"^docker run (?:.*\\\n)*.*$", f.read(), re.M)
    found = [re.sub(r"(?<= )(penstock(?:-haproxy)?)$", rf"\1:{TAG}", command) for command in found]
    found = [re.sub(r"(--name |container:)(\w+)", rf"\1\2{mark}", command).replace(":8080:8080", f":{port}:8080") for command in found]
    return [command if "--detach" in command else command.replace("docker run", f"docker run --detach --name alone{mark}") for command in found]


def test_what_the_readme_starts_works():
    build("haproxy", TAG)
    mark, port = f"-test-{os.getpid()}", free_port()
    commands = commands_of_the_readme(mark, port)
    assert len(commands) == 3, commands
    try:
        for command in commands:
            run("bash", "-c", command)
        for name in ("alone", "penstock"):
            wait_for(lambda: inspect(name + mark, "{{.State.Health.Status}}") == "healthy", f"{name} is healthy")
        status = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-F", "other=<README.md", f"http://127.0.0.1:{port}/upload")
        assert status == "502", f"penstock has no store here: {status}"
    finally:
        docker("rm", "--force", *[name + mark for name in ("alone", "penstock", "gateway")], check=False)


def test_a_plain_docker_build_has_labels_too():
    """Nobody said what is built: the version is known, and the rest says that it is not."""
    with open(f"{ROOT}/CMakeLists.txt", encoding="utf-8") as f:
        version = re.search(r"^project\(penstock VERSION ([0-9.]+)", f.read(), re.M).group(1)
    with open(f"{ROOT}/docker/Dockerfile", encoding="utf-8") as f:
        defaults = dict(re.findall(r"^ARG (VERSION|REVISION|CREATED)=(\S*)$", f.read(), re.M))
    assert defaults == {"VERSION": version, "REVISION": "unknown", "CREATED": "1970-01-01T00:00:00Z"}, defaults


def test_the_same_commit_gives_the_same_binary():
    digests = []
    for tag, options in (("once", []), ("again", ["--build-arg", "AGAIN=1", "--build-arg", "WHERE=/another/place"])):
        build("build", tag, *options)
        digests.append(docker("run", "--rm", "--entrypoint", "sha256sum", f"penstock-build:{tag}", "/penstock").split()[0])
        docker("image", "rm", "--no-prune", f"penstock-build:{tag}")  # its layers stay for the next build
    print("   " + digests[0])
    assert digests[0] == digests[1], digests
    shipped = [m for m in files_of(IMAGE) if m.name == "usr/bin/penstock"]
    assert len(shipped) == 1 and shipped[0].mtime > 0
