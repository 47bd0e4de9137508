# SPDX-License-Identifier: MIT
"""The clients that are programs: what each needs, how it is started, how it tells its version. Those made here by a
compiler are built before, by run.sh, into the folder $CLIENTS_BUILT; Python's packages are in the venv $PENSTOCK_VENV."""
import json
import os
import subprocess

from form import Seen

HERE = os.path.dirname(os.path.abspath(__file__))
AT = f"{HERE}/programs"
BUILT = os.environ.get("CLIENTS_BUILT", "/nonexistent")
PYTHON = os.path.join(os.environ.get("PENSTOCK_VENV", "/nonexistent"), "bin/python")
JARS4 = [f"/usr/share/java/{name}.jar" for name in ("httpclient", "httpmime", "httpcore", "commons-logging", "commons-codec")]
JARS5 = [f"/usr/share/java/{name}.jar" for name in ("httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api", "commons-codec")]


class Program:
    """`command` gets URL, FOLDER and `more`; prints the status, and the body of the answer. `http` is what HAProxy must have
    seen. `refusal`: penstock rightly refuses it, with these words in its log."""
    needs_page = False

    def __init__(self, name, command, version, http="HTTP/1.1", tls=False, more=(), env=None, needs=(), refusal=None):
        self.name, self.command, self.version_of, self.http, self.tls = name, command, version, http, tls
        self.more, self.env, self.needs, self.refusal = list(more), env or {}, [command[0], *needs], refusal

    def start(self, command, ca=None):
        env = {**os.environ, **self.env}
        if ca:
            env.update(CA=ca, SSL_CERT_FILE=ca, NODE_EXTRA_CA_CERTS=ca)
        return subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)

    def upload(self, g, parts, folder):
        done = self.start([*self.command, (g.tls if self.tls else g.plain) + "/upload", folder, *self.more], g.ca)
        out = done.stdout.decode()
        assert done.returncode == 0 and out, f"ended with {done.returncode}: {out[-2000:]}{done.stderr.decode(errors='replace')[-3000:]}"
        status, _, body = out.partition("\n")
        assert status == "201", out
        told = json.loads(body)
        return Seen(told["request_id"], told["parts"], parts, 201)


def python(name, program, package, more=(), **how):
    version = [PYTHON, "-c", f"import importlib.metadata as m; print(m.version('{package}'))"]
    return Program(name, [PYTHON, f"{AT}/{program}"], version, more=more, **how)


def shell(name, program, version, more=(), **how):
    return Program(name, ["bash", f"{AT}/{program}"], version, more=more, **how)


def node(name, program, version, **how):
    return Program(name, ["node", f"{AT}/{program}"], ["node", *version], env={"NODE_PATH": "/usr/share/nodejs"}, **how)


def java(name, jars, main, version, more=(), **how):
    classes = [f"{BUILT}/{main}.class", *jars]
    return Program(name, ["java", "-cp", ":".join([BUILT, *jars]), main], version, more=more, needs=classes, **how)


def debian(package):
    return ["dpkg-query", "-W", "-f=${Version}", package]


REQWEST = ["sed", "-n", '/^name = "reqwest"/{n;p}', f"{AT}/rust/Cargo.lock"]
CURL, JAVA = ["curl", "--version"], ["java", "-version"]
PROGRAMS = [
    shell("curl", "curl.sh", CURL, ["--http1.1"]),
    shell("curl, chunked", "curl.sh", CURL, ["--http1.1", "-H", "Transfer-Encoding: chunked"]),
    shell("curl", "curl.sh", CURL, ["--http2"], http="HTTP/2.0", tls=True),
    shell("curl, prior knowledge", "curl.sh", CURL, ["--http2-prior-knowledge"], http="HTTP/2.0"),
    shell("wget", "wget.sh", ["wget", "--version"], ["wget"]),
    # --post-file adds a Content-Type of its own to the given one.
    shell("wget2", "wget.sh", ["wget2", "--version"], ["wget2"], needs=["wget2"], refusal="more than one Content-Type"),
    python("Python requests", "with_requests.py", "requests"),
    python("Python requests, toolbelt's encoder", "with_toolbelt.py", "requests-toolbelt"),
    python("Python httpx", "with_httpx.py", "httpx", ["sync"]),
    python("Python httpx, async", "with_httpx.py", "httpx", ["async"]),
    python("Python httpx", "with_httpx.py", "httpx", ["sync", "h2"], http="HTTP/2.0", tls=True),
    python("Python aiohttp", "with_aiohttp.py", "aiohttp"),
    node("Node fetch", "fetch.js", ["--version"]),
    node("Node undici", "fetch.js", ["-p", "require('undici/package.json').version"], more=["undici"]),
    node("Node form-data", "form_data.js", ["-p", "require('form-data/package.json').version"]),
    Program("Go net/http", [f"{BUILT}/net_http"], ["go", "version"]),
    Program("Go net/http", [f"{BUILT}/net_http"], ["go", "version"], http="HTTP/2.0", tls=True),
    java("Java HttpClient", [], "Net", JAVA, ["HTTP_1_1"]),
    java("Java HttpClient", [], "Net", JAVA, ["HTTP_2"], http="HTTP/2.0", tls=True),
    java("Apache HttpClient 4", JARS4, "Apache4", debian("libhttpclient-java")),
    java("Apache HttpClient 5", JARS5, "Apache5", debian("libhttpclient5-java")),
    Program(".NET HttpClient", [f"{BUILT}/dotnet", f"{BUILT}/Dotnet.exe"], [f"{BUILT}/dotnet", "--list-runtimes"],
            env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}),
    Program("Mono HttpClient", ["mono", f"{BUILT}/Dotnet.exe"], ["mono", "--version"]),
    Program("Rust reqwest", [f"{BUILT}/reqwest"], REQWEST),
    Program("Rust reqwest", [f"{BUILT}/reqwest"], REQWEST, http="HTTP/2.0", tls=True),
    Program("Perl LWP", ["perl", f"{AT}/lwp.pl"], ["perl", "-MLWP", "-MLWP::UserAgent", "-e", "print LWP->VERSION"]),
    Program("PHP curl", ["php", f"{AT}/curl.php"], ["php", "-r", "echo phpversion('curl');"]),
    Program("Ruby Net::HTTP", ["ruby", f"{AT}/net_http.rb"], ["ruby", "--version"]),
]
