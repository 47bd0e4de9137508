# SPDX-License-Identifier: MIT
"""The Debian package, on bookworm and trixie: clean by lintian, installs, upgrades, and purges without a trace."""
import gzip

from lib import *
from machine import *

IGNORED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/dpkg", "/var/lib/apt", "/var/backups",
           "/var/lib/systemd/timers", "/packages")


def is_clean(release):
    root, debs = package(release)
    deb = debs[0].removeprefix(root)
    out = inside(root, f"lintian --allow-root --fail-on error,warning {deb} 2>&1", check=True)
    assert "E:" not in out and "W:" not in out, out
    out = inside(root, f"cp {deb} /tmp/bad.deb; cd /tmp; ar d bad.deb control.tar.gz; lintian --allow-root bad.deb 2>&1", check=False)
    assert "E:" in out or "error" in out, "lintian can refuse: " + out


def holds_what_it_should(release):
    debs = package(release)[1]
    at = tempfile.mkdtemp(prefix="penstock-deb-")
    try:
        subprocess.run(["dpkg-deb", "-x", debs[0], at], check=True, timeout=DEADLINE)
        for name, number in (("man1/penstock.1.gz", "1"), ("man5/penstock.yaml.5.gz", "5")):
            with gzip.open(f"{at}/usr/share/man/{name}", "rt", encoding="utf-8") as f:
                assert f".TH PENSTOCK{'.YAML' if number == '5' else ''} {number} " in f.readline()
        with open(f"{at}/usr/lib/systemd/system/penstock.service", encoding="utf-8") as f:
            assert "\nExecStart=/usr/bin/penstock run /etc/penstock\n" in f.read()
        assert field(debs[0], "Version") < field(debs[1], "Version")
        depends = field(debs[0], "Depends")
        for word in ("libc6", "libcurl4", "libmicrohttpd12", "libjansson4", "libssl3", "libmagic1", "libyaml-0-2"):
            assert word in depends, depends
        assert os.stat(f"{at}/usr/bin/penstock").st_mode & 0o7777 == 0o755
    finally:
        shutil.rmtree(at)


def snapshot(machine):
    top, found = machine.path(""), set()
    for at, folders, names in os.walk(top):
        here = at.removeprefix(top) or "/"
        folders[:] = [f for f in folders if os.path.join(here, f) not in IGNORED]
        found.update(os.path.join(here, name) for name in (*folders, *names))
    return found


def install(machine, deb):
    return machine.do("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", "/packages/" + os.path.basename(deb))


def lives_and_leaves_nothing(release):
    debs = package(release)[1]

    def bring(root):
        os.mkdir(f"{root}/packages")
        for deb in debs:
            shutil.copy(deb, f"{root}/packages/")

    with Machine(bare(release), bring) as m:
        before = snapshot(m)
        install(m, debs[0])
        m.wait_active()
        assert m.show("UnitFileState") == "enabled"
        m.do("penstock", "check", "/etc/penstock")
        m.do("penstock", "health", "--ready")
        data = noise(100000)
        status, body = m.upload(data)
        stored = "/var/lib/penstock/" + json.loads(body)["parts"][0]["target"]
        assert status == 201 and sha256(open(m.path(stored.replace("/lib/", "/lib/private/")), "rb").read()) == sha256(data)

        routes = open(m.path("/etc/penstock/routes.yaml"), encoding="utf-8").read()
        m.write("/etc/penstock/routes.yaml", routes.replace("path: /upload ", "path: /mine "))
        first = m.show("MainPID")
        install(m, debs[1])
        m.wait_active()
        assert field(debs[1], "Version") in m.do("dpkg-query", "-W", "penstock")
        assert m.show("MainPID") != first, "an upgrade restarts it"
        assert m.upload(data)[0] == 404 and m.upload(data, "/mine")[0] == 201, "the operator's change is kept"
        assert os.path.exists(m.path(stored.replace("/lib/", "/lib/private/")))

        m.do("systemctl", "disable", "--now", "penstock")
        install(m, debs[0])
        assert m.show("ActiveState") == "inactive" and m.show("UnitFileState") == "disabled", "what was switched off stays off"
        m.do("systemctl", "enable", "--now", "penstock")
        m.do("dpkg", "-r", "penstock")
        assert m.show("ActiveState") != "active" and not os.path.exists(m.path("/usr/bin/penstock"))
        assert os.path.exists(m.path("/etc/penstock/routes.yaml")) and os.path.exists(m.path(stored.replace("/lib/", "/lib/private/")))
        install(m, debs[1])
        m.wait_active()
        m.do("dpkg", "--purge", "penstock")
        left = snapshot(m) - before - {"/var/lib/private"}  # systemd's own
        assert not left, sorted(left)
        assert "penstock" not in m.tell("getent", "passwd", "penstock")


for RELEASE in RELEASES:
    for test in (is_clean, holds_what_it_should, lives_and_leaves_nothing):
        globals()[f"test_the_package_on_{RELEASE}_{test.__name__}"] = lambda test=test, release=RELEASE: test(release)
