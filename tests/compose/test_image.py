# SPDX-License-Identifier: MIT
"""penstock's image: small, without privileges, the same from the same commit."""
import tarfile
import io
import subprocess

from stack import *

IMAGE = f"penstock:{TAG}"
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt", "no-new-privileges"]


def build(target, tag, *options):
    run("docker/build.sh", target, *options, env={"PENSTOCK_TAG": tag})


def files_of(image):
    """Every entry of an image's file system."""
    made = docker("create", image).strip()
    try:
        data = subprocess.run(["docker", "export", made], stdout=subprocess.PIPE, check=True).stdout
    finally:
        docker("rm", made)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


def test_adds_at_most_15_mb_over_its_base():
    build("base", TAG)
    whole, base = inspect(IMAGE, "{{json .Size}}"), inspect(f"penstock-base:{TAG}", "{{json .Size}}")
    print(f"   image {whole} bytes, base {base}, added {whole - base}")
    assert 1_000_000 < whole - base <= 15_000_000
    assert whole <= 30_000_000, "the whole image"


def test_holds_no_shell_no_setuid_and_the_records_of_its_packages():
    members = files_of(IMAGE)
    engine = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")  # laid in by `docker create`
    programs = [m.name for m in members if m.isfile() and m.mode & 0o111 and ".so" not in m.name and m.name not in engine]
    assert programs == ["usr/bin/penstock"], programs
    assert not [m.name for m in members if m.isfile() and m.mode & 0o6000]
    names = {m.name for m in members}
    for package in ("libcurl4t64", "libmicrohttpd12t64", "libssl3t64", "libc6"):
        assert f"var/lib/dpkg/status.d/{package}" in names and f"usr/share/doc/{package}/copyright" in names, package
    writable = [m.name for m in members if m.isdir() and m.uid == 10001]
    assert sorted(writable) == ["run/penstock", "var/lib/penstock"], writable


def test_runs_without_privileges_and_says_its_version():
    said = docker("run", "--rm", "--network", "none", *HARDENED, IMAGE, "version").split()
    labels = inspect(IMAGE, "{{json .Config.Labels}}")
    assert said[0] == "penstock" and said[1].startswith(labels["org.opencontainers.image.version"]), (said, labels)
    for label in ("title", "description", "licenses", "revision", "created"):
        assert labels["org.opencontainers.image." + label], label
    config = inspect(IMAGE, "{{json .Config}}")
    assert config["User"] == "10001:10001" and config["Entrypoint"] == ["penstock"] and config["Cmd"] == ["run", "/etc/penstock"]
    assert config["Healthcheck"]["Test"] == ["CMD", "penstock", "health"]


def test_the_same_commit_gives_the_same_binary():
    digests = []
    for tag, options in (("once", []), ("again", ["--build-arg", "AGAIN=1", "--build-arg", "WHERE=/another/place"])):
        build("build", tag, *options)
        digests.append(docker("run", "--rm", "--entrypoint", "sha256sum", f"penstock-build:{tag}", "/penstock").split()[0])
    print("   " + digests[0])
    assert digests[0] == digests[1], digests
    shipped = [m for m in files_of(IMAGE) if m.name == "usr/bin/penstock"]
    assert len(shipped) == 1 and shipped[0].mtime > 0
