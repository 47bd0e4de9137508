# SPDX-License-Identifier: MIT
"""The demo stack as docker/up.sh starts it: uploads through HAProxy, the page, refusals, the end."""
import re
import threading

import lib
from gallery import check_gallery
from stack import *


def make_files(at):
    """A form with values, an empty file, names that need care, and one of 40 MB: curl's arguments, and what it holds."""
    contents = {"title": "Käse & <b>bold</b>".encode(), "empty.bin": b"", "Größe \"x\".bin": noise_file(at, "a", 40_000_000),
                "plain.txt": noise_file(at, "b", 70_001)}
    open(f"{at}/empty", "wb").close()
    arguments = ["-F", "title=Käse & <b>bold</b>", "-F", f"file=@{at}/empty;filename=empty.bin",
                 "-F", f"file=@{at}/a;filename=\"Größe \\\"x\\\".bin\"", "-F", f"file=@{at}/b;filename=plain.txt"]
    return arguments, contents


def noise_file(at, name, n):
    data = lib.noise(n, n)
    with open(f"{at}/{name}", "wb") as f:
        f.write(data)
    return data


def upload(stack, *more):
    """Uploads the form; each part told, stored and read back must be what was sent. Gives the answer."""
    before = stack.stored()
    with tempfile.TemporaryDirectory() as at:
        arguments, contents = make_files(at)
        answer = stack.curl(*more, *arguments)
    assert answer.status == 201, answer.body
    told = answer.json()
    assert [p["filename"] or p["field"] for p in told["parts"]] == list(contents)
    new = {path: digest for path, digest in stack.stored().items() if path not in before}
    for part, data in zip(told["parts"], contents.values()):
        path = f"{told['request_id']}/{part['part']}-{part['filename'] or part['field'] + '.txt'}"
        assert (part["size"], part["sha256"]) == (len(data), sha256(data)), part
        assert new.pop(path) == sha256(data), path
        assert stack.curl(path="/files" + part["target"]).body == data, part["target"]
    assert not new, f"nobody sent {new}"
    return told


def refused(stack, status, *arguments, path="/upload"):
    before = stack.stored()
    answer = stack.curl(*arguments, path=path)
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == status
    assert answer.json()["request_id"] and answer.json()["detail"]
    assert stack.stored() == before, "a refused form left something"
    wait_for(lambda: stack.unfinished() == [], "the store has dropped what was begun")
    return answer.json()


def check_uploads(stack):
    told = upload(stack)
    stack.lines_of(told["request_id"], "haproxy", "penstock", "storage")
    upload(stack, "--http2-prior-knowledge")
    refused(stack, 422, "-F", "file=abc;filename=a", "-F", "other=abc;filename=b")
    refused(stack, 415, "-d", "title=x")
    refused(stack, 400, "-H", "Content-Type: multipart/form-data; boundary=b", "--data-binary", "no boundary in here")
    assert stack.curl().status == 405


def test_uploads_through_the_agent():
    with Stack("penstock-test-spoe") as stack:
        check_uploads(stack)
        check_limits(stack)
        check_containers(stack)
        check_page(stack)
        check_page_without_script(stack)
        check_drain(stack)
        check_page_without_store(stack)


def test_uploads_through_unix_sockets():
    with Stack("penstock-test-socket", "socket") as stack:
        check_uploads(stack)
        check_gallery(stack)
        check_stop(stack)


def test_uploads_through_the_native_filter():
    with Stack("penstock-test-native", "native") as stack:
        check_uploads(stack)
        said = docker("exec", stack.container("haproxy"), "haproxy", "-vv")
        assert "HAProxy version 3.0" in said and "penstock" in said, said
        assert int(stack.process("haproxy")["CapEff"], 16) == 0
        check_gallery(stack)
        check_page(stack)
        check_page_without_script(stack)
        check_stop(stack)


def test_the_native_image_writes_its_own_configuration():
    """Without a haproxy.cfg the route files are enough."""
    run("docker/build.sh", "haproxy")
    said = docker("run", "--rm", "--read-only", "--cap-drop=ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/run/haproxy:uid=10001,gid=10001",
                  "--volume", f"{ROOT}/docker/routes.yaml:/etc/penstock/routes.yaml:ro", f"penstock-haproxy:{TAG}", "-c", "-V")
    assert "Configuration file is valid" in said, said


def check_limits(stack):
    with tempfile.TemporaryDirectory() as at:
        for i in range(21):
            open(f"{at}/{i}", "wb").close()
        refused(stack, 413, *[word for i in range(21) for word in ("-F", f"file=@{at}/{i}")])
        noise_file(at, "value", 70_000)
        assert refused(stack, 413, "-F", f"title=<{at}/value")["field"] == "title"
    assert stack.curl("-X", "PUT", "--data-binary", "x", path="/files/x").status == 405
    assert stack.curl("-X", "DELETE", path="/files/").status == 405


def check_containers(stack):
    """What the containers may do, and what penstock wrote."""
    for service in ("haproxy", "penstock", "storage", "app"):
        host = inspect(stack.container(service), "{{json .HostConfig}}")
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and "no-new-privileges" in host["SecurityOpt"][0], service
        status = stack.process(service)
        assert status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0, service
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", service
    pid = inspect(stack.container("penstock"), "{{.State.Pid}}")
    assert sorted(os.listdir(f"/proc/{pid}/root/run/penstock")) == ["agent.sock", "in.sock"]
    assert os.listdir(f"/proc/{pid}/root/tmp") == []
    check_state(f"/proc/{pid}/root/var/lib/penstock")
    assert inspect(stack.container("penstock"), "{{json .HostConfig.Memory}}") == 96 * 1024 * 1024
    wait_for(lambda: inspect(stack.container("penstock"), "{{.State.Health.Status}}") == "healthy", "penstock is healthy")


def check_state(at):
    """The journal of commits is all that it keeps there, and no byte of an upload is in it."""
    assert os.listdir(at) == ["state"]
    names = os.listdir(f"{at}/state")
    assert len(names) == 1 and names[0].startswith("penstock-") and names[0].endswith(".journal"), names
    assert os.path.getsize(f"{at}/state/{names[0]}") < 64 * 1024


def check_page(stack):
    answer = stack.curl(path="/")
    page = answer.body.decode()
    assert answer.status == 200 and "default-src 'none'" in answer.headers["content-security-policy"]
    assert '<form id="form"' in page and 'enctype="multipart/form-data"' in page
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(assets) >= 3
    for asset in assets:
        got = stack.curl(path=asset)
        assert got.status == 200 and b"http://" not in got.body.replace(b"http://www.w3.org/2000/svg", b"") and b"https://" not in got.body, asset
    assert stack.curl(path="/api/stored").json()[0]["parts"]
    assert '<a href="/" aria-current="page">' in page and page.count("aria-current") == 1
    for path in ("/stored/no-such-form", "/static/no-such-file"):
        answer = stack.curl(path=path)
        assert answer.status == 404 and b"Not here" in answer.body and b"aria-current" not in answer.body, (path, answer.body)


def check_page_without_script(stack):
    answer = stack.curl("-F", "title=x", "-F", "file=abc;filename=a.txt", path="/upload?then=page")
    assert answer.status == 303 and answer.headers["location"].startswith("/stored/"), answer.headers
    assert "a.txt" in stack.curl(path=answer.headers["location"]).body.decode()
    answer = stack.curl("-d", "title=x", path="/upload?then=page")
    assert answer.status == 303 and stack.curl(path=answer.headers["location"]).status == 415, answer.headers
    answer = stack.curl("-H", "Accept: text/html", "-F", "<script>=abc;filename=a.txt", path="/upload?then=page")
    assert answer.status == 303 and answer.headers["location"].startswith("/refused?"), answer.headers
    page = stack.curl(path=answer.headers["location"])
    assert page.status == 422 and b"no rule of this route takes it" in page.body and b"<script>" not in page.body


def check_drain(stack):
    """Last: SIGTERM while an upload is half in. It ends well, and then penstock does."""
    data = lib.noise(3_000_000)
    body = lib.form(lib.part("file", data, "late.bin"))
    name = stack.container("penstock")
    with lib.connect(stack.port) as s:
        s.sendall(lib.head_of("/upload", len(body)) + body[:2_000_000])
        wait_for(stack.unfinished, "the store has begun")
        stopping = threading.Thread(target=docker, args=("stop", "--time", "120", name))
        stopping.start()
        wait_for(lambda: "drain" in stack.logs("penstock"), "penstock drains")
        s.sendall(body[2_000_000:])
        answer = lib.read_answer(s)
    stopping.join(DEADLINE)
    assert answer is not None and answer.status == 201, answer and answer.body
    assert sha256(data) in stack.stored().values()
    assert inspect(name, "{{json .State.ExitCode}}") == 0 and not inspect(name, "{{json .State.OOMKilled}}")


def check_stop(stack):
    """`stop` of the whole stack while an upload is half in: penstock, HAProxy and the store go in that order, and it is stored."""
    data = lib.noise(3_000_000, 7)
    body = lib.form(lib.part("file", data, "last.bin"))
    with lib.connect(stack.port) as s:
        s.sendall(lib.head_of("/upload", len(body)) + body[:2_000_000])
        wait_for(stack.unfinished, "the store has begun")
        stopping = threading.Thread(target=stack.compose, args=("stop",))
        stopping.start()
        wait_for(lambda: "drain" in stack.logs("penstock"), "penstock drains")
        s.sendall(body[2_000_000:])
        answer = lib.read_answer(s)
    stopping.join(DEADLINE)
    assert not stopping.is_alive() and answer is not None and answer.status == 201, answer and answer.body
    told = answer.json()
    kept = docker("run", "--rm", "--network", "none", "--volumes-from", stack.container("storage"), "--entrypoint", "sha256sum",
                  f"penstock-storage:{TAG}", f"/srv/store/files{told['parts'][0]['target']}")
    assert kept.split()[0] == sha256(data)
    state = {s: inspect(stack.container(s), "{{json .State}}") for s in ("penstock", "haproxy", "storage")}
    assert [s["ExitCode"] for s in state.values()] == [0, 0, 0], state
    ends = [s["FinishedAt"] for s in state.values()]
    assert ends == sorted(ends), ends


def check_page_without_store(stack):
    docker("stop", stack.container("storage"))
    answer = stack.curl(path="/")
    assert answer.status == 503 and b"The store does not answer" in answer.body, answer.body


def test_the_gateway_has_the_rules_that_penstock_writes():
    """docker/haproxy.cfg and its like are what docker/gateway.py makes of what this penstock writes."""
    penstock = os.path.join(os.environ.get("BUILD_ROOT", f"{ROOT}/build"), "release/penstock")
    with tempfile.TemporaryDirectory() as at:
        run("python3", "docker/gateway.py", penstock, at)
        for name in ("haproxy.cfg", "haproxy-native.cfg", "haproxy-s3.cfg", "penstock.spoe.conf"):
            with open(f"{at}/{name}", encoding="utf-8") as made, open(f"{ROOT}/docker/{name}", encoding="utf-8") as ours:
                assert made.read() == ours.read(), f"docker/{name} is not as made: run `docker/gateway.py {penstock}`, and look at the difference"
