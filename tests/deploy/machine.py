# SPDX-License-Identifier: MIT
"""A Debian in a folder: built in, and booted with systemd as PID 1 (boot.sh). Nothing of it outlives the test."""
import concurrent.futures
import errno
import glob
import itertools
import re

from lib import *

ROOT = os.path.abspath(os.environ.get("BUILD_ROOT", "build"))
count = itertools.count()


def told(page):
    """The packages that a README tells to install, by name, before anything is built."""
    with open(page, encoding="utf-8") as f:
        return re.search(r"^(?:apt update && )?apt install -y ([^/#\n]*)", f.read(), re.M).group(1).split()


BUILD_PACKAGES = [*told("README.md"), *told("docker/systemd/README.md"), "lintian"]


def chroot(release, name, *packages):
    """The folder of a Debian `release` with these packages."""
    result = subprocess.run(["bash", "tests/lib/chroot.sh", release, name, *packages], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=900)
    if result.returncode != 0:
        raise Skip(f"{release}: {result.stdout.decode().strip()}")
    return os.path.join(ROOT, name)


def inside(root, script, check=True):
    """Runs a shell script in the folder, with /proc; its output."""
    result = subprocess.run(["unshare", "--mount", "bash", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" bash -euc "$1"',
                             root, script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    text = result.stdout.decode("utf-8", "replace")
    assert not check or result.returncode == 0, text[-4000:]
    return text


def cgroup2():
    """The hierarchy of version 2, alone or beside the old ones."""
    with open("/proc/mounts", encoding="ascii") as f:
        for line in f:
            if line.split()[2] == "cgroup2":
                return line.split()[1]
    raise Skip("no cgroup2 is mounted: systemd cannot be booted")


def layer(root):
    """A folder that shows `root` and takes changes of its own, in memory. The mounts are those of the test's namespace
    (run.sh), and end with it at the latest."""
    at = tempfile.mkdtemp(prefix="penstock-machine-")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", at], check=True, timeout=DEADLINE)
    for name in ("upper", "work", "root"):
        os.mkdir(os.path.join(at, name))
    options = f"lowerdir={root},upperdir={at}/upper,workdir={at}/work"
    if subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", f"{at}/root"], stderr=subprocess.DEVNULL, check=False,
                      timeout=DEADLINE).returncode != 0:  # the kernel has none
        subprocess.run(["cp", "-a", root + "/.", f"{at}/root"], check=True, timeout=DEADLINE)
    return at


def removed(cgroup):
    """Whether this cgroup and those in it are gone. A process that has ended is no longer in cgroup.procs, but for a moment
    still in the way: the kernel's own word is rmdir's."""
    try:
        for at, _, _ in os.walk(cgroup, topdown=False):
            os.rmdir(at)
    except OSError as e:
        if e.errno != errno.EBUSY:
            raise
        return False
    return True


def sweep():
    """Removes the cgroups of tests that were killed."""
    for path in glob.glob(os.path.join(cgroup2(), "penstock-test-*")):
        if not os.path.exists(f"/proc/{path.split('-')[-2]}"):
            wait_for(lambda: removed(path), f"{path} is empty")


class Machine:
    """A layer over `root`, booted."""

    def __init__(self, root, prepare=lambda root: None):
        sweep()
        self.layer = layer(root)
        self.root = os.path.join(self.layer, "root")
        self.cgroup = os.path.join(cgroup2(), f"penstock-test-{os.getpid()}-{next(count)}")
        self.process = None
        try:
            prepare(self.root)
            os.mkdir(self.cgroup)
            self.process = subprocess.Popen(["bash", "tests/deploy/boot.sh", self.root, self.cgroup])
            self.pid = wait_for(self.find_init, "systemd is PID 1")
            wait_for(lambda: self.tell("systemctl", "is-system-running") in ("running", "degraded"), "the machine has booted")
        except BaseException:
            self.stop()
            raise

    def find_init(self):
        assert self.process.poll() is None, "the machine did not boot"
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            children = f.read().split()
        if not children:
            return None
        with open(f"/proc/{children[0]}/comm", encoding="ascii") as f:
            return int(children[0]) if f.read().strip() == "systemd" else None

    def run(self, *words):
        return subprocess.run(["nsenter", "--all", "--root", "--wd", "--target", str(self.pid), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=2 * DEADLINE)

    def tell(self, *words):
        return self.run(*words).stdout.decode("utf-8", "replace").strip()

    def do(self, *words):
        result = self.run(*words)
        assert result.returncode == 0, (words, result.stdout.decode("utf-8", "replace")[-3000:])
        return result.stdout.decode("utf-8", "replace")

    def path(self, path):
        return f"/proc/{self.pid}/root{path}"

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(path), mode)

    # -- the service

    def show(self, name, unit="penstock"):
        return self.tell("systemctl", "show", "--value", "-p", name, unit)

    def wait_active(self):
        def active():
            state = self.show("ActiveState")
            assert state != "failed", self.journal()
            return state == "active"
        wait_for(active, "the service is active")

    def journal(self):
        return self.tell("journalctl", "--no-pager", "-u", "penstock", "-n", "40")

    def drop_in(self, *lines):
        self.write("/etc/systemd/system/penstock.service.d/test.conf", "[Service]\n" + "\n".join(lines) + "\n")
        self.do("systemctl", "daemon-reload")

    # -- the network, from outside: the machine's own programs are not needed

    def inside(self, *words):
        return ["nsenter", "--net", "--target", str(self.pid), *words]

    def curl(self, *words):
        """Status and body."""
        result = subprocess.run(self.inside("curl", "-sS", "-m", str(DEADLINE), "-w", "\n%{http_code}", *words),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=2 * DEADLINE)
        body, _, status = result.stdout.decode().rpartition("\n")
        return int(status or 0), body

    def upload(self, data, path="/upload", *more):
        with tempfile.NamedTemporaryFile(suffix=".bin") as f:
            f.write(data)
            f.flush()
            return self.curl("-F", f"file=@{f.name}", *more, f"http://127.0.0.1:8081{path}")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if os.path.isdir(self.cgroup):
            wait_for(lambda: removed(self.cgroup), "all of the machine's processes have ended")
        wait_for(self.unmounted, "nothing uses the machine's folder")
        os.rmdir(self.layer)

    def unmounted(self):
        subprocess.run(["umount", "--recursive", self.layer], stderr=subprocess.DEVNULL, check=False, timeout=DEADLINE)
        return not os.path.ismount(self.layer)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.process.poll() is None:
            print(self.journal())
        self.stop()


# -- the package ----------------------------------------------------------------------------------------------------

RELEASES = ("bookworm", "trixie")
packages = {}  # release -> Future


def copy_source(root):
    """What git knows, with its times, so that a build goes on where it was."""
    shutil.rmtree(f"{root}/src-deploy", ignore_errors=True)
    os.mkdir(f"{root}/src-deploy")
    subprocess.run(f"git ls-files -z --cached --others --exclude-standard | xargs -0 cp -p --parents -t '{root}/src-deploy'", shell=True,
                   check=True, timeout=DEADLINE)


def build_package(release):
    root = chroot(release, "trixie-root" if release == "trixie" else f"deploy-{release}-build", *BUILD_PACKAGES)
    copy_source(root)
    inside(root, """
        cd /src-deploy
        cmake -S . -B /build-deploy -G Ninja -DWERROR=ON -DCMAKE_INSTALL_PREFIX=/usr && cmake --build /build-deploy
        cd /build-deploy && rm -f *.deb
        cpack -G DEB && cpack -G DEB -D CPACK_DEBIAN_PACKAGE_RELEASE=2""")
    debs = sorted(os.path.join(root, "build-deploy", name) for name in os.listdir(f"{root}/build-deploy") if name.endswith(".deb"))
    assert len(debs) == 2, debs
    return root, debs


def package(release):
    """The package, built in a Debian of this release, in two versions: (folder of that Debian, [paths of both]). All
    releases are built at once: most of it is waiting for what is fetched."""
    if os.geteuid() != 0:
        raise Skip("needs root for chroots")
    if not packages:
        pool = concurrent.futures.ThreadPoolExecutor()
        packages.update({name: pool.submit(build_package, name) for name in RELEASES})
    return packages[release].result()


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout.decode().strip()


def bare(release):
    """A Debian with systemd and what the package depends on, but not the package."""
    debs = package(release)[1]
    depends = [re.sub(r"\s*\(.*|\s*\|.*", "", word).strip() for word in field(debs[0], "Depends").split(",")]
    return chroot(release, f"deploy-{release}", "systemd", "systemd-sysv", "curl", *depends)
