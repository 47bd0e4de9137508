# SPDX-License-Identifier: MIT
"""The command line: exit codes, explain, sink, try."""
from lib import *

ROUTES = """version: 1
destinations:
  files: { type: directory, path: out }
  up: { type: http, url: "http://127.0.0.1:1" }
routes:
  - id: r
    match: { path: "/up/*" }
    limits: { body: 1MiB }
    digest: sha256
    fields:
      - { name: file, kind: file, store: { to: files, key: "{path.1}/{date:%Y/%m}/{uuid}.{file.ext}" } }
      - { name: "all*", concat: { to: up, method: POST, path: "/{request_id}/{field}" } }
      - { name: gone, drop: true }
"""


def run(*args, **how):
    return subprocess.run([BINARY, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE, **how)


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="penstock-cli-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def write(self, name, data):
        path = os.path.join(self.path, name)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path


def test_usage_and_exit_codes():
    with Folder() as d:
        good, bad = d.write("good.yaml", ROUTES), d.write("bad.yaml", ROUTES.replace("concat:", "concatt:"))
        cases = [
            (2, []), (2, ["nonsense"]), (2, ["run"]), (2, ["check"]), (2, ["check", "--no-such", good]), (2, ["explain", good]),
            (2, ["sink", "--port", "99999"]), (2, ["sink", "--print", "--discard"]), (2, ["check", bad]), (2, ["run", bad]),
            (2, ["run", "/nonexistent.yaml"]), (2, ["schema", "extra"]), (2, ["explain", "--split", "0", good, good]),
            (0, ["check", good]), (0, ["version"]), (0, ["--version"]), (0, ["help"]), (0, ["-h"]), (0, ["help", "explain"]),
            (0, ["run", "-h"]), (2, ["help", "nonsense"]), (1, ["explain", good, "/nonexistent"]),
        ]
        for code, args in cases:
            result = run(*args, cwd=d.path)
            assert result.returncode == code, (code, args, result)
            assert code == 0 or result.stderr, args
        text = run("version").stdout.decode()
        assert "libmicrohttpd" in text and "libcurl/" in text and "libyaml" in text and "libmagic 5." in text
        assert b"concatt" in run("check", bad).stderr


def test_a_working_folder_that_was_removed_is_no_bug():
    with Folder() as d:
        routes, gone = d.write("r.yaml", ROUTES), os.path.join(d.path, "gone")
        os.mkdir(gone)
        result = run("check", routes, cwd=gone, preexec_fn=lambda: os.rmdir(gone))
        assert result.returncode == 0 and b"out" in result.stderr, result


def test_output_that_cannot_be_written_is_a_failure():
    with Folder() as d, open("/dev/full", "wb") as full:
        routes, request = d.write("r.yaml", ROUTES), d.write("request", head_of("/up/x", 3) + b"abc")
        for args in (["schema"], ["version"], ["help"], ["--help"], ["check", "-h"], ["man", "1"], ["man", "5"], ["check", routes],
                     ["explain", routes, request], ["explain", "--human", routes, request], ["haproxy", "--out", "gw", routes], ["try", "out"]):
            result = subprocess.run([BINARY, *args], stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE, cwd=d.path)
            assert result.returncode == 1, (args, result)
            assert (b"cannot be printed" if args[0] == "try" else b"could not be written") in result.stderr, (args, result)
            assert b"memory" not in result.stderr, (args, result)
        result = subprocess.run([BINARY, "check", d.write("bad.yaml", "version: 2")], stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE)
        assert result.returncode == 2, result
        port = free_port()
        sink = subprocess.Popen([BINARY, "sink", "--port", str(port)], stdout=full, stderr=subprocess.PIPE)
        wait_for(lambda: can_connect(port), "sink listens")
        sink.terminate()
        assert sink.wait(DEADLINE) == 1 and b"not be written" in sink.stderr.read()
        sink.stderr.close()


def test_a_route_file_is_a_file_or_what_a_shell_pipes_in():
    with Folder() as d:
        os.mkfifo(os.path.join(d.path, "fifo.yaml"))
        for where in ("fifo.yaml", "."):
            result = run("check", where, cwd=d.path)
            assert result.returncode == 2 and b"fifo.yaml: error: cannot read this: it is neither a file nor a pipe of the shell" in result.stderr, result
        d.write("good.yaml", ROUTES)
        for how in ("cat good.yaml | {} check /dev/stdin", "{} check /dev/stdin <good.yaml", "{} check <(sleep 0.2; cat good.yaml)"):
            result = subprocess.run(["bash", "-c", how.format(BINARY)], cwd=d.path, capture_output=True, timeout=DEADLINE)
            assert result.returncode == 0, (how, result)
        assert run("check", "/dev/null").returncode == 2


def test_usage_names_the_option_that_is_wrong():
    cases = [(["check", "--split", "3", "x"], "unknown option --split"), (["check", "--split=3", "x"], "unknown option --split"), (["check", "-xh"], "unknown option -x"),
             (["check", "-x", "a"], "unknown option -x"), (["check", "a", "--nope", "b"], "unknown option --nope"), (["check", "--help=3"], "takes no value: --help=3"),
             (["sink", "--port"], "needs a value: --port"), (["sink", "--port", "x"], '--port cannot be "x"')]
    for args, said in cases:
        result = run(*args)
        assert result.returncode == 2 and said in result.stderr.decode(), (args, result)
    for args in (["--help", "-h"], ["-h", "--help"], ["--help"]):
        result = run(*args)
        assert result.returncode == 0 and result.stdout == run("help").stdout, (args, result)


def test_run_fails_with_1_where_it_cannot_start():
    with Folder() as d, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = d.write("r.yaml", ROUTES.replace("version: 1", f'version: 1\nlisten: ["127.0.0.1:{port}"]'))
        result = run("run", path, cwd=d.path)
        assert result.returncode == 1 and b"in use" in result.stderr, result


def test_run_logs_on_stdout():
    with Folder() as d:
        text = ROUTES.replace("    limits", "    commit: each\n    limits")  # of nothing that a kill leaves is anybody warned
        path = d.write("r.yaml", text.replace("version: 1", f'version: 1\nlisten: ["127.0.0.1:{free_port()}"]'))
        os.mkdir(os.path.join(d.path, "out"))
        process = subprocess.Popen([BINARY, "run", path], cwd=d.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = process.stdout.readline()
        process.terminate()
        rest, complaints = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0 and b'"listening"' in line and b'"stopped"' in rest and complaints == b"", (line, rest, complaints)


def explain(d, request, *options):
    result = run("explain", *options, d.write("routes.yaml", ROUTES), d.write("request", request))
    assert result.returncode == 0, result
    return result.stdout


def test_explain_reads_standard_input():
    request = head_of("/up/x", len(form(part("gone", b"1")))) + form(part("gone", b"1"))
    with Folder() as d:
        whole = explain(d, request)
        piped = subprocess.run([BINARY, "explain", os.path.join(d.path, "routes.yaml"), "-"], input=request, stdout=subprocess.PIPE,
                               timeout=DEADLINE, check=True).stdout
        assert piped == whole and json.loads(piped)["status"] == 201, piped


def test_numbers_and_their_nouns_agree():
    one = ROUTES.replace("version: 1", "version: 1\nnonsense: 1").encode()
    with Folder() as d:
        assert run("check", d.write("one.yaml", one), cwd=d.path).stderr.endswith(b"\n1 error, 1 warning\n")  # no folder `out`
        for limits, sent, reason in (("parts: 1", [b"", b""], "more than 1 part"), ("body: 1", [b""], "over the limit of 1 byte"),
                                     ("values: 1", [b"ab"], "over values of 1 byte")):
            routes = ROUTES.replace("body: 1MiB", limits)
            request = head_of("/up/x") + chunked(form(*(part("gone", data) for data in sent)))
            told = json.loads(run("explain", d.write("r.yaml", routes), d.write("request", request)).stdout)
            assert told["reason"].endswith(reason), told


def test_a_short_key_of_a_signature_is_warned_of_wherever_it_is_from():
    """A newline at the end of a file is none of its bytes; the key is not shown."""
    text = """version: 1
destinations: { app: { type: http, url: "http://127.0.0.1:9" } }
routes: [ { id: a, match: { path: /a }, authorize: { to: app, path: /may, sign: { key: KEY } }, fields: [ { name: x, drop: true } ] } ]
"""
    with Folder() as d:
        routes = d.write("routes.yaml", text.replace("KEY", "{ file: " + d.path + "/key }"))
        for key, warns in ((b"!" * 31, True), (b"!" * 31 + b"\r\n", True), (b"!" * 32 + b"\n", False)):
            with open(d.path + "/key", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
                f.write(key)
            result = run("check", routes)
            assert result.returncode == 0 and (b"warning: key: it has fewer than 32 bytes" in result.stderr) == warns and b"!" not in result.stderr, result.stderr
        assert b"!" not in run("check", d.write("text.yaml", text.replace("KEY", '"said! here!"'))).stderr


def test_explain_is_the_same_at_every_split_and_every_time():
    body = form(part("file", noise(70_000), "ph\u00f6to.JPG", "image/jpeg"), part("all1", b"x"), part("gone", b""), part("all2", noise(5000)))
    with Folder() as d:
        for request in (head_of("/up/a%2Fb", len(body)) + body, head_of("/up/a%2Fb") + chunked(body, 999)):
            whole = explain(d, request)
            told = json.loads(whole)
            assert list(told) == ["status", "route", "routes", "error", "reason", "field", "limit", "offset", "parts", "would"] and told["status"] == 201 and told["reason"] is None
            first = told["parts"][0]
            assert first == {"part": 1, "field": "file", "filename": "ph\u00f6to.JPG", "type": "image/jpeg", "size": 70_000,
                             "sha256": sha256(noise(70_000)), "action": "store", "destination": "files",
                             "target": "a%2Fb/{date:%Y/%m}/{uuid}.JPG"}, first
            assert told["parts"][1]["target"] == told["parts"][3]["target"] == "/{request_id}/all1"
            assert told["parts"][2]["action"] == "drop" and told["parts"][2]["destination"] is None
            for split in ("1", "7", "61", "4096"):
                assert explain(d, request, "--split", split) == whole, split
            assert explain(d, request) == whole
        assert b"routes.yaml:11" in explain(d, request, "--human")


def test_explain_tells_what_would_be_done():
    big = noise(20_000)
    body = form(part("file", b"abc", "a.txt", "text/plain"), part("all1", b"x"), part("all2", big))
    with Folder() as d:
        told = json.loads(explain(d, head_of("/up/y", len(body)) + body))["would"]
        assert [(one["part"], one["destination"]) for one in told] == [(1, "files"), (2, "up")], told
        of_file = [(s["when"], s["call"], s["target"], s["bytes"]) for s in told[0]["steps"]]
        name = "out/y/{date:%Y/%m}/{uuid}.txt"
        assert of_file == [("before", "write", "out/.penstock-{uuid}", 3), ("commit", "rename if nothing is there", name, None),
                           ("cancel", "remove", "out/.penstock-{uuid}", None), ("undo", "remove", name, None)], of_file
        of_up = [(s["when"], s["call"], s["bytes"]) for s in told[1]["steps"]]
        assert of_up == [("before", "POST", 20_001), ("commit", "complete", None), ("cancel", "break off", None)], of_up
        assert told[1]["steps"][0]["target"] == "http://127.0.0.1:1/{request_id}/all1", told
        assert "Transfer-Encoding: chunked" in told[1]["steps"][0]["headers"], told
        assert b"commit  rename if nothing is there " + name.encode() in explain(d, head_of("/up/y", len(body)) + body, "--human")
        short = form(part("all1", b"x"))
        steps = json.loads(explain(d, head_of("/up/y", len(short)) + short))["would"][0]["steps"]
        assert [(s["when"], s["call"], s["bytes"]) for s in steps] == [("commit", "POST", 1)], steps
        refused = form(part("all1", b"x"), part("zzz", b""))
        assert json.loads(explain(d, head_of("/up/y", len(refused)) + refused))["would"] == []


def test_explain_tells_refusals_with_offset_and_what_was_whole():
    ok = part("gone", b"1")
    cases = [
        (404, head_of("/nope", 3) + b"abc", None), (405, head_of("/up/x", 3, method="GET") + b"abc", None),
        (413, head_of("/up/x", 2 << 20), None), (415, head_of("/up/x", 3, type="text/plain") + b"abc", None),
        (422, head_of("/up/x", len(form(ok, part("zzz", b"")))) + form(ok, part("zzz", b"")), len(ok) - 2),
        (400, head_of("/up/x", len(ok) + 2) + ok + b"--", len(ok) + 2), (400, b"junk", None), (411, b"POST /up/x HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (400, head_of("/up/x") + b"zz\r\n", None),
    ]
    with Folder() as d:
        for status, request, offset in cases:
            whole = explain(d, request)
            told = json.loads(whole)
            assert told["status"] == status and told["reason"] and told["offset"] == offset, (status, told)
            assert len(told["parts"]) == (1 if status == 422 else 0), told
            assert explain(d, request, "--split", "1") == whole


def test_explain_refuses_what_is_not_all_there():
    ok = form(part("gone", b"1"))
    whole_chunk = b"%x\r\n" % len(ok) + ok + b"\r\n"
    cases = [(head_of("/up/x", len(ok) + n) + ok, n == 0) for n in (0, 1, 400)] + [
        (head_of("/up/x") + whole_chunk + rest, rest.startswith(b"0\r\n\r\n") or rest.endswith(b"z: 1\r\n\r\n"))
        for rest in (b"", b"0", b"0\r", b"0\r\n", b"0\r\nz: 1\r\n", b"0\r\n\r", b"5\r\nab", b"5", b"0\r\n\r\n", b"0\r\nz: 1\r\n\r\n")
    ] + [(head_of("/up/x") + whole_chunk[:-n], False) for n in (1, 2, 3)]
    with Folder() as d:
        for request, is_whole in cases:
            told = json.loads(explain(d, request))
            assert told["status"] == (201 if is_whole else 400) and (told["reason"] is None) == is_whole, (request, told)
            assert is_whole or told["reason"].startswith("the body ends ") and told["offset"] > 0, told
            behind = explain(d, request + b"GARBAGE\r\n\r\n") if is_whole else None
            assert not is_whole or json.loads(behind) == told, (request, behind)


def test_a_dot_behind_a_host_name_changes_nothing():
    body = form(part("x", b"1"))
    with Folder() as d:
        for pattern, host in (("a.org.", "a.org"), ("a.org.", "A.org."), ("a.org", "a.org.:80"), ("*.a.org.", "b.a.org"), ("[::1]", "[::1]:8081")):
            routes = d.write("r.yaml", f'version: 1\nroutes:\n  - {{ id: r, match: {{ host: "{pattern}" }}, fields: [ {{ name: x, drop: true }} ] }}\n')
            request = d.write("request", head_of("/", len(body)).replace(b"Host: test", b"Host: " + host.encode()) + body)
            assert json.loads(run("explain", routes, request).stdout)["status"] == 201, (pattern, host)


def test_explain_replaces_what_is_not_utf8():
    body = form(part("gone", b"1")).replace(b'"gone"', b'"gone"; filename="a\xff\xc3b"')
    with Folder() as d:
        assert json.loads(explain(d, head_of("/up/x", len(body)) + body))["parts"][0]["filename"] == "a\ufffd\ufffdb"


def test_explain_for_people_steers_no_terminal():
    name = "a\x1b[2J\u009b2J\x7f\u00e9"
    body = form(part("gone", b"1", "f")).replace(b'"f"', b'"' + name.encode().replace(b"\x1b", b"%0A").replace(b"\x7f", b"%0D") + b'"')
    with Folder() as d:
        table = explain(d, head_of("/up/x", len(body)) + body, "--human").decode()
        assert "a?[2J??2J?\u00e9" in table, table


def test_explain_agrees_with_run():
    routes = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: r, match: { path: /r }, limits: { parts: 3, values: 1KiB }, fields: [ { name: "a*", max_size: 4KiB, store: { to: files, key: "{part}-{field}-{file.name}" } } ] }
"""
    bodies = [form(part("a", b"x")), form(part("a", noise(4097), "f")), form(part("b", b"")), form(*[part("a", b"")] * 4), b"--x", b"",
              form(part("a1", b"1", "x y"), part("a2", b"2")), form(part("a", b"v" * 1025)), form(part("a", b"1"))[:-3]]
    with Penstock(routes.replace('"{part}', '"{uuid}/{part}')) as p:
        for body in bodies:
            request = head_of("/r", len(body)) + body
            path = os.path.join(p.dir, "request")
            with open(path, "wb") as f:
                f.write(request)
            told = json.loads(run("explain", p.file, path).stdout)
            answer = post(p.port, "/r", body)
            assert answer.status == told["status"], (body[:80], answer.body, told)
            if answer.status == 201:
                for a, b in zip(answer.json()["parts"], told["parts"]):
                    b["target"] = b["target"].replace("{uuid}", a["target"][:36])
                    assert {k: a[k] for k in b} == b
            else:
                assert answer.json()["detail"] == told["reason"] and answer.json().get("offset") == told["offset"]


def test_sink_prints_what_came():
    for options, status in ((["--print"], 200), (["--status", "507"], 507), (["--delay", "100ms"], 200)):
        sink = subprocess.Popen([BINARY, "sink", "--port", "0", *options], stdout=subprocess.PIPE)
        try:
            port = int(sink.stdout.readline().rsplit(b":", 1)[1])
            for chunk in (None, 5):
                assert post(port, "/some/p%20ath?q=1", b"hello world", chunk=chunk, method="PATCH").status == status
                block = b""
                while not block.endswith(b"\n\n"):
                    block += sink.stdout.readline()
                assert block.startswith(b"PATCH /some/p%20ath?q=1\n") and b"Host: test" in block
                assert f"11 bytes sha256 {sha256(b'hello world')}".encode() in block
                assert (b"\nhello world\n" in block) == (options == ["--print"])
        finally:
            sink.terminate()
            assert sink.wait(DEADLINE) == 0


def test_try_serves_and_prints_its_route_file():
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", 8081)) == 0:
            raise Skip("something listens on 127.0.0.1:8081")
    with Folder() as d, Upstream() as up:
        target = os.path.join(d.path, 'it"s here')
        for where in (target, f"HTTP://127.0.0.1:{up.port}/base"):
            process = subprocess.Popen([BINARY, "try", where], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                wait_for(lambda: process.poll() is not None or can_connect(8081), "try listens")
                answer = post(8081, "/any/where", form(part("v", b"value"), part("f", noise(50_000), "a.txt")))
                assert answer.status == 201, answer.body
            finally:
                process.terminate()
                text = process.communicate(timeout=DEADLINE)[0]
            assert process.returncode == 0 and b"curl -F" in text
            assert run("check", d.write("kept.yaml", text)).returncode == 0, text
        (name,) = os.listdir(target)
        assert name.endswith("-a.txt")
        assert [v for k, v in up.store.items() if k.startswith("/base/")] == [noise(50_000)]


def test_try_makes_a_bucket_of_s3_and_of_what_the_sdks_read():
    with Folder() as d:
        for name, env, there in (
            ("photos", {}, '{ type: s3, bucket: "photos" }'),
            ("photos", {"AWS_ENDPOINT_URL": "https://s3.example.org", "AWS_DEFAULT_REGION": "eu"},
             '{ type: s3, bucket: "photos", endpoint: "https://s3.example.org", region: "eu" }'),
            ("photos", {"AWS_ENDPOINT_URL_S3": "https://one.example.org", "AWS_ENDPOINT_URL": "https://two.example.org", "AWS_REGION": "a",
                        "AWS_DEFAULT_REGION": "b"}, '{ type: s3, bucket: "photos", endpoint: "https://one.example.org", region: "a" }')):
            text = tried(f"S3://{name}", env)
            assert f"  there: {there}\n".encode() in text and b"SECRET" not in text, text
            assert run("check", d.write("kept.yaml", text)).returncode == 0, text
    for name, why in (("My_Bucket", b"bucket: a name has 3 to 63 small letters"), ("photos/2026", b"bucket: a name has"), ("", b"bucket")):
        result = run("try", f"s3://{name}")
        assert result.returncode == 2 and why in result.stderr, result


def tried(where, env):
    """What `try` prints. A key file that is not there ends it before it listens, so nobody needs the port to be free."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {"AWS_PROFILE": "none", "AWS_CONFIG_FILE": "/nowhere",
           "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"} | env
    result = subprocess.run([BINARY, "try", where], env=env, capture_output=True, timeout=DEADLINE, check=False)
    assert result.returncode != 0 and b"none" in result.stderr, result
    return result.stdout
