# SPDX-License-Identifier: MIT
"""The Kubernetes manifest: valid by the schemas, true to the route file in it, and run: its containers start in their
order with their volumes, users and read-only roots, its probes answer, and an upload goes through them to a store."""
import re

from lib import *

MANIFEST = "docker/kubernetes/deployment.yaml"
VENV = os.environ.get("KUBERNETES_VENV", "build/venv-kubernetes")
MIB = 1024 * 1024


def documents():
    if not os.path.exists(f"{VENV}/ok"):
        raise Skip("kubernetes-validate cannot be had from PyPI")
    script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"
    out = subprocess.run([f"{VENV}/bin/python", "-c", script, MANIFEST], stdout=subprocess.PIPE, check=True, timeout=DEADLINE)
    return {(d["kind"], d["metadata"]["name"]): d for d in json.loads(out.stdout)}


def pod():
    return documents()[("Deployment", "uploads")]["spec"]["template"]["spec"]


def container(name):
    return next(c for c in pod()["initContainers"] + pod()["containers"] if c["name"] == name)


def validate(path, version):
    return subprocess.run([f"{VENV}/bin/kubernetes-validate", "--strict", "-k", version, path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=DEADLINE)


def test_the_manifest_is_valid_by_the_schemas_of_kubernetes():
    assert len(documents()) == 5
    for version in ("1.30", "1.37"):
        result = validate(MANIFEST, version)
        assert result.returncode == 0 and result.stdout.count(b"passed") == 5, result.stdout.decode()
    with open(MANIFEST, encoding="utf-8") as f, tempfile.NamedTemporaryFile("w", suffix=".yaml") as bad:
        bad.write(f.read().replace("restartPolicy: Always", "restartPolicy: [Always]"))
        bad.flush()
        assert validate(bad.name, "1.37").returncode != 0, "it can refuse"


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def mebibytes(text):
    return int(re.fullmatch(r"(\d+)Mi", text).group(1))


def test_memory_and_times_fit_the_route_file():
    routes = documents()[("ConfigMap", "penstock-routes")]["data"]["routes.yaml"]
    memory = int(re.search(r"^memory: (\d+)MiB", routes, re.M).group(1))
    resources = container("penstock")["resources"]
    assert mebibytes(resources["limits"]["memory"]) == mebibytes(resources["requests"]["memory"]) == memory + 32
    hard = seconds(re.search(r"hard-stop-after (\S+)", documents()[("ConfigMap", "penstock-gateway")]["data"]["pod.cfg"]).group(1))
    wait = container("haproxy")["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = seconds(re.search(r"drain: (\d+s)", routes).group(1))
    assert pod()["terminationGracePeriodSeconds"] >= wait + hard + drain + 5


def test_every_container_is_locked_up():
    spec = pod()
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] >= 1000
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault" and spec["automountServiceAccountToken"] is False
    for c in spec["initContainers"] + spec["containers"]:
        context = c["securityContext"]
        assert context["readOnlyRootFilesystem"] and context["allowPrivilegeEscalation"] is False, c["name"]
        assert context["capabilities"] == {"drop": ["ALL"]}, c["name"]
    assert container("penstock")["restartPolicy"] == "Always", "a sidecar"


def network_of(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net")
    return None


class Pod:
    """What a kubelet does with the manifest, on this machine."""

    def __init__(self):
        if os.geteuid() != 0:
            raise Skip("needs root for namespaces")
        if shutil.which("haproxy") is None or shutil.which("ip") is None:
            raise Skip("haproxy or ip is not installed")
        self.docs, self.spec, self.running = documents(), pod(), {}
        self.uid, self.gid = (str(self.spec["securityContext"][k]) for k in ("runAsUser", "fsGroup"))
        self.dir = tempfile.mkdtemp(prefix="penstock-pod-")
        os.chmod(self.dir, 0o755)
        self.network = subprocess.Popen(["tests/deploy/pod.sh", "network", "600"], stdout=subprocess.PIPE)
        if self.network.stdout.readline() != b"up\n":
            raise Skip("no network namespace can be made here")
        self.sources = {v["name"]: self.volume(v) for v in self.spec["volumes"]}

    def volume(self, volume):
        path = os.path.join(self.dir, "volume-" + volume["name"])
        os.mkdir(path)
        if "configMap" in volume:
            self.fill(path, self.docs[("ConfigMap", volume["configMap"]["name"])]["data"], 0o644)
        elif "secret" in volume:
            mode = volume["secret"]["defaultMode"]
            self.fill(path, self.docs[("Secret", volume["secret"]["secretName"])]["stringData"], mode)
        else:
            os.chown(path, 0, int(self.gid))
            os.chmod(path, 0o2777)
        return path

    def fill(self, path, data, mode):
        """As the kubelet does: names are links to ..data, which is a link to a folder."""
        os.mkdir(os.path.join(path, "..2026_11_24"))
        os.symlink("..2026_11_24", os.path.join(path, "..data"))
        for name, text in data.items():
            real = os.path.join(path, "..2026_11_24", name)
            with open(real, "w", encoding="utf-8") as f:
                f.write(text)
            os.chown(real, 0, int(self.gid))
            os.chmod(real, mode)
            os.symlink(f"..data/{name}", os.path.join(path, name))

    def start(self, name, words, mounts=()):
        root = os.path.join(self.dir, "root-" + name)
        os.mkdir(root)
        volumes = " ".join(f"{self.sources[m['name']]}:{m['mountPath']}:{'ro' if m.get('readOnly') else 'rw'}" for m in mounts)
        with open(os.path.join(self.dir, name + ".log"), "wb") as log:
            self.running[name] = subprocess.Popen(
                self.inside("tests/deploy/pod.sh", "container", root, volumes, self.uid, self.gid, *words),
                stdout=log, stderr=log, env=os.environ | {"PENSTOCK": BINARY})
        return self.running[name]

    def run(self, name):
        c = container(name)
        return self.start(name, c.get("command", ["penstock"]) + c.get("args", []), c["volumeMounts"])

    def log(self, name):
        with open(os.path.join(self.dir, name + ".log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def inside(self, *words):
        return ["nsenter", "--net", "--target", str(self.network.pid), *words]

    def curl(self, *words):
        result = subprocess.run(self.inside("curl", "-sS", "-m", str(DEADLINE), "-w", "\n%{http_code}", *words), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=2 * DEADLINE)
        body, _, status = result.stdout.decode().rpartition("\n")
        return int(status or 0), body

    def connects(self, port):
        return subprocess.run(self.inside("curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"), timeout=DEADLINE).returncode != 7

    def probe(self, name, kind):
        """The container's port by name, its path: does the probe succeed?"""
        c = container(name)
        ports = {p["name"]: p["containerPort"] for p in c["ports"]}
        get = c[kind]["httpGet"]
        return 200 <= self.curl(f"http://127.0.0.1:{ports[get['port']]}{get['path']}")[0] < 400

    def signal(self, name, number):
        """To the program itself: the child of the unshare that holds its namespaces."""
        pid = self.running[name].pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            os.kill(int(f.read().split()[0]), number)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(*(f"-- {name}\n{self.log(name)[-1500:]}" for name in self.running), sep="\n")
        network = os.readlink(f"/proc/{self.network.pid}/ns/net")
        for process in (*self.running.values(), self.network):
            process.kill()
            process.wait()
        wait_for(lambda: not any(network_of(pid) == network for pid in os.listdir("/proc") if pid.isdigit()), "nothing of the pod runs on")
        shutil.rmtree(self.dir, ignore_errors=True)


def test_the_pod_runs_takes_uploads_and_ends_without_losing_one():
    with Pod() as p:
        store = p.start("store", ["penstock", "sink", "--port", "9000"])
        assert p.run("gateway-configuration").wait(DEADLINE) == 0, p.log("gateway-configuration")
        assert p.start("check", ["penstock", "check", "/etc/penstock"], container("penstock")["volumeMounts"]).wait(DEADLINE) == 0
        assert " 0 warnings" in p.log("check"), p.log("check")
        words = container("haproxy")["command"]
        assert p.start("haproxy-check", [words[0], "-c", *words[2:]], container("haproxy")["volumeMounts"]).wait(DEADLINE) == 0, p.log("haproxy-check")
        p.run("penstock")
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            wait_for(lambda probe=probe: p.probe("penstock", probe), probe + " of penstock")
        gateway = p.run("haproxy")
        wait_for(lambda: p.probe("haproxy", "readinessProbe"), "readiness of HAProxy")
        data = noise(3 * MIB)
        with open(os.path.join(p.dir, "a.bin"), "wb") as f:
            f.write(data)
        # A route answers as soon as HAProxy's check of the agent has passed.
        form = ["-F", f"file=@{p.dir}/a.bin", "http://127.0.0.1:8080/upload"]
        wait_for(lambda: p.curl(*form)[0] == 201, "an upload through the pod")
        assert sha256(data) in p.log("store") and "authorization: bearer change-me" in p.log("store").lower(), p.log("store")
        assert p.curl("-F", "file=@" + p.dir + "/a.bin", "http://127.0.0.1:8080/elsewhere")[0] == 404
        late = subprocess.Popen(p.inside("python3", "tests/deploy/slow_client.py", "8080", "/upload"), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        assert late.stdout.readline() == b"half\n", "admitted, and half of it is away"
        p.signal("haproxy", signal.SIGUSR1)
        wait_for(lambda: not p.connects(8080), "HAProxy takes nothing new")
        assert late.communicate(b"go on\n", timeout=DEADLINE)[0] == b"201\n"
        assert gateway.wait(DEADLINE) == 0
        p.signal("penstock", signal.SIGTERM)
        assert p.running["penstock"].wait(DEADLINE) == 0
        assert store.poll() is None
