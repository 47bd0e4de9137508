# SPDX-License-Identifier: MIT
"""Where penstock listens: it says so, it is alone there, and another one takes over only if it is told to."""
from lib import *

ROUTES = """admin: { listen: ["127.0.0.1:{admin}", "unix:{dir}/admin.sock"] }
spoa: { listen: ["127.0.0.1:{spoa}", "unix:{dir}/spoa.sock"] }
destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
PLAIN = ROUTES[ROUTES.index("destinations"):]


def everything():
    return ROUTES.replace("{admin}", str(free_port())).replace("{spoa}", str(free_port()))


def start(p, addresses, *options, **how):
    """Another one, on these addresses and with a folder of its own; its output is its log and what it says on stderr."""
    at = tempfile.mkdtemp(prefix="second-", dir=p.dir)
    os.chmod(at, 0o777)
    file = os.path.join(at, "second.yaml")
    with open(file, "w", encoding="utf-8") as f:
        f.write(f"version: 1\nlog: {{ level: info, format: json }}\n{addresses}\n" + PLAIN.replace("{dir}/out", at))
    return subprocess.Popen([BINARY, "run", *options, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)


def refused(process):
    try:
        text = process.communicate(timeout=DEADLINE)[0].decode()
    finally:
        process.kill()
    assert process.returncode == 1, text
    return text


def until_listening(process):
    """Reads its log up to there."""
    said = []
    for line in process.stdout:
        if b'"msg":"listening","address":' in line:
            return
        said.append(line)
    raise AssertionError(f"it does not listen: {said}")


def end(process):
    process.send_signal(signal.SIGTERM)
    text = process.communicate(timeout=DEADLINE)[0].decode()
    assert process.returncode == 0, text


def listening(p):
    """What the six listeners of everything() say."""
    return wait_for(lambda: len(lines := p.lines('"msg":"listening"')) == 6 and lines, "all are listening")


def test_listening_says_where():
    with Penstock(everything(), workers=2) as p:
        told = {line["address"]: line["room"] for line in listening(p)}
        assert told[f"127.0.0.1:{p.port}"] == "daemon" and told[f"unix:{p.dir}/in.sock"] == "daemon", told
        assert told[f"unix:{p.dir}/admin.sock"] == "admin" and told[f"unix:{p.dir}/spoa.sock"] == "spoa", told
        assert len(told) == 6 and not any("?" in address for address in told), told


def addresses_of(p):
    """Each listener of the first one, as the only thing that is in the second one's way, and the same address in other words."""
    for line in listening(p):
        address = line["address"]
        ways = [address, address.replace("127.0.0.1:", ":").replace("127.0.0.1", "0.0.0.0")] if "127" in address else [address]
        for way in ways:
            yield f"listen: [\"{way}\"]"
            yield f"listen: [\"127.0.0.1:{free_port()}\"]\nadmin: {{ listen: [\"{way}\"] }}"
            yield f"listen: [\"127.0.0.1:{free_port()}\"]\nspoa: {{ listen: [\"{way}\"] }}"


def test_a_second_penstock_is_refused_on_every_kind_of_listener():
    with Penstock(everything(), workers=2) as p:
        for addresses in addresses_of(p):
            text = refused(start(p, addresses))
            assert "somebody listens there already" in text and "--take-over" in text and "second.yaml:" in text, (addresses, text)
        for _ in range(20):
            for to in (p.port, p.dir + "/in.sock"):
                assert post(to, "/d", form(part("f", b"x", "f"))).status == 201
        assert len(p.files()) == 40


def test_of_two_that_start_at_once_one_is_refused():
    with Penstock(PLAIN) as p:
        for i in range(rounds(20)):
            port = free_port()
            with socket.socket(socket.AF_UNIX) as stale:  # left behind by one that was killed
                stale.bind(f"{p.dir}/{i}.sock")
            for address in (f"127.0.0.1:{port}", f"unix:{p.dir}/{i}.sock"):
                both = [start(p, f'listen: ["{address}"]') for _ in range(2)]
                wait_for(lambda: sum(b.poll() is None for b in both) < 2, "one has ended")
                loser, winner = sorted(both, key=lambda b: b.poll() is None)
                assert "somebody listens there already" in refused(loser)
                until_listening(winner)
                assert post(port if "127" in address else address[5:], "/d", form(part("f", b"x", "f"))).status == 201
                end(winner)


def test_one_that_takes_over_replaces_a_running_one_without_a_gap():
    with Penstock(everything(), workers=2) as p:
        listens = listening(p)
        by_room = {room: json.dumps([line["address"] for line in listens if line["room"] == room]) for room in ("daemon", "admin", "spoa")}
        same = f"listen: {by_room['daemon']}\nadmin: {{ listen: {by_room['admin']} }}\nspoa: {{ listen: {by_room['spoa']} }}"
        path, over, failed = p.dir + "/in.sock", threading.Event(), []

        def knock():  # a unix socket is there at every moment
            while not over.is_set():
                try:
                    connect(path).close()
                except BlockingIOError:
                    pass  # the queue is full, so somebody listens
                except OSError as e:
                    failed.append(e)
        knocking = threading.Thread(target=knock)
        knocking.start()
        try:
            second = start(p, same, "--take-over")
            for _ in listens:
                until_listening(second)
            p.process.send_signal(signal.SIGTERM)
            p.process.wait(DEADLINE)
        finally:
            over.set()
            knocking.join()
        assert not failed, failed
        for to in (p.port, path):
            assert post(to, "/d", form(part("f", b"x", "f"))).status == 201
        assert os.path.exists(p.dir + "/admin.sock") and os.path.exists(p.dir + "/spoa.sock")
        assert p.files() == {}, "the first one has not got them"
        end(second)
        assert not os.path.exists(path)


def test_what_is_no_penstock_of_ours_is_not_taken_over():
    with Penstock(PLAIN) as p, socket.create_server(("127.0.0.1", 0)) as other, socket.socket(socket.AF_UNIX) as full:
        port = other.getsockname()[1]
        for options in ([], ["--take-over"]):
            assert "somebody listens there already" in refused(start(p, f'listen: ["127.0.0.1:{port}"]', *options))
        full.bind(p.dir + "/full.sock")
        full.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for s in waiting:  # nobody accepts them, and their queue has an end
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                s.connect(p.dir + "/full.sock")
        assert "somebody listens there already" in refused(start(p, f'listen: ["unix:{p.dir}/full.sock"]'))
        for s in waiting:
            s.close()
        with open(p.dir + "/file", "w", encoding="ascii"):
            assert "no socket" in refused(start(p, f'listen: ["unix:{p.dir}/file"]'))
        if os.getuid() == 0:
            os.chmod(p.dir, 0o755)
            text = refused(start(p, f'listen: ["127.0.0.1:{p.port}"]', "--take-over", user=65534, group=65534, extra_groups=[]))
            assert "another user's penstock" in text, text


def test_one_file_may_name_an_address_and_all_of_them():
    with Penstock(PLAIN) as p:
        port = free_port()
        every = [f"127.0.0.1:{port}", f"0.0.0.0:{port}"] + ([f"[::]:{port}"] if has_ipv6() else [])
        for addresses in (every, every[::-1]):
            process = start(p, f"threads: {{ workers: 2 }}\nlisten: {json.dumps(addresses)}")
            until_listening(process)
            assert post(port, "/d", form(part("f", b"x", "f"))).status == 201
            end(process)
