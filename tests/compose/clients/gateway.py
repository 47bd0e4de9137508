# SPDX-License-Identifier: MIT
"""Gateways to upload through, seen from outside. Both have HAProxy with a plain address and one with TLS and HTTP/2, and
the routes of docker/routes.yaml:

    Docker()   the stack that docker/up.sh starts: HAProxy, penstock, store, app with the page
    Local()    HAProxy and penstock on this machine, a folder as the store, no page; for machines without Docker"""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from form import digest_of
from lib import BINARY, connect, free_port, read_answer, wait_for
from stack import ROOT, Stack, docker


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificate(at):
    """ca.pem, and gateway.pem for 127.0.0.1 with its key."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", f"{at}/ca.key",
            "-out", f"{at}/ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", f"{at}/key.pem", "-out", f"{at}/request.pem")
    with open(f"{at}/names", "w", encoding="ascii") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{at}/request.pem", "-CA", f"{at}/ca.pem", "-CAkey", f"{at}/ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", f"{at}/names", "-out", f"{at}/cert.pem")
    with open(f"{at}/gateway.pem", "wb") as f:
        for name in ("cert.pem", "key.pem"):
            with open(f"{at}/{name}", "rb") as part:
                shutil.copyfileobj(part, f)
    os.chmod(f"{at}/gateway.pem", 0o644)  # the user of the container has another number


def edited(source, target, *changes):
    """A copy of a file with each (old, new) done; every old must be there."""
    with open(source, encoding="utf-8") as f:
        text = f.read()
    for old, new in changes:
        assert old in text, f"{source} lacks {old}"
        text = text.replace(old, new)
    with open(target, "w", encoding="utf-8") as f:
        f.write(text)


class Gateway:
    """`dir` is a folder of its own; `plain` and `tls` are addresses without a path."""
    has_page = False

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="penstock-clients-")
        os.chmod(self.dir, 0o755)
        self.tls_port = free_port()
        self.tls = f"https://127.0.0.1:{self.tls_port}"
        self.ca = f"{self.dir}/ca.pem"
        make_certificate(self.dir)

    def lines_of(self, request_id):
        """Waits until every service has logged this request, and gives their lines."""
        def found():
            lines = {s: [line for line in self.logs(s).splitlines() if request_id in line] for s in self.services}
            return all(lines.values()) and lines
        return wait_for(found, f"{self.services} log {request_id}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Docker(Gateway):
    services = ("haproxy", "penstock", "storage")
    has_page = True

    def __init__(self):
        super().__init__()
        # PHP cannot send a field name twice: file[0], file[1], ...
        edited(f"{ROOT}/docker/routes.yaml", f"{self.dir}/routes.yaml", ("{ name: file,", '{ name: "file*",'))
        edited(f"{ROOT}/docker/haproxy.cfg", f"{self.dir}/haproxy.cfg",
               ("    bind :8080\n", "    bind :8080\n    bind :8443 ssl crt /tls/gateway.pem alpn h2,http/1.1\n"))
        with open(f"{self.dir}/more.yaml", "w", encoding="utf-8") as f:
            f.write(f'services:\n  haproxy:\n    ports: ["127.0.0.1:{self.tls_port}:8443"]\n'
                    f'    volumes: ["{self.dir}/gateway.pem:/tls/gateway.pem:ro"]\n')
        self.stack = Stack("penstock-test-clients", env={"ROUTES": f"{self.dir}/routes.yaml", "HAPROXY_CFG": f"{self.dir}/haproxy.cfg",
                                                         "COMPOSE_MORE": f"{self.dir}/more.yaml"})
        self.stack.__enter__()
        self.plain = self.stack.url("")
        self.logs, self.stored, self.unfinished = self.stack.logs, self.stack.stored, self.stack.unfinished

    def forget(self, request_id):
        docker("exec", self.stack.container("storage"), "rm", "-r", f"/srv/store/files/{request_id}")

    def stop(self):
        self.stack.__exit__()


class Local(Gateway):
    services = ("haproxy", "penstock")

    def __init__(self):
        super().__init__()
        self.port, self.out = free_port(), f"{self.dir}/out"
        os.mkdir(self.out)
        self.plain = f"http://127.0.0.1:{self.port}"
        self.running = []
        self.write_routes()
        self.start("penstock", BINARY, "run", f"{self.dir}/routes.yaml")
        subprocess.run([BINARY, "haproxy", "--out", f"{self.dir}/gw", "--listen", f"127.0.0.1:{self.port}", f"{self.dir}/routes.yaml"],
                       check=True, stdout=subprocess.DEVNULL)
        bind = f"    bind 127.0.0.1:{self.port}\n"
        edited(f"{self.dir}/gw/haproxy.cfg", f"{self.dir}/gw/haproxy.cfg",
               (bind, f"{bind}    bind 127.0.0.1:{self.tls_port} ssl crt {self.dir}/gateway.pem alpn h2,http/1.1\n"))
        self.start("haproxy", "haproxy", "-f", f"{self.dir}/gw/haproxy.cfg")
        wait_for(self.is_ready, "HAProxy asks the agent")

    def write_routes(self):
        files = f'files: {{ type: directory, path: "{self.out}" }}'
        edited(f"{ROOT}/docker/routes.yaml", f"{self.dir}/routes.yaml", ("{ name: file,", '{ name: "file*",'),
               ("127.0.0.1:8081", f"127.0.0.1:{free_port()}"), ("127.0.0.1:9901", f"127.0.0.1:{free_port()}"),
               ("127.0.0.1:9902", f"127.0.0.1:{free_port()}"), ("/run/penstock", self.dir), ("/var/lib/penstock", self.dir),
               ('store: { type: http, url: "http://storage:9000/files", undo: DELETE, ready: connect }', files), ("to: store", "to: files"))

    def start(self, name, *command):
        with open(f"{self.dir}/{name}.log", "wb") as log:
            self.running.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "GALLERY_KEY": "of nobody"}))

    def is_ready(self):
        """405: the agent was asked, and knows the route."""
        for process in self.running:
            assert process.poll() is None, self.logs("haproxy") + self.logs("penstock")
        try:
            with connect(self.port) as s:
                s.sendall(b"GET /upload HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = read_answer(s)
        except OSError:
            return False
        return answer is not None and answer.status == 405

    def logs(self, service):
        with open(f"{self.dir}/{service}.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def walk(self):
        for at, _, names in os.walk(self.out):
            for name in names:
                yield os.path.relpath(f"{at}/{name}", self.out)

    def stored(self):
        return {path: digest_of(f"{self.out}/{path}") for path in self.walk() if not os.path.basename(path).startswith(".penstock-")}

    def unfinished(self):
        return [path for path in self.walk() if os.path.basename(path).startswith(".penstock-")]

    def forget(self, request_id):
        shutil.rmtree(f"{self.out}/{request_id}")

    def stop(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            process.wait(60)
