# SPDX-License-Identifier: MIT
"""The programs that the bench measures, each between the load (load.c) and the upstream (drain.c), with one worker; and what the system
says of a program's time and memory."""
import glob
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.002)
    raise RuntimeError(f"{process.args[0]} does not listen")


def tree(pid):
    pids = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            for child in f.read().split():
                pids += tree(int(child))
    except FileNotFoundError:
        pass
    return pids


def cpu_seconds(pid):
    """Of all its threads, in nanoseconds: /proc/PID/stat counts hundredths of a second, which is one tenth of what is measured here."""
    total = 0
    for p in tree(pid):
        for path in glob.glob(f"/proc/{p}/task/*/schedstat"):
            with open(path) as f:
                total += int(f.read().split()[0])
    return total / 1e9


def memory(pid, key):
    total = 0
    for p in tree(pid):
        with open(f"/proc/{p}/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    total += int(line.split()[1])
    return total / 1024


def reset_peak(pid):
    for p in tree(pid):
        try:
            with open(f"/proc/{p}/clear_refs", "w") as f:
                f.write("5")
        except OSError:
            pass


class Proxy:
    """One program between the load and the drain, started for the whole run."""

    def __init__(self, name, command, port, path="/upload", cwd=None):
        self.name, self.port, self.path = name, port, path
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_port(port, self.process)
        self.start_ms = (time.monotonic() - self.began) * 1000
        self.idle_mib = memory(self.process.pid, "VmRSS")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


HTTP = 'drain: {{ type: http, url: "http://127.0.0.1:{drain}" }}'
S3 = 'drain: {{ type: s3, endpoint: "http://127.0.0.1:{drain}", bucket: drain, credentials: {{ access_key: A, secret_key: S }} }}'


def penstock(args, folder, name, drain, route, memory_mib=32, head="", to=HTTP, limits="body: none"):
    port = free_port()
    config = write(folder, name + ".yaml", f"""\
version: 1
listen: ["127.0.0.1:{port}"]
memory: {memory_mib}MiB
threads: {{ workers: 1 }}
log: {{ level: error }}
{head}
destinations:
  {to.format(drain=drain)}
routes:
  - id: bench
    match: {{ path: /upload }}
    limits: {{ {limits} }}
    {route}
""")
    return Proxy(name, [args.penstock, "run", config], port)


STORE = 'fields: [ { name: "*", store: { to: drain, path: "/{uuid}" } } ]'
KEY = STORE.replace("path:", "key:").replace("/{", "{")
CONCAT = 'fields: [ { name: "*", concat: { to: drain, path: "/{uuid}" } } ]'
CONCAT_POST = CONCAT.replace("to: drain", "to: drain, method: POST")
BUFFER = 'fields: [ { name: "*", buffer: true, max_size: 3MiB, store: { to: drain, path: "/{uuid}" } } ]'
DROP = 'fields: [ { name: "*", drop: true } ]'
NONE = "\n    response: { json: none }"
TYPES = STORE.replace("{uuid}", "{uuid}.{detected.ext}")  # has the first bytes of each file looked at
SHA256 = "\n    digest: sha256"


def nginx(folder, name, drain, buffering, size):
    port = free_port()
    os.makedirs(os.path.join(folder, name + "-body"), mode=0o777, exist_ok=True)
    os.chmod(os.path.join(folder, name + "-body"), 0o777)
    config = write(folder, name + ".conf", f"""\
daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log /dev/null crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-f; uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
  upstream drain {{ server 127.0.0.1:{drain}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://drain; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering {buffering}; client_body_buffer_size {size}; }}
  }}
}}
""")
    return Proxy(name, ["nginx", "-c", config, "-p", folder], port)


def haproxy(folder, name, drain, preload=None, pem=None, bufsize=16384):
    """With `preload` (penstock-filter.so) the filter follows every body; else haproxy alone. `pem`: it speaks TLS. `bufsize`:
    of its buffers; 16384 is HAProxy's default."""
    port = free_port()
    rule = ""
    if preload:
        routes = write(folder, name + ".yaml", "version: 1\nroutes:\n  - { id: bench, limits: { body: none }, "
                       'fields: [ { name: "*", drop: true } ] }\n')
        rule = f"  filter penstock config {routes}\n"
    config = write(folder, name + ".cfg", f"""\
global
  nbthread 1
  tune.bufsize {bufsize}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:{port}{f" ssl crt {pem} alpn h2,http/1.1" if pem else ""}
{rule}  default_backend drain
backend drain
  server d 127.0.0.1:{drain}
""")
    command = ["haproxy", "-q", "-f", config]
    return Proxy(name, ["env", f"LD_PRELOAD={os.path.abspath(preload)}"] + command if preload else command, port)


def floor(folder, name, drain):
    port = free_port()
    return Proxy(name, [build(folder, "floor"), str(port), str(drain)], port)


def axum(binary, name, drain, how):
    port = free_port()
    return Proxy(name, [binary, str(port), str(drain), how], port)


def build(folder, name):
    out = os.path.join(folder, name)
    if not os.path.exists(out):
        subprocess.run(["cc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-pthread", os.path.join(HERE, name + ".c"), "-o", out], check=True)
    return out


def build_axum(seconds=600):
    """The program in peers/axum, and why it is not there: one of them is None. It is made once below $BUILD_ROOT."""
    if not shutil.which("cargo"):
        return None, "cargo is not in PATH"
    target = os.path.join(os.path.abspath(os.environ.get("BUILD_ROOT", "build")), "axum")
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", os.path.join(HERE, "peers", "axum", "Cargo.toml")]
    try:
        made = subprocess.run(command, env=dict(os.environ, CARGO_TARGET_DIR=target), stderr=subprocess.PIPE, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, f"cargo build takes longer than {seconds} s"
    if made.returncode != 0:
        return None, "cargo build: " + (made.stderr.strip().splitlines() or ["failed"])[-1].strip()
    return os.path.join(target, "release", "peer-axum"), None


def drain(folder):
    """The upstream, and its port."""
    process = subprocess.Popen([build(folder, "drain"), "0"], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def allow_descriptors():
    """As many as may be: thousands of uploads at once take two each."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
