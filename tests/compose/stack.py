# SPDX-License-Identifier: MIT
"""The stack of docker/compose.yaml for tests, under a project and a port of its own:

    with Stack("penstock-test-x") as stack:
        answer = stack.curl("-F", "file=@x")

Everything is seen from outside: what curl was told, what lies in the store, what the containers log."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from lib import DEADLINE, Answer, Skip, free_port, sha256, wait_for  # noqa: F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TAG = os.environ.get("PENSTOCK_TAG", "latest")


def run(*command, env=None, check=True, input=None, timeout=900):
    """Standard output of a command; it must succeed unless check=False."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, cwd=ROOT,
                          input=input, timeout=timeout)
    out = done.stdout.decode(errors="replace")
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{out[-3000:]}{done.stderr.decode(errors='replace')[-3000:]}"
    return out


def docker(*command, **how):
    return run("docker", *command, **how)


def inspect(what, template="{{json .}}"):
    text = docker("inspect", "--format", template, what).strip()
    return json.loads(text) if template.startswith("{{json") else text


def patient_question():
    """docker/penstock.spoe.conf, but the agent may take 5 s instead of 500 ms: a busy machine is no failure."""
    with open(f"{ROOT}/docker/penstock.spoe.conf", encoding="utf-8") as f:
        text, n = re.subn(r"^(    timeout (?:hello|processing)) 500ms$", r"\1 5s", f.read(), flags=re.M)
    assert n == 2, "docker/penstock.spoe.conf has other times"
    return text


class Stack:
    """`env` goes to docker/up.sh: ROUTES, HAPROXY_CFG, SPOE_CONF, NGINX_CONF (whole paths of other files), COMPOSE_MORE."""

    def __init__(self, project, profile="spoe", env=None):
        self.project, self.profile = project, profile
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="penstock-stack-")
        os.chmod(self.dir, 0o755)
        with open(f"{self.dir}/penstock.spoe.conf", "w", encoding="utf-8") as f:
            f.write(patient_question())
        self.env = {"PROJECT": project, "PORT": str(self.port), "SPOE_CONF": f"{self.dir}/penstock.spoe.conf", **(env or {})}
        self.suffix = "" if profile == "spoe" else "-" + profile

    def __enter__(self):
        try:
            run("docker/up.sh", self.profile, env=self.env)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run("docker/down.sh", "--keep-images", env=self.env)
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- containers ---------------------------------------------------------------------------------

    def container(self, service):
        """The id of a service's container; haproxy and penstock are those of the profile."""
        if service in ("haproxy", "penstock"):
            service += self.suffix
        ids = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.project}",
                     "--filter", f"label=com.docker.compose.service={service}").split()
        assert len(ids) == 1, f"{service}: {ids}"
        return ids[0]

    def compose(self, *words):
        """`docker compose WORDS`, with this stack's profile and files."""
        return run("bash", "-c", '. docker/lib.sh && need_compose && "${COMPOSE[@]}" --profile "$@"', "compose", self.profile, *words, env=self.env)

    def logs(self, service):
        done = subprocess.run(["docker", "logs", self.container(service)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.decode(errors="replace")

    def process(self, service):
        """/proc/PID/status of its first process, as a dictionary."""
        with open(f"/proc/{inspect(self.container(service), '{{.State.Pid}}')}/status", encoding="ascii") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    # -- the store ------------------------------------------------------------------------------------

    def stored(self):
        """What is visible in the store: path below /files/ -> SHA-256."""
        return self.below("files")

    def pictures(self):
        """What is visible of the gallery: path -> SHA-256."""
        return {f"/photos/{path}": digest for path, digest in self.below("photos").items()}

    def below(self, folder):
        find = f"[ ! -d /srv/store/{folder} ] || (cd /srv/store/{folder} && find . -type f -exec sha256sum -z {{}} +)"
        text = docker("exec", self.container("storage"), "sh", "-c", find)
        return {line[66:].removeprefix("./"): line[:64] for line in text.split("\0") if line}

    def unfinished(self):
        """Files that the store has begun and not ended."""
        return docker("exec", self.container("storage"), "find", "/srv/store/tmp", "-type", "f").split()

    # -- clients ---------------------------------------------------------------------------------------

    def url(self, path="/upload"):
        return f"http://127.0.0.1:{self.port}{path}"

    def curl(self, *arguments, path="/upload"):
        """An Answer, as curl got it."""
        with tempfile.TemporaryDirectory() as at:
            run("curl", "-sS", "--max-time", "300", "-o", f"{at}/body", "-D", f"{at}/head", *arguments, self.url(path))
            with open(f"{at}/head", encoding="latin-1", newline="") as f:
                head = [block for block in f.read().split("\r\n\r\n") if block and " 100 " not in block.split("\r\n")[0]][-1]
            body = b""
            if os.path.exists(f"{at}/body"):
                with open(f"{at}/body", "rb") as f:
                    body = f.read()
        lines = head.split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        return Answer(int(lines[0].split()[1]), headers, body)

    def lines_of(self, request_id, *services):
        """Waits until each service has logged this request, and gives their lines."""
        def found():
            lines = {s: [line for line in self.logs(s).splitlines() if request_id in line] for s in services}
            return all(lines.values()) and lines
        return wait_for(found, f"{services} log {request_id}")
