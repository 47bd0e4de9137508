# SPDX-License-Identifier: MIT
"""Two penstocks behind one HAProxy are replaced one after the other, and no upload fails."""
import collections
import re
import subprocess
import threading

from traffic import *

CLIENTS = 8
SERVERS = """    # Who says no at /readyz gets nothing new; a connection that is refused is tried elsewhere.
    option httpchk GET /readyz
    option redispatch 1
    retries 3
    timeout check 10s
    server one one:8081 check port 9901 inter 500ms fall 1 rise 1 resolvers docker init-addr libc,none
    server two two:8081 check port 9901 inter 500ms fall 1 rise 1 resolvers docker init-addr libc,none
"""
# A question is lost when its agent closes the connection at that moment. Then another is asked.
AGAIN = """    http-request set-var(txn.upload.again) bool(true) if { var(txn.upload.error) -m found } !is_site
    http-request unset-var(txn.upload.error) if { var(txn.upload.again) -m bool }
    http-request send-spoe-group penstock penstock-again if { var(txn.upload.again) -m bool }
"""
AGENTS = """    # Who takes no uploads is not asked either.
    server one one:9902 track penstock/one resolvers docker init-addr libc,none
    server two two:9902 track penstock/two resolvers docker init-addr libc,none
"""


def gateway(at):
    """The demo's HAProxy with two penstocks for one."""
    with open(f"{ROOT}/docker/haproxy.cfg", encoding="utf-8") as f:
        text = f.read()
    for pattern, new in ((r'^    server penstock "\$\{PENSTOCK\}".*\n', SERVERS), (r'^    server agent "\$\{AGENT\}".*\n', AGENTS),
                         (r"^    option spop-check\n", ""), (r"^(    acl allowed var\(txn.upload.allow\) .*\n)", AGAIN + r"\1")):
        text, n = re.subn(pattern, new, text, flags=re.M)
        assert n == 1, pattern
    with open(f"{at}/haproxy.cfg", "w", encoding="utf-8") as f:
        f.write(text)
    return f"{at}/haproxy.cfg"


def question(at):
    """The demo's question, with a second message that asks the same."""
    text = patient_question()
    arguments = re.search(r"^spoe-message penstock-admit\n(    args .*\n)", text, flags=re.M).group(1)
    text, n = re.subn(r"^    groups penstock-ask\n", "    groups penstock-ask penstock-again\n    option continue-on-error\n", text, flags=re.M)
    assert n == 1
    with open(f"{at}/penstock.spoe.conf", "w", encoding="utf-8") as f:
        f.write(f"{text}\nspoe-group penstock-again\n    messages penstock-admit-again\n\nspoe-message penstock-admit-again\n{arguments}")
    return f"{at}/penstock.spoe.conf"


class Load:
    """Uploads from some clients, one after the other each, until it is told to end."""

    def __init__(self, stack):
        self.stack, self.done, self.lock = stack, [], threading.Lock()
        self.is_over = threading.Event()
        self.clients = [threading.Thread(target=self.client, args=(i,), daemon=True) for i in range(CLIENTS)]

    def client(self, i):
        sizes = [20_000, 300_000, 2_000_000, 70_000]
        n = 0
        while not self.is_over.is_set():
            n += 1
            waits = {"extra": "Expect: 100-continue\r\n"} if n % 3 == 0 else {}
            upload = Upload(f"client {i}", [(f"{i}-{n}", lib.noise(sizes[(i + n) % 4], n))], chunk=50_000 if n % 2 else None, **waits)
            self.one(upload, slowly=n % 5 == 0, waits=bool(waits))
            with self.lock:
                self.done.append(upload)

    def one(self, upload, slowly, waits):
        """Some take a second, so that there is always one half in when a penstock has to go. Some wait for 100, and
        are answered by HAProxy itself if an agent says no."""
        whole, half = upload.bytes()
        with lib.connect(self.stack.port) as s:
            try:
                if waits:
                    s.sendall(upload.head)
                    first = s.recv(65536)
                    if not first.startswith(b"HTTP/1.1 100 "):
                        upload.answer = lib.read_answer(s, first)
                        return
                s.sendall(whole[len(upload.head) if waits else 0:half])
                if slowly:
                    self.is_over.wait(1)
                s.sendall(whole[half:])
            except ConnectionError:
                pass
            upload.answer = lib.read_answer(s)

    def count(self):
        with self.lock:
            return len(self.done)

    def go_on_for(self, n):
        goal = self.count() + n
        wait_for(lambda: self.count() >= goal, f"{n} more uploads", lib.DEADLINE * 3)

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for client in self.clients:
            client.join(lib.DEADLINE * 2)


class Long:
    """Uploads that are half in until they are told to end."""

    def __init__(self, stack, n=6):
        self.uploads = [Upload("long", [(f"long-{i}", lib.noise(1_000_000, -i))]) for i in range(n)]
        self.sockets = [lib.connect(stack.port, timeout=lib.DEADLINE * 3) for _ in self.uploads]
        for s, upload in zip(self.sockets, self.uploads):
            whole, half = upload.bytes()
            s.sendall(whole[:half])

    def end(self):
        for s, upload in zip(self.sockets, self.uploads):
            whole, half = upload.bytes()
            with s:
                s.sendall(whole[half:])
                upload.answer = lib.read_answer(s)
        return self.uploads


def replace(stack, service, load):
    """A new container in place of this one, which has to wait for long uploads, while others come."""
    old = stack.container(service)
    long = Long(stack)
    replacing = threading.Thread(target=recreate, args=(stack, service))
    replacing.start()
    wait_for(lambda: '"draining"' in log_of(old), f"{service} drains")
    load.go_on_for(60)
    wait_for(lambda: connections(pid_of(old), 8081, "0A") == 0, "its delay is over, and it listens no more")
    load.go_on_for(20)
    assert inspect(old, "{{json .State.Running}}"), "it waits for those that are long"
    load.done += long.end()
    replacing.join(lib.DEADLINE * 2)
    assert stack.container(service) != old
    pid = pid_of(stack.container(service))
    wait_for(lambda: connections(pid, 8081) > 0, f"HAProxy sends uploads to the new {service}", lib.DEADLINE * 2)


def log_of(container):
    return subprocess.run(["docker", "logs", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode(errors="replace")


def recreate(stack, service):
    run("bash", "-c", f'. docker/lib.sh; need_compose; "${{COMPOSE[@]}}" --profile spoe up --detach --no-build --no-deps --force-recreate {service}',
        env=stack.env)


def servers(stack):
    """What HAProxy has said of its servers."""
    return "\n".join(line for line in stack.logs("haproxy").splitlines() if " is UP" in line or " is DOWN" in line or "maintenance" in line)


def check(stack, load):
    told = collections.Counter(u.told() for u in load.done)
    print(f"   {len(load.done)} uploads while both were replaced: {dict(told)}")
    failed = [u for u in load.done if u.told() != 201]
    assert not failed, f"{len(failed)} of {len(load.done)}: {failed[0].answer and failed[0].answer.body}\n{servers(stack)}"
    wanted = {path: digest for u in load.done for path, digest in u.stored().items()}
    assert stack.stored() == wanted
    assert stack.unfinished() == []


def test_two_are_replaced_and_no_upload_fails():
    with tempfile.TemporaryDirectory() as at:
        os.chmod(at, 0o755)
        env = {"ROLLING": f"{ROOT}/tests/compose/rolling.yaml", "COMPOSE_MORE": f"{ROOT}/tests/compose/rolling.compose.yaml", "HAPROXY_CFG": gateway(at),
               "ROLLING_SPOE": question(at)}
        with Stack("penstock-test-rolling", env=env) as stack:
            with Load(stack) as load:
                load.go_on_for(40)
                for service in ("one", "two"):
                    replace(stack, service, load)
                    load.go_on_for(40)
            check(stack, load)
