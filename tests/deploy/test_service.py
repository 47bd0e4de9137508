# SPDX-License-Identifier: MIT
"""The systemd unit, run by the systemd of bookworm and of trixie: it starts, says READY, reloads, drains, is watched, writes
only where it may, and its system call filter is never in its way (a denied call ends the service in these tests)."""
from lib import *
from machine import *

MIB = 1024 * 1024
SECRET = ", headers: { authorization: { file: /run/credentials/penstock.service/store-auth } }"
ROUTES = f"""version: 1
listen: ["127.0.0.1:8081", "unix:/run/penstock/in.sock"]
destinations:
  files: {{ type: directory, path: /var/lib/penstock }}
  store: {{ type: http, url: "http://store:9000"{SECRET} }}
routes:
  - id: folder
    match: {{ path: /upload }}
    fields: [ {{ name: "*", store: {{ to: files, path: "{{uuid}}" }} }} ]
  - id: http
    match: {{ path: /http }}
    fields: [ {{ name: "*", store: {{ to: store, path: "/{{uuid}}" }} }} ]
"""
STRICT = "SystemCallErrorNumber=kill"


def with_package(release):
    debs = package(release)[1]

    def prepare(root):
        shutil.copy(debs[0], f"{root}/package.deb")
        inside(root, "dpkg -i /package.deb && groupadd --system gateway")

    return Machine(bare(release), prepare)


def pid_of(machine):
    return int(machine.show("MainPID"))


def restart(machine, *lines):
    machine.drop_in(*lines)
    machine.do("systemctl", "restart", "penstock")
    machine.wait_active()


def status_of(machine, key):
    text = machine.do("cat", f"/proc/{pid_of(machine)}/status")
    return re.search(rf"^{key}:\s*(.*)$", text, re.M).group(1).split()


def is_well_formed_and_locked_up(release):
    with with_package(release) as m:
        complaints = m.tell("systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/penstock.service")
        assert complaints == "", complaints
        score = m.do("systemd-analyze", "security", "--no-pager", "--threshold=20", "penstock").strip().splitlines()[-1]
        print(f"{release}: {score}")
        m.wait_active()
        assert m.show("Type") == "notify" and m.show("NRestarts") == "0", m.journal()
        assert m.show("UnitFileState") == "enabled", "started by the boot"
        assert int(status_of(m, "Uid")[0]) >= 61184, "a dynamic user"
        assert status_of(m, "CapEff") == ["0" * 16] and status_of(m, "CapBnd") == ["0" * 16]
        assert status_of(m, "Seccomp") == ["2"] and status_of(m, "NoNewPrivs") == ["1"]
        descriptors = [int(re.search(r"Max open files\s+\d+\s+(\d+)", m.do("cat", f"/proc/{pid}/limits")).group(1)) for pid in (1, pid_of(m))]
        assert descriptors[1] == min(65536, descriptors[0]), "as many as the unit says, or the machine allows"
        m.drop_in(STRICT, "SystemCallFilter=~epoll_create1")
        assert m.run("systemctl", "restart", "penstock").returncode != 0, "a denied call ends it"
        wait_for(lambda: "status=31/SYS" in m.journal(), "a denied call is seen")


def stores_into_its_folder_and_to_http(release):
    with with_package(release) as m, tempfile.TemporaryFile() as log:
        m.write("/etc/penstock/routes.yaml", ROUTES)
        m.write("/etc/hosts", "127.0.0.1 localhost store\n")
        m.write("/etc/credstore/penstock.store-auth", "Bearer from-a-credential\n", 0o600)
        restart(m, STRICT, "LoadCredential=store-auth:/etc/credstore/penstock.store-auth", "Group=gateway", "UMask=0007")
        store = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *m.inside(BINARY, "sink", "--port", "9000")], stdout=log)
        try:
            data = noise(20 * MIB)
            status, body = m.upload(data)
            assert status == 201, body
            stored = m.path("/var/lib/private/penstock/" + json.loads(body)["parts"][0]["target"])
            assert sha256(open(stored, "rb").read()) == sha256(data) and os.stat(stored).st_uid >= 61184
            wait_for(lambda: m.curl("http://127.0.0.1:9000/")[0] == 200, "the store is up")
            assert m.upload(data, "/http")[0] == 201
            log.seek(0)
            text = log.read().decode()
            assert sha256(data) in text and "bearer from-a-credential" in text.lower(), text
            # HAProxy's side of the socket: those of the group may connect, others may not.
            gid = m.tell("getent", "group", "gateway").split(":")[2]
            for group, status in ((gid, b"404"), ("65534", b"000")):
                result = m.run("setpriv", "--reuid", "65534", "--regid", group, "--clear-groups", "curl", "-s", "-m", "60", "-X", "POST",
                               "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", "/run/penstock/in.sock", "http://localhost/none")
                assert result.stdout == status, (group, result)
            assert m.show("NRestarts") == "0" and m.show("ActiveState") == "active", m.journal()
        finally:
            store.kill()
            store.wait()


def stores_where_others_read(release):
    with with_package(release) as m:
        m.do("useradd", "--system", "uploads")
        m.do("install", "-d", "-o", "uploads", "/srv/uploads")
        m.write("/etc/penstock/routes.yaml", ROUTES.replace(SECRET, "").replace("/var/lib/penstock", "/srv/uploads"))
        restart(m, STRICT, "DynamicUser=no", "User=uploads", "UMask=0022", "ReadWritePaths=/srv/uploads")
        status, body = m.upload(b"for others")
        assert status == 201, body
        path = "/srv/uploads/" + json.loads(body)["parts"][0]["target"]
        assert m.do("setpriv", "--reuid", "65534", "--clear-groups", "cat", path) == "for others"
        assert m.do("stat", "-c", "%U", path).strip() == "uploads"


def reloads_and_refuses_what_is_wrong(release):
    with with_package(release) as m:
        restart(m, STRICT)
        pid, routes = pid_of(m), open(m.path("/etc/penstock/routes.yaml"), encoding="utf-8").read()
        assert m.upload(b"x", "/second")[0] == 404
        m.write("/etc/penstock/routes.yaml", routes.replace("path: /upload ", "path: /second "))
        m.do("systemctl", "reload", "penstock")
        wait_for(lambda: m.upload(b"x", "/second")[0] == 201, "the new route is in force")
        wait_for(lambda: m.show("ActiveState") == "active", "it is READY again")
        m.write("/etc/penstock/routes.yaml", routes.replace("limits:", "limitz:"))
        assert m.run("systemctl", "reload", "penstock").returncode != 0
        wait_for(lambda: 'did you mean "limits"' in m.journal(), "it says why")
        assert m.upload(b"x", "/second")[0] == 201 and pid_of(m) == pid and m.show("NRestarts") == "0"
        # Where it cannot start, it says so once, and is not tried again and again.
        assert m.run("systemctl", "restart", "penstock").returncode != 0
        assert (m.show("ActiveState"), m.show("ExecMainStatus"), m.show("NRestarts")) == ("failed", "2", "0"), m.journal()


def drains_when_it_is_stopped(release):
    with with_package(release) as m:
        restart(m, STRICT)
        client = subprocess.Popen(m.inside("python3", "tests/deploy/slow_client.py", "8081", "/upload"), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        assert client.stdout.readline() == b"half\n"
        m.do("systemctl", "stop", "--no-block", "penstock")
        wait_for(lambda: m.show("ActiveState") == "deactivating", "it is stopping")
        wait_for(lambda: '"draining"' in m.journal(), "it drains")
        assert client.communicate(b"go on\n", timeout=DEADLINE)[0] == b"201\n"
        wait_for(lambda: m.show("ActiveState") == "inactive", "it has ended")
        assert (m.show("Result"), m.show("ExecMainStatus")) == ("success", "0"), m.journal()


def is_started_again_when_it_hangs_or_dies(release):
    with with_package(release) as m:
        restart(m, STRICT, "WatchdogSec=5s")
        for _ in range(3):
            last = m.show("WatchdogTimestampMonotonic")
            wait_for(lambda last=last: m.show("WatchdogTimestampMonotonic") != last, "it tells the watchdog that it is alive")
        assert m.show("NRestarts") == "0", m.journal()
        for number, word in ((signal.SIGSTOP, "Watchdog timeout"), (signal.SIGKILL, "killed")):
            pid, restarts = pid_of(m), int(m.show("NRestarts"))
            m.do("systemctl", "kill", "--kill-who=main", f"--signal={int(number)}", "penstock")
            wait_for(lambda: int(m.show("NRestarts")) > restarts and m.show("ActiveState") == "active", "it runs again")
            assert pid_of(m) not in (0, pid)
            wait_for(lambda word=word: word.lower() in m.journal().lower(), f"the journal has {word}")
            assert m.upload(b"x")[0] == 201


for RELEASE in RELEASES:
    for test in (is_well_formed_and_locked_up, stores_into_its_folder_and_to_http, stores_where_others_read,
                 reloads_and_refuses_what_is_wrong, drains_when_it_is_stopped, is_started_again_when_it_hangs_or_dies):
        globals()[f"test_the_service_on_{RELEASE}_{test.__name__}"] = lambda test=test, release=RELEASE: test(release)
